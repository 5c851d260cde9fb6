"""What is imported when: help is quick because nothing heavy is touched."""

from __future__ import annotations

import subprocess
import sys

import pytest

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

HEAVY = ("torch", "transformers", "av", "onnxruntime", "numpy", "rich", "tokenizers", "PIL")
OFTEN = ("dataclasses", "json", "hashlib", "socket")  # light, but --help needs none

PROBE = """
import sys
from cospal_cli.cli import run
code = run({arguments!r})
print([name for name in {heavy!r} if name in sys.modules], code, file=sys.stderr)
"""


def heavy_after(arguments: list[str]) -> str:
    code = PROBE.format(arguments=arguments, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["config", "show"]])
def test_light_commands_import_nothing_heavy(arguments: list[str]) -> None:
    assert heavy_after(arguments) == "[] 0"


def test_help_imports_not_even_light_things_that_it_does_not_need() -> None:
    code = PROBE.format(arguments=["--help"], heavy=OFTEN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip().splitlines()[-1] == "[] 0"


def test_importing_the_package_is_light_too() -> None:
    code = f"import sys, cospal_cli; print([n for n in {HEAVY!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def processor_s(arguments: list[str]) -> float:
    """Seconds of the processor that a Python process takes: the least of five."""
    found = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


@pytest.mark.skipif(resource is None, reason="needs the system's account of child processes")
def test_help_costs_little_more_than_click() -> None:
    ratio = processor_s(["-m", "cospal_cli", "--help"]) / processor_s(["-c", "import click"])
    assert ratio < 1.8


def test_the_function_survives_the_import_of_the_folder_of_its_name() -> None:
    code = (
        "import cospal_cli.ranking.zero_shot\n"
        "from cospal_cli import ground\n"
        "assert callable(ground), ground\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

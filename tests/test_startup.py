"""What is imported when: help is quick because nothing heavy is touched."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

HEAVY = ("torch", "transformers", "av", "onnxruntime", "numpy", "rich", "tokenizers", "PIL")

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


def test_importing_the_package_is_light_too() -> None:
    code = f"import sys, cospal_cli; print([n for n in {HEAVY!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_is_quick() -> None:
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "cospal_cli", "--help"], capture_output=True)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) <= 0.25, seconds


def test_the_function_survives_the_import_of_the_folder_of_its_name() -> None:
    code = (
        "import cospal_cli.ranking.zero_shot\n"
        "from cospal_cli import ground\n"
        "assert callable(ground), ground\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

"""Reads the output formats back by the programs that they are for.

    python -m tests.interop                    the light ones
    python -m tests.interop --all              the heavy ones too: gigabytes, minutes
    python -m tests.interop --only trackeval   some of them

Each gets a virtual environment of its own in --environments (kept, if it is named), from the
package index that pip is set up for. Without one it is skipped, and says so. Exits with 1 where a
program does not show what the tube says.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import NamedTuple

from tests.interop import cases

HERE = Path(__file__).parent
LIMIT_S = 1200  # for an installation


class Consumer(NamedTuple):
    """A program, by the packages to install and the script that runs in their midst."""

    packages: tuple[str, ...]
    script: str
    light: bool


CONSUMERS = {
    "subtitles": Consumer(("webvtt-py>=0.5", "pysubs2>=1.8"), "check_subtitles.py", True),
    "pycocotools": Consumer(("pycocotools>=2.0.8",), "check_pycocotools.py", True),
    "opentimelineio": Consumer(
        ("opentimelineio>=0.17", "otio-cmx3600-adapter>=1"), "check_opentimelineio.py", True
    ),
    "datumaro": Consumer(("datumaro>=1.10",), "check_datumaro.py", True),
    "label-studio": Consumer(("label-studio-sdk>=2",), "check_label_studio.py", False),
    "trackeval": Consumer(("trackeval>=1.3",), "check_trackeval.py", False),
    "fiftyone": Consumer(("fiftyone>=1.7",), "check_fiftyone.py", False),
}


UNITS = {"vtt": "s", "srt": "s", "otio": "frames", "edl": "frames"}


def main() -> int:
    """Run the checks; 0 unless one fails."""
    parser = argparse.ArgumentParser(prog="tests.interop", description=__doc__.partition("\n")[0])
    parser.add_argument("--all", action="store_true", help="run the heavy programs too")
    parser.add_argument("--only", nargs="+", choices=CONSUMERS, help="run these programs")
    parser.add_argument("--environments", type=Path, help="keep the environments in this folder")
    given = parser.parse_args()
    names = given.only or [name for name, one in CONSUMERS.items() if one.light or given.all]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "cases"
        folder.mkdir()
        expected = cases.make(folder)
        tubes = sum(len(case["tubes"]) for case in expected.values())
        print(f"{len(expected)} clips, {tubes} tubes")
        homes = given.environments or Path(scratch) / "environments"
        failed = [name for name in names if not check(CONSUMERS[name], homes / name, folder)]
    print(f"failed: {', '.join(failed)}" if failed else "no complaint")
    return 1 if failed else 0


def check(consumer: Consumer, home: Path, folder: Path) -> bool:
    """Whether the program shows what the tubes say, or cannot be had."""
    started = time.monotonic()
    python = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if reason := _installed(consumer, home, python):
        print(f"{home.name}: skipped, its packages cannot be installed: {reason}")
        return True
    ready = time.monotonic()
    command = [str(python), str(HERE / consumer.script), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    seconds = f"installed in {ready - started:.0f} s, read in {time.monotonic() - ready:.0f} s"
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or not lines:
        print(f"{home.name}: FAILED\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return False
    for form, error in json.loads(lines[-1].removeprefix("RESULT ")).items():
        print(f"{form}: within {error:.6f} {UNITS.get(form.split()[0], 'px')} ({seconds})")
    return True


def _installed(consumer: Consumer, home: Path, python: Path) -> str:
    """Install the packages unless they are there; why that fails, or ""."""
    done = home / "installed"
    if done.is_file() and done.read_text(encoding="utf-8") == " ".join(consumer.packages):
        return ""
    venv.create(home, with_pip=True, clear=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--retries", "1", *consumer.packages]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return f"pip took more than {LIMIT_S} s"
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if line.startswith("ERROR")]
        return (lines or result.stderr.splitlines() or ["pip failed"])[0][:300]
    done.write_text(" ".join(consumer.packages), encoding="utf-8")
    return ""


if __name__ == "__main__":
    sys.exit(main())

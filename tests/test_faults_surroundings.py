"""``cospal ground`` as a process in surroundings where much is missing: no home, no terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import media

ARGS = ["ground", "clip.mp4", "the person in red", "--detections", "boxes.jsonl"]
MODULE = [sys.executable, "-m", "cospal_cli", *ARGS]
BARE = {"PATH": os.environ["PATH"]}  # and nothing else: no HOME, no USER, no LANG


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with a clip and boxes for it."""
    media.make(tmp_path / "clip.mp4", 10)
    lines = [
        {"frame": n, "boxes": [[4 + n, 10, 24 + n, 40]], "scores": [0.9], "labels": ["person"]}
        for n in range(10)
    ]
    (tmp_path / "boxes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def places(folder: Path) -> dict[str, str]:
    """Variables that name a home and caches which nobody can write to, root included."""
    (folder / "plain").write_text("a file, not a folder")
    names = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HF_HOME", "TMPDIR")
    return dict.fromkeys(names, str(folder / "plain" / "home"))


@pytest.mark.parametrize("kind", ["bare", "unwritable", "odd"])
def test_results_are_the_same_in_poor_surroundings(folder: Path, kind: str) -> None:
    env = dict(BARE)
    if kind == "unwritable":
        env |= places(folder)
    if kind == "odd":  # a comma in numbers, a locale that is not there, a terminal that is none
        env |= {"LC_ALL": "de_DE.UTF-8", "LANG": "xx_YY", "TERM": "no-such", "COLUMNS": "x"}
        env |= {"PYTHONIOENCODING": "ascii", "TZ": "Nowhere/None"}
    done = subprocess.run(MODULE, cwd=folder, env=env, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads((folder / "clip.tube.json").read_bytes())
    assert len(found["tubes"][0]["boxes"]) == 10
    assert (folder / "clip.tube.mp4").stat().st_size > 500
    assert done.stdout == b""
    assert b"\x1b" not in done.stderr
    assert b"\r" not in done.stderr  # no bar where there is no terminal


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="terminals as on Unix")
@pytest.mark.parametrize("term", ["dumb", "xterm"])
def test_a_dumb_terminal_gets_no_escapes(folder: Path, term: str) -> None:
    outer, inner = pty.openpty()
    env = {**BARE, "TERM": term}
    child = subprocess.Popen(MODULE, cwd=folder, env=env, stderr=inner, stdout=inner)
    os.close(inner)
    said = b""
    until = time.monotonic() + 120
    while select.select([outer], [], [], max(0.0, until - time.monotonic()))[0]:
        try:
            new = os.read(outer, 1 << 16)
        except OSError:  # Linux says so when the last holder has left
            break
        if not new:
            break
        said += new
    assert child.wait(timeout=60) == 0, said
    assert b"clip.tube.json" in said
    assert (b"\x1b" in said) == (term == "xterm")
    os.close(outer)

"""The README's walk-through, line by line, on a set that is small enough for a test."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import av

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SMALLER = {
    "data synthetic": ["--seconds", "4..6", "--size", "192x128"],
    "train": ["--epochs", "2", "--batch", "4", "--threads", "1"],
}


def lines() -> list[list[str]]:
    """The commands of the block that begins with the synthetic set, as words."""
    blocks = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    block = next(one for one in blocks if one.startswith("cospal data synthetic"))
    return [shlex.split(line, comments=True) for line in block.replace("\\\n", " ").splitlines()]


def small(words: list[str]) -> list[str]:
    """``words`` for a dozen videos and a moment of training."""
    more = next((m for name, m in SMALLER.items() if " ".join(words[1:]).startswith(name)), [])
    return ["12" if word == "600" else word for word in words[1:]] + more


def test_from_nothing_to_a_grounded_video(tmp_path: Path) -> None:
    done = {}
    for words in lines():
        command = [sys.executable, "-m", "cospal_cli", *small(words)]
        environ = os.environ | {"OMP_NUM_THREADS": "1"}
        found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environ)
        assert found.returncode == 0, (words, found.stderr)
        done[words[1]] = found
    assert (tmp_path / "runs/first/last/model.safetensors").is_file()
    assert (tmp_path / "runs/first/training.png").read_bytes().startswith(b"\x89PNG")
    assert "SYNTHETIC" in done["evaluate"].stdout
    for method in ("cospal", "random", "w-gdino", "zero-shot"):
        assert re.search(rf"^{method} +\d", done["evaluate"].stdout, re.MULTILINE), method
    tube = json.loads((tmp_path / "00002_s0n2.tube.json").read_text(encoding="utf-8"))
    assert [one["text"] for one in tube["heads"]["curves"]] == ["picks up a package"]
    assert len(tube["tubes"][0]["boxes"]) > 0
    with av.open(str(tmp_path / "00002_s0n2.tube.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == tube["video"]["frames_decoded"]

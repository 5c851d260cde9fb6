"""``examples/batch.sh`` and the lines of completion do what the documentation says."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import media

ROOT = Path(__file__).parent.parent
COSPAL = shlex.join([sys.executable, "-m", "cospal_cli"])


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_example_runs(tmp_path: Path) -> None:
    (tmp_path / "my clips").mkdir()
    for name in ("one.mp4", "an other.mp4"):
        media.make(tmp_path / "my clips" / name)
    (tmp_path / "out").mkdir()
    environment = os.environ | {"COSPAL": COSPAL, "PYTHONPATH": str(ROOT)}
    environment |= {"COSPAL_ENGINE_NAME": "serial"}
    script = ["bash", str(ROOT / "examples" / "batch.sh"), "my clips", "out"]
    done = subprocess.run(
        script, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["2"]
    for folder in ("folder", "found", "parts"):
        found = {path.name for path in (tmp_path / "out" / folder).rglob("*.tube.json")}
        assert found == {"one.tube.json", "an other.tube.json"}, folder
    (first, _) = sorted((tmp_path / "out" / "table").rglob("*.left.tube.json"))
    assert json.loads(first.read_text())["query"]["id"] == "left"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_as_documented(shell: str) -> None:
    page = (ROOT / "docs" / "use.md").read_text(encoding="utf-8")
    assert f"_COSPAL_COMPLETE={shell}_source cospal" in page
    code = "import sys; sys.argv[0] = 'cospal'; from cospal_cli.cli import main; main()"
    environment = os.environ | {"_COSPAL_COMPLETE": f"{shell}_source"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, cwd=ROOT
    )
    if "bash" in done.stderr.lower() and shell == "bash":  # none, or one that is too old
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    assert "_COSPAL_COMPLETE" in done.stdout
    words = {"COMP_WORDS": "cospal ground --skip", "COMP_CWORD": "2"}
    environment = os.environ | words | {"_COSPAL_COMPLETE": f"{shell}_complete"}
    if shell == "fish":
        environment |= {"COMP_WORDS": "cospal ground", "COMP_CWORD": "--skip"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, cwd=ROOT
    )
    assert "--skip-existing" in done.stdout, done.stderr

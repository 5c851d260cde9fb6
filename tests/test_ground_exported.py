"""``cospal ground`` with exported heads: no torch, and the tube that torch gives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cospal_exporters.onnx import ExportPlan, export
from cospal_exporters.verify import Evaluation

from cospal_cli.cli import run

TEXT = "the man in red walks to the left and jumps"
PROGRAM = """
import sys
from cospal_cli.cli import run
code = run(["ground", "--json", *sys.argv[1:]])
heavy = {"torch", "transformers", "onnx", "cospal_exporters"} & set(sys.modules)
assert not heavy, heavy
sys.exit(code)
"""


@pytest.fixture(scope="module")
def graphs(data: Path, heads: Path) -> Path:
    folder = heads.with_name("exported")
    evaluation = Evaluation(data / "prepared", data)
    report = export(ExportPlan(heads, folder, evaluation=evaluation))
    told = report["precisions"]["fp32"]
    assert told["task"]["same"] == 1
    assert told["task"]["samples"] > 0
    assert told["accuracy"]["samples"] > 0
    assert set(told["accuracy"]["drop"].values()) == {0}
    return folder


def test_the_tube_is_that_of_torch_and_torch_is_not_imported(
    data: Path, heads: Path, graphs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    video = sorted((data / "videos").glob("*.mp4"))[0]
    boxes = str(data / "detections" / f"{video.stem}.jsonl")
    arguments = [str(video), TEXT, "--detections", boxes]
    assert run(["ground", "--json", *arguments, "--checkpoint", str(heads)]) == 0
    expected = json.loads(capfd.readouterr().out)
    words = [*arguments, "--checkpoint", str(graphs), "--runtime", "onnx", "--provider", "cpu"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    (one,), (other,) = found["tubes"], expected["tubes"]
    for key in ("id", "start_time", "end_time"):
        assert one[key] == pytest.approx(other[key], abs=1e-4)
    assert one["why"] == pytest.approx(other["why"], abs=1e-4)
    assert found["heads"]["features"] == expected["heads"]["features"]


def test_a_runtime_without_heads_is_refused(
    heads: Path, graphs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["ground", "x.mp4", "a man", "--runtime", "onnx"]) == 2
    assert "--runtime and --provider need trained heads" in capfd.readouterr().err


def test_features_of_another_training_are_refused_with_both_sides(
    data: Path, graphs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    video = sorted((data / "videos").glob("*.mp4"))[0]
    boxes = str(data / "detections" / f"{video.stem}.jsonl")
    arguments = [str(video), TEXT, "--detections", boxes, "--checkpoint", str(graphs)]
    assert run(["ground", "--json", *arguments, "--set", "clips.fps=4"]) == 2
    told = capfd.readouterr().err
    assert "clips.fps: trained on 2" in told
    assert "found 4" in told

"""What cospal 0.1.0 wrote is still read, and means what it meant (see the folder's README.txt)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cospal_cli.cli import cli

FOLDER = Path(__file__).parent / "fixtures" / "v0_1_0"
SENTENCE = "The woman wearing the yellow pullover and the purple trousers goes to the left."


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy of everything, to be written to."""
    shutil.copytree(FOLDER, tmp_path / "old")
    return tmp_path / "old"


def run(*arguments: str | Path) -> str:
    """stdout of one command; AssertionError unless it ends with 0."""
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_its_checkpoint_gives_its_tube(old: Path) -> None:
    pytest.importorskip("torch")
    name = "00002_s0n2"
    text = run(
        *("ground", old / f"set/videos/{name}.mp4", SENTENCE, "--no-video", "--json"),
        *("--detections", old / f"set/detections/{name}.jsonl"),
        *("--checkpoint", old / "checkpoint"),
    )
    found, wanted = (json.loads(t)["tubes"][0] for t in (text, (old / "ground.json").read_text()))
    assert found["boxes"] == wanted["boxes"]
    assert found["score"] == pytest.approx(wanted["score"], abs=1e-4)
    assert [found[key] for key in ("start_time", "end_time", "start_frame", "end_frame")] == [
        wanted[key] for key in ("start_time", "end_time", "start_frame", "end_frame")
    ]


def test_its_prepared_folder_gives_its_figures(old: Path) -> None:
    pytest.importorskip("torch")
    run(
        *("evaluate", "--data", old / "set", "--checkpoint", old / "checkpoint"),
        *("--method", "all", "-o", old / "again"),
    )
    found = json.loads((old / "again" / "evaluation.json").read_text())
    wanted = json.loads((old / "evaluation.json").read_text())
    del found["methods"]["combined"]  # there was none
    assert found["methods"] == wanted["methods"]
    for name in ("cospal", "zero-shot"):
        files = [folder / f"{name}.predictions.json" for folder in (old / "again", old)]
        again, before = (json.loads(file.read_text()) for file in files)
        assert again == before


RECIPE = """
model: {dim: 16, ffn: 16, temporal_layers: 1, noise: 0.3, width_divisor: 6, sees: subject}
temporal: {hidden: words}
curriculum: {name: sps, limits: [4, 7], epochs: [1, 0, 1]}
train: {batch: 2, lr: 0.0015, spatial_lr: 0.001, warmup: 400, save_every: 200}
"""


def test_its_training_goes_on(old: Path) -> None:
    """With the recipe that it had: today's is another."""
    pytest.importorskip("accelerate")
    out = old / "run"
    shutil.copytree(old / "checkpoint", out / "last")
    shutil.copy(old / "metrics.jsonl", out)
    (old / "recipe.yaml").write_text(RECIPE)
    run("train", "--data", old / "set", "--out", out, "--resume", "--config", old / "recipe.yaml")
    assert json.loads((out / "last" / "trainer.json").read_text())["update"] == 4


def test_its_name_of_the_validation_is_read(old: Path, caplog: pytest.LogCaptureFixture) -> None:
    from cospal_cli.model.checkpoint import load_metadata
    from cospal_cli.prepared.folder import Prepared
    from cospal_cli.training import metrics

    prepared = Prepared.open(old / "set" / "prepared")
    assert [len(prepared.samples(part)) for part in ("fit", "validation")] == [2, 1]
    assert "loss" in load_metadata(old / "checkpoint").trained["validation"]
    assert [line["kind"] for line in metrics.read(old)] == ["train", "validation"] * 2
    assert not caplog.messages  # nobody typed those names

"""Heads that learn by contrast, without clips, the whole way; and who needs clips is told so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cospal_cli.cli import run
from cospal_cli.datasets.synthetic.recipe import Recipe
from cospal_cli.datasets.synthetic.write import write_set
from cospal_cli.model.checkpoint import load_metadata
from cospal_cli.prepared.folder import Prepared

TRAINING = (
    "--recipe=none", "--set=temporal.objective=contrast", "--set=model.dim=16",
    "--set=curriculum.name=none", "--set=curriculum.limits=", "--epochs=1", "--batch=2",
)  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "set"
    recipe = Recipe(seed=5, size=(160, 96), fps=6, seconds=(4, 5), actors=(2, 3), test=0.2)
    assert write_set(recipe, root, 6) is not None
    prepare = ["data", "prepare", str(root), "--video-encoder=none", "--jobs=1"]
    assert run([*prepare, "--set=features.frames=8"]) == 0
    return root


def test_train_evaluate_and_ground(
    root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "--data", str(root), "--out", str(tmp_path / "run"), *TRAINING]) == 0
    heads = tmp_path / "run" / "best"
    assert load_metadata(heads).sizes.clips == 1
    assert run(["evaluate", "--data", str(root), f"--checkpoint={heads}"]) == 0
    capfd.readouterr()
    video = next(iter(sorted((root / "videos").iterdir())))
    boxes = root / "detections" / f"{video.stem}.jsonl"
    words = ["ground", str(video), "the man who waves", f"--checkpoint={heads}", "--json"]
    assert run([*words, f"--detections={boxes}"]) == 0
    heads_told = json.loads(capfd.readouterr().out)["heads"]
    assert heads_told["features"]["clips"]["name"] == "none"
    assert [one["text"] for one in heads_told["curves"]] == ["waves"]


@pytest.mark.parametrize("setting", ["temporal.objective=reconstruct", "model.temporal_input=both"])
def test_heads_that_read_clips_are_refused(
    setting: str, root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    words = ["train", "--data", str(root), "--out", str(out), *TRAINING, f"--set={setting}"]
    assert run(words) == 2
    error, hint = capfd.readouterr().err.strip().splitlines()[-2:]
    assert f"no clips were encoded (clips.name=none), which {setting} needs" in error
    assert "prepare the data set again" in hint


def test_a_synthetic_set_is_prepared_without_clips_unless_they_are_named(
    root: Path, tmp_path: Path
) -> None:
    own, named = tmp_path / "own", tmp_path / "named"
    usual = ["data", "prepare", str(root), "--jobs=1", "--set=features.frames=8", "--out"]
    for _ in range(2):  # and so it is again, where it was begun
        assert run([*usual, str(own)]) == 0
    assert not Prepared.open(own).spec.has_clips
    clips = ["--set=clips.fps=1", "--set=clips.frames=1", "--set=clips.stride=1"]
    assert run([*usual, str(named), *clips]) == 0
    assert Prepared.open(named).spec.has_clips

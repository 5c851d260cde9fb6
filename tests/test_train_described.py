"""Described tubelets, the whole way: Grounding DINO of the real class, tiny and random, prepared,
trained on by the contrast, evaluated and asked."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from cospal_cli.cli import run
from cospal_cli.features.spec import DETECTOR, DETECTOR_1
from cospal_cli.features.tubelets import MOVES
from cospal_cli.model.checkpoint import load_metadata
from cospal_cli.outputs import tube_json
from cospal_cli.prepared.folder import Prepared, read_about, write_about
from tests import tiny_models
from tests.data_folders import NAMES, hcstvg, v1, write

D = 32  # of the tiny model's own vectors
SENTENCES = (
    "The man in the hat points to the front.",
    "The woman in red walks to the door and sits down.",
    "The boy jumps.",
)
PREPARING = (
    "--detector=grounding-dino", "--set=detector.threshold=0.3", "--set=video.fps=2",
    "--set=tracker.name=botsort", "--set=tracker.min_observations=1", "--set=clips.fps=1",
    "--set=clips.frames=1", "--set=clips.stride=1", "--set=features.max_tubelets=5",
)  # fmt: skip
TRAINING = (
    "--set=temporal.objective=contrast", "--set=model.dim=16", "--set=curriculum.name=none",
    "--set=curriculum.limits=", "--epochs=2", "--batch=2",
)  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.save_grounding_dino(tmp_path_factory.mktemp("models") / "dino")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Path:
    told = {name: v1(caption=text) for name, text in zip(NAMES, SENTENCES, strict=True)}
    root = hcstvg(tmp_path_factory.mktemp("data") / "set", told)
    write(root / "test.json", {NAMES[0]: v1()})
    assert run(["data", "prepare", str(root), f"--detector-model={model}", *PREPARING]) == 0
    return root


def test_the_heads_know_who_apart_from_when(
    root: Path, model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    prepared = Prepared.open(root / "prepared")
    assert prepared.identity["tubelets"]["name"] == DETECTOR
    assert prepared.sizes.tubelets == D + MOVES
    assert run(["train", "--data", str(root), "--out", str(tmp_path / "run"), *TRAINING]) == 0
    heads = tmp_path / "run" / "best"
    sizes = load_metadata(heads).sizes
    assert (sizes.tubelets, sizes.appearance, sizes.motion) == (D + MOVES, D, MOVES)

    evaluate = ["evaluate", "--data", str(root), "--split=test", f"--checkpoint={heads}"]
    assert run(evaluate) == 0
    capfd.readouterr()
    video = root / "videos" / "part1" / NAMES[1]
    asked = ["ground", str(video), SENTENCES[1], f"--checkpoint={heads}", "--json"]
    assert run([*asked, f"--detector-model={model}"]) == 0
    document = json.loads(capfd.readouterr().out)
    jsonschema.Draft202012Validator(tube_json.schema()).validate(document)
    told = document["heads"]
    assert [one["text"] for one in told["curves"]] == ["walks", "sits down"]
    assert (told["proposals"], told["parts"]) == ([], [])
    for curve in told["curves"]:
        assert len(curve["times"]) == len(curve["log_odds"]) == 32
        assert any(one is not None for one in curve["log_odds"])
        assert 0 < curve["times"][0] < curve["times"][-1] < document["video"]["duration"]
    sample = next(one for one in prepared.samples("train") if one.text == SENTENCES[1])
    assert len(told["tubelets"]) == sample.tubelets == 5


def test_what_0_1_prepared_has_no_motion_and_is_refused(
    root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its vectors are those of the detector alone; the other objective still learns from them."""
    about = read_about(root / "prepared")
    assert about is not None
    former = {**about["identity"]["tubelets"], "name": DETECTOR_1}
    folder = tmp_path / "former"
    folder.mkdir()
    for part in ("videos", "splits", "texts"):
        (folder / part).symlink_to(root / "prepared" / part)
    write_about(folder, about | {"identity": about["identity"] | {"tubelets": former}})
    data = ["train", "--data", str(root), "--prepared", str(folder), "--out", str(tmp_path / "run")]
    assert run([*data, *TRAINING]) == 2
    error, hint = capfd.readouterr().err.strip().splitlines()[-2:]
    assert "no motion apart from their appearance" in error
    assert "temporal.objective=contrast needs" in error
    assert "prepare the data set again" in hint

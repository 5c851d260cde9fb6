"""What a classifier makes of tubelets' crops, as inputs of the heads, the whole way."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cospal_cli.cli import run
from cospal_cli.core.tubelets import Tubelet
from cospal_cli.datasets.synthetic.recipe import Recipe
from cospal_cli.datasets.synthetic.write import write_set
from cospal_cli.features.appearance import FEATURES
from cospal_cli.features.spec import FeatureSpec, video_settings
from cospal_cli.features.tubelets import COLOURS, DIM, MOVES, tubelet_features
from cospal_cli.model.checkpoint import load_metadata
from cospal_cli.prepared.folder import Prepared
from cospal_cli.settings import AppearanceConfig, Config, FeaturesConfig

TRAINING = (
    "--recipe=none", "--set=temporal.objective=contrast", "--set=model.dim=16",
    "--set=curriculum.name=none", "--set=curriculum.limits=", "--epochs=1", "--batch=2",
)  # fmt: skip
ON = FeaturesConfig(frames=4, crops=True)


class Model:
    model_id, model_sha256, dim, map_dim = "m", "f" * 64, 5, 3


def tubelet(**other: object) -> Tubelet:
    at = np.arange(8)
    boxes = np.tile(np.array([10, 10, 50, 90], np.float32), (8, 1))
    ones = np.ones(8, np.float32)
    seen = np.ones(8, bool)
    return Tubelet(1, at, at / 10, boxes, ones, seen, np.ones(1, np.float32), **other)


def features(one: Tubelet, config: FeaturesConfig = ON) -> np.ndarray:
    def shown_of(asked: Tubelet) -> np.ndarray:
        assert asked is one
        return np.arange(FEATURES, dtype=np.float32)

    return tubelet_features([one], (100, 100), 0, 0.8, config, ("a",), ("a",), shown_of)[0]


def test_they_stand_first_and_are_the_same_at_all_times() -> None:
    found, bare = features(tubelet()), features(tubelet(), replace(ON, crops=False))
    np.testing.assert_array_equal(found[..., FEATURES:], bare)
    rows = found[0, :, :FEATURES]
    np.testing.assert_allclose(rows[0], np.arange(FEATURES) / 0.37, rtol=1e-5)
    np.testing.assert_array_equal(rows, np.tile(rows[0], (4, 1)))


def test_a_detector_that_describes_its_boxes_needs_none() -> None:
    own = np.ones((8, 6), np.float16)
    assert features(tubelet(features=own)).shape[-1] == 6 + MOVES


def test_the_spec_says_so() -> None:
    plain, other = Config(), replace(Config(), features=ON)
    specs = [FeatureSpec.of(one, Model(), Model(), Model()) for one in (plain, other)]
    assert specs[1].sides == (FEATURES + COLOURS, MOVES)
    assert specs[1].parts["tubelets"]["dim"] == DIM + FEATURES
    assert "tubelets.shown: trained on nothing" in "; ".join(specs[0].differences(specs[1]))
    asked = specs[1].apply_to(replace(Config(), appearance=AppearanceConfig(crops=9)))
    assert (asked.features.crops, asked.appearance.crops) == (True, 3)
    assert FeatureSpec.of(other, Model(), Model(), Model(), 256).sides == (256, MOVES)
    assert not any("crops" in key for key in video_settings(plain))
    assert video_settings(other)["features.crops"] is True


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "set"
    recipe = Recipe(seed=5, size=(160, 96), fps=6, seconds=(4, 5), actors=(2, 3), test=0.2)
    assert write_set(recipe, root, 6) is not None
    prepare = ["data", "prepare", str(root), "--video-encoder=none", "--jobs=1"]
    assert run([*prepare, "--set=features.frames=8", "--set=features.crops=true"]) == 0
    return root


def test_they_reach_training_and_the_question(
    root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "--data", str(root), "--out", str(tmp_path / "run"), *TRAINING]) == 0
    heads = tmp_path / "run" / "best"
    sizes = load_metadata(heads).sizes
    assert (sizes.appearance, sizes.motion) == (FEATURES + COLOURS, MOVES)
    prepared = Prepared.open(root / "prepared")
    shown = prepared.features(prepared.samples("train")[0])
    who = shown.tubelets[shown.tubelet_mask][:, :FEATURES]
    assert 0.3 < np.sqrt((who**2).mean()) < 3
    capfd.readouterr()
    video = next(iter(sorted((root / "videos").iterdir())))
    boxes = root / "detections" / f"{video.stem}.jsonl"
    words = ["ground", str(video), "the man who waves", f"--checkpoint={heads}", "--json"]
    assert run([*words, f"--detections={boxes}"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["heads"]["features"]["tubelets"]["shown"] == FEATURES
    assert told["tubes"]
    assert run([*words, f"--detections={boxes}", "--set=features.crops=false"]) == 2
    assert "tubelets.shown: trained on " in capfd.readouterr().err

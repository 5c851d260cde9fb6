"""The whole way from a real clip to tubes, and what a scene keeps."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cospal_cli.config import Config
from cospal_cli.detect import open_detector
from cospal_cli.language.parser.parse import parse
from cospal_cli.pipeline import Scene, ground_query, watch

CLIP = Path(__file__).parent.parent / "examples" / "bikes.mp4"
CONFIG = replace(Config(), video=replace(Config().video, start="4.2s", end="5.4s"))


@pytest.fixture(scope="module")
def scene() -> Scene:
    return watch(CLIP, CONFIG, open_detector(CONFIG.detector))


def test_the_cyclist_of_the_example(scene: Scene) -> None:
    (tube,) = ground_query(scene, parse("the cyclist in the black shirt"), CONFIG)
    assert tube.label == "person"
    middle = tube.boxes_xyxy[len(tube.boxes_xyxy) // 2]
    np.testing.assert_allclose(middle, [345, 8, 482, 268], atol=25)
    assert tube.frame_indices.tolist() == list(
        range(tube.frame_indices[0], tube.frame_indices[-1] + 1)
    )


def test_appearance_is_kept_and_the_classifier_let_go(scene: Scene) -> None:
    candidate = max(scene.candidates, key=lambda c: c.size)
    assert scene.looks_of(candidate).sum() == pytest.approx(1, abs=1e-3)
    assert scene.embedding_of(candidate).shape == (1280,)
    kept = scene.looks_of(candidate)
    scene.release()
    assert scene.looks_of(candidate) is kept


def test_a_tubelet_without_pictures_has_no_looks(scene: Scene) -> None:
    candidate = scene.candidates[0]
    unseen = replace(candidate, tubelet=replace(candidate.tubelet, id=-1, track_ids=()))
    assert scene.looks_of(unseen).max() == 0


def test_stopping_ends_the_pass_early() -> None:
    stopped = watch(CLIP, Config(), open_detector(Config().detector), stopped=lambda: True)
    assert stopped.interrupted
    assert 0 < stopped.timeline.end_s < 3


def test_the_same_twice(scene: Scene) -> None:
    again = watch(CLIP, CONFIG, open_detector(CONFIG.detector))
    assert len(again.tubelets) == len(scene.tubelets)
    for one, other in zip(scene.tubelets, again.tubelets, strict=True):
        np.testing.assert_array_equal(one.boxes_xyxy, other.boxes_xyxy)

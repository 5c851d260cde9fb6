"""BoT-SORT's own part: looks as vectors, and when they count."""

from __future__ import annotations

import numpy as np
import pytest

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.tubelets import BoxColours, Detections
from cospal_cli.settings import BotSortConfig, SettingError, TrackerConfig
from cospal_cli.track import open_tracker

SIZE = (1280, 720)
IMAGE = np.zeros((36, 64, 3), np.uint8)
RED, BLUE = np.eye(4)[[0, 1]]
STRIPES = np.tile(np.array([40, 215], np.uint8), (4, 2))


def boxes(*lefts: float) -> FloatArray:
    """Standing boxes, 100 wide."""
    return np.array([[x, 200, x + 100, 500] for x in lefts], np.float32)


def frame(index: int, at: FloatArray, features: FloatArray | None, score: float) -> Detections:
    scores = np.full(len(at), score, np.float32)
    if features is not None:
        features = features.astype(np.float32)
    labels = np.zeros(len(at), np.int64)
    return Detections(index, at, scores, labels, scores[:, None], features)


def grays(count: int) -> BoxColours:
    """Looks that tell nothing."""
    return BoxColours(np.zeros((count, 2, 4), np.uint8), np.zeros((count, 4, 4), np.uint8))


def told_apart(
    features: FloatArray | None,
    colours: BoxColours,
    score: float = 0.8,
    inward: float = 30,
    mistaken: int = -1,
    **settings,
) -> bool:
    """Whether two people side by side are told apart by looks, against what their places say.

    They stand at 300 and 350; then each is seen ``inward`` pixels nearer to where the other stood,
    with ``score``, and in the other order. In frame ``mistaken`` their features are swapped.
    """
    tracker = open_tracker(
        TrackerConfig(name="botsort", botsort=BotSortConfig(**settings)), SIZE, ["man"]
    )
    back = np.array([1, 0])
    other = None if features is None else features[back]
    for step in range(6):
        given = other if step == mistaken else features
        first = tracker.update(frame(step, boxes(300, 350), given, 0.8), step / 10, colours, IMAGE)
        assert first.tolist() == [0, 1]
    at = boxes(350 - inward, 300 + inward)
    last = tracker.update(frame(6, at, other, score), 0.6, colours.take(back), IMAGE)
    assert sorted(last.tolist()) == [0, 1]
    return last.tolist() == [1, 0]


def test_features_of_the_detector_settle_what_place_leaves_open():
    features = np.eye(8)[[0, 1]]
    assert told_apart(features, grays(2)) is True
    assert told_apart(None, grays(2)) is False
    assert told_apart(np.eye(8)[[0, 0]], grays(2)) is False


@pytest.mark.parametrize("tell", ["colours", "thumbs"])
def test_without_features_colours_and_thumbnails_do(tell):
    colours = grays(2)
    if tell == "colours":
        colours.shares[:] = (np.stack([RED, BLUE])[:, None] * 255).astype(np.uint8)
    else:
        colours.thumbs[:] = np.stack([STRIPES, STRIPES.T])
    assert told_apart(None, colours) is True


def test_looks_do_not_count_beyond_the_gates_nor_for_weak_detections():
    features = np.eye(8)[[0, 1]]
    assert told_apart(features, grays(2), appearance_threshold=0) is False
    assert told_apart(features, grays(2), proximity_threshold=0.05) is False
    assert told_apart(features, grays(2), score=0.2) is False


def test_a_feature_that_is_no_number_leaves_place_to_decide():
    assert told_apart(np.full((2, 8), np.nan), grays(2), inward=10) is True


def test_one_mistaken_sight_is_not_what_is_remembered():
    assert told_apart(np.eye(8)[[0, 1]], grays(2), mistaken=5) is True


@pytest.mark.parametrize("key", ["appearance_threshold", "proximity_threshold"])
def test_gates_have_a_range(key):
    with pytest.raises(SettingError, match=f"tracker.botsort.{key}"):
        BotSortConfig(**{key: -0.1})

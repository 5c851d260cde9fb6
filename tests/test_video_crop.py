"""The window that follows: even, inside the frame, around the box, and steady."""

from __future__ import annotations

import numpy as np
import pytest

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.tube import Tube
from cospal_cli.video.crop import CropPath, crop_path


def tube(boxes: FloatArray, fps: float = 25) -> Tube:
    count = len(boxes)
    return Tube(
        id=1,
        frame_indices=np.arange(count),
        pts=np.arange(count) * 10,
        times_s=np.arange(count) / fps,
        boxes_xyxy=boxes.astype(np.float32),
        box_scores=np.ones(count, np.float32),
        interpolated=np.zeros(count, np.bool_),
        span_s=(0.0, count / fps),
        score=0.5,
    )


def around(centres: np.ndarray, sides: tuple[float, float]) -> FloatArray:
    half = np.array(sides) / 2
    return np.concatenate([centres - half, centres + half], axis=1)


def shares(path: CropPath, boxes: FloatArray) -> np.ndarray:
    """How much of each box the window shows."""
    low = np.maximum(path.corners, boxes[:, :2])
    high = np.minimum(path.corners + path.size, boxes[:, 2:])
    return np.clip(high - low, 0, None).prod(axis=1) / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)


@pytest.mark.parametrize("frame", [(64, 48), (63, 47), (176, 144), (1080, 1920), (3840, 2160)])
def test_any_tube_gets_an_even_window_inside_the_frame(frame: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    for _ in range(60):
        count = int(rng.integers(1, 120))
        steps = rng.normal(0, 0.03, (count, 2)).cumsum(axis=0) + rng.uniform(-0.1, 1.1, 2)
        sides = rng.uniform(0.01, 1.3, 2) * frame
        boxes = around(steps * frame, (float(sides[0]), float(sides[1])))
        path = crop_path(tube(boxes), frame, float(rng.choice([1, 1, 2, 0.5])))
        assert path.size[0] % 2 == path.size[1] % 2 == 0
        assert 2 <= path.size[0] <= frame[0]
        assert 2 <= path.size[1] <= frame[1]
        assert (path.corners >= 0).all()
        assert (path.corners + path.size <= frame).all()
        assert len(path.corners) == count


def test_the_window_stands_still_while_a_box_only_trembles() -> None:
    rng = np.random.default_rng(5)
    boxes = around(np.array([300, 200]) + rng.normal(0, 3, (100, 2)), (80, 160))
    path = crop_path(tube(boxes + rng.normal(0, 3, boxes.shape)), (640, 360))
    assert np.abs(np.diff(path.corners, axis=0)).max() <= 1
    assert np.ptp(path.corners, axis=0).max() <= 3


def test_the_window_follows_a_walk_evenly() -> None:
    """From left to right in four seconds, with tremor: it moves about as fast, without jerks."""
    rng = np.random.default_rng(6)
    x = np.linspace(80, 560, 100)
    boxes = around(np.stack([x, np.full(100, 180.0)], axis=1), (60, 150))
    path = crop_path(tube(boxes + rng.normal(0, 2, boxes.shape)), (640, 360))
    assert (shares(path, boxes) > 0.97).all()
    moves = np.diff(path.corners[:, 0])
    assert (moves >= 0).all()
    assert moves.max() <= 8  # the walk's own 4.8 a frame, and little more
    assert np.abs(np.diff(moves)).max() <= 2
    assert np.abs(np.diff(path.corners[:, 1])).max() <= 1


def test_a_jump_is_followed_and_a_box_larger_than_the_frame_is_too() -> None:
    centres = np.repeat([[100.0, 100.0], [500.0, 250.0]], 50, axis=0)
    boxes = around(centres, (60, 100))
    path = crop_path(tube(boxes), (640, 360))
    assert (shares(path, boxes)[:44] == 1).all()
    assert (shares(path, boxes)[56:] == 1).all()
    whole = crop_path(tube(around(centres, (900, 700))), (641, 361))
    assert whole.size == (640, 360)
    assert (whole.corners == 0).all()


def test_windows_are_neither_thin_nor_tiny() -> None:
    still = np.repeat([[320.0, 180.0]], 30, axis=0)
    width, height = crop_path(tube(around(still, (20, 200))), (640, 360)).size
    assert height / width <= 16 / 9 + 0.05
    assert min(crop_path(tube(around(still, (4, 4))), (640, 360)).size) >= 64
    wide, tall = crop_path(tube(around(still, (10, 200))), (640, 360), aspect=2.0).size
    assert tall / (2 * wide) <= 16 / 9 + 0.05


def test_before_and_after_the_tube_the_window_waits() -> None:
    boxes = around(np.stack([np.linspace(80, 560, 50), np.full(50, 180.0)], axis=1), (60, 150))
    path = crop_path(tube(boxes), (640, 360))
    assert path.corner(-500) == tuple(path.corners[0].tolist())
    assert path.corner(9999) == tuple(path.corners[-1].tolist())
    assert path.corner(205) == tuple(path.corners[20].tolist())

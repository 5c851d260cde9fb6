"""Looks, motion and crops on pixels that encode the answer."""

import numpy as np
import pytest

from cospal_cli.core.colours import NAMES, REGIONS
from cospal_cli.core.tubelets import BoxColours, Tubelet
from cospal_cli.features.box_colours import box_colours, smaller
from cospal_cli.features.crops import KEPT, CropKeeper, pictures
from cospal_cli.features.motion import motion


def tubelet(times: np.ndarray, boxes: np.ndarray, **other: object) -> Tubelet:
    n = len(times)
    return Tubelet(
        1, np.arange(n), times, boxes.astype(np.float32), np.full(n, 0.9, np.float32),
        np.ones(n, bool), np.array([1.0], np.float32), **other,
    )  # fmt: skip


def person(image: np.ndarray, x: int, y: int, width: int, height: int) -> None:
    """A figure with black hair, a red top and blue trousers."""
    parts = [((0, 0, 0), 0, 0.17), ((200, 20, 30), 0.17, 0.52), ((30, 70, 190), 0.52, 1)]
    for colour, top, bottom in parts:
        image[y + int(top * height) : y + int(bottom * height), x : x + width] = colour


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_colours_by_region_at_any_working_size(scale: int) -> None:
    image = np.full((720, 1280, 3), 245, np.uint8)
    person(image, 400, 100, 160, 480)
    colours = box_colours(
        image[::scale, ::scale], np.array([[400, 100, 560, 580.0]], np.float32), (1280, 720)
    )
    best = {r: NAMES[colours.shares[0, i].argmax()] for i, r in enumerate(REGIONS)}
    assert best == {
        "whole": "blue", "upper": "red", "lower": "blue", "head": "black", "feet": "blue"
    }  # fmt: skip


def test_boxes_outside_the_frame_still_look_somewhere() -> None:
    image = np.full((90, 160, 3), 245, np.uint8)
    boxes = np.array([[-50, -50, 5, 5], [150, 80, 400, 300], [30, 30, 30, 30]], np.float32)
    colours = box_colours(image, boxes, (160, 90))
    white = NAMES.index("white")
    assert (colours.shares[:, :, white] == 255).all()
    assert len(box_colours(image, np.zeros((0, 4), np.float32), (160, 90))) == 0


@pytest.mark.parametrize("fps", [5, 10, 25])
@pytest.mark.parametrize("size", [1, 3])
def test_velocity_is_free_of_rate_and_resolution(fps: int, size: int) -> None:
    times = np.arange(0, 4, 1 / fps)
    x = np.where(times < 2, 100, 100 + 150 * (times - 2))
    boxes = size * np.stack([x, x * 0 + 50, x + 50, x * 0 + 150], 1)
    found = motion(tubelet(times, boxes), (640 * size, 360 * size))
    expected = 150 / np.sqrt(50 * 100)
    assert found.velocity[times > 2.4, 0] == pytest.approx(expected, rel=1e-3)
    assert np.abs(found.velocity[times < 1.6]).max() < 1e-3
    assert np.abs(found.growth).max() < 1e-3


def test_camera_motion_is_taken_out_and_growth_seen() -> None:
    times = np.arange(0, 2, 0.1)
    side = 50 * np.exp(0.5 * times)
    boxes = np.stack([200 - side, 180 - side, 200 + side, 180 + side], 1)
    pan = np.stack([80 * times, 0 * times], 1)
    boxes[:, ::2] += pan[:, :1]
    found = motion(tubelet(times, boxes, camera_xy=pan.astype(np.float32)), (640, 360))
    assert np.abs(found.velocity).max() < 1e-3
    assert found.growth == pytest.approx(0.5, abs=1e-3)


def test_who_walks_out_of_the_picture_neither_stops_nor_shrinks() -> None:
    times = np.arange(0, 3, 0.1)
    left = 400 + 100 * times
    boxes = np.stack([left, 0 * times + 100, np.minimum(left + 60, 640), 0 * times + 250], 1)
    found = motion(tubelet(times, boxes), (640, 360))
    scale = np.sqrt(60 * 150)
    assert found.velocity[:, 0] == pytest.approx(100 / scale, rel=0.15)
    assert np.abs(found.growth).max() < 1e-3


def test_inner_motion_sees_limbs_not_exposure() -> None:
    times, rng = np.arange(0, 2, 0.1), np.random.default_rng(0)
    boxes = np.tile([10, 10, 40, 60.0], (20, 1))
    colours = np.zeros((20, len(REGIONS), len(NAMES)), np.uint8)
    brighter = np.tile(np.arange(20, dtype=np.uint8)[:, None, None] * 5, (1, 12, 12))
    waving = rng.integers(0, 255, (20, 12, 12)).astype(np.uint8)
    still, moving = (
        motion(tubelet(times, boxes, colours=BoxColours(colours, thumbs)), (100, 100)).inner
        for thumbs in (brighter, waving)
    )
    assert still.max() < 1e-3 < 1 < moving.min()


def test_one_frame_has_no_motion() -> None:
    found = motion(tubelet(np.zeros(1), np.array([[0, 0, 10, 10]])), (100, 100))
    assert found.speed.tolist() == [0]


def test_crops_stay_few_and_spread() -> None:
    keeper = CropKeeper()
    for frame in range(600):
        image = np.full((90, 160, 3), frame * 255 // 600, np.uint8)
        ids = np.array([7, -1])
        boxes = np.array([[10, 10, 60, 80], [0, 0, 5, 5]], np.float32)
        keeper.update(image, boxes, (160, 90), ids, frame / 10)
    grays = [int(image.mean()) for image in pictures(keeper.finish(), [7], 4)]
    assert len(grays) == 4
    assert grays == sorted(grays)
    assert grays[-1] - grays[0] > 120  # from all over the minute
    assert len(pictures(keeper.finish(), [7], 100)) <= KEPT
    assert pictures(keeper.finish(), [3], 4) == []


def test_large_images_are_averaged_before_they_are_looked_at() -> None:
    image = np.arange(8 * 16 * 3, dtype=np.uint8).reshape(8, 16, 3)
    assert smaller(image, 9) is image
    half = smaller(image, 8)
    assert half.shape == (4, 8, 3)
    assert half[0, 0] == pytest.approx(image[:2, :2].mean(axis=(0, 1)), abs=0.51)

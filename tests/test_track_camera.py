"""Camera motion and shot cuts on synthetic textures."""

import numpy as np
import pytest

from cospal_cli.track.camera import STILL, Camera, CameraMotion, normalise, shrink
from cospal_cli.track.cuts import Shots
from cospal_cli.track.path import CameraPath
from tests.scenes import Actor, background, sample, still, texture, walk

SIZE = (1280, 720)
NO_BOXES = np.empty((0, 4), np.float32)


def view(zoom=1.0, x=0.0, y=0.0, place=0):
    """A 640 x 360 picture of a wide texture; x, y in displayed pixels of ``SIZE``."""
    canvas = texture(place, 1000, 1600)
    u = (np.arange(640) + 0.5 - 320 - x / 2) / zoom + 800
    v = (np.arange(360) + 0.5 - 180 - y / 2) / zoom + 500
    return sample(canvas, v, u).astype(np.uint8)


def moved(first, second, boxes=(NO_BOXES, NO_BOXES)):
    camera = Camera(SIZE)
    camera.update(normalise(shrink(first)), boxes[0], 0.0)
    return camera.update(normalise(shrink(second)), boxes[1], 0.1)


@pytest.mark.parametrize(
    ("zoom", "x", "y"),
    [(1, 10, -6), (1, 60, 10), (1, -160, 20), (1.03, 0, 0), (0.97, 20, 8), (1, 3, 1)],
)
def test_a_moved_texture_gives_its_motion(zoom, x, y):
    motion = moved(view(), view(zoom, x, y))
    corner = motion.apply(np.array([[200, 150], [1000, 600]], np.float32))
    middle = np.array(SIZE) / 2
    true = (np.array([[200, 150], [1000, 600]]) - middle) * zoom + middle + (x, y)
    assert np.abs(corner - true).max() < 2.0


def test_a_masked_foreground_that_moves_the_other_way_is_ignored():
    first, second = view(), view(1, 24, 0)
    stripes = np.tile(np.repeat([20, 230], 10), 12)[None, :, None]
    first[60:340, 300:540] = stripes
    second[60:340, 200:440] = stripes
    boxes = np.array([[600, 120, 1080, 680]], np.float32)
    motion = moved(first, second, (boxes, boxes - np.array([200, 0, 200, 0], np.float32)))
    assert np.abs(np.array(motion.shift) - (24, 0)).max() < 5
    assert motion.zoom == pytest.approx(1, abs=0.01)


def test_one_large_thing_that_moves_is_no_camera_motion():
    first, second = view(), view()
    patch = texture(5, 200, 300).astype(np.uint8)
    first[80:280, 100:400] = patch
    second[80:280, 130:430] = patch
    assert moved(first, second) == STILL


@pytest.mark.parametrize("gray", [0, 128, 255])
def test_a_frame_without_texture_has_no_motion(gray):
    rng = np.random.default_rng(0)
    first, second = (
        np.clip(gray + rng.normal(0, 1.5, (360, 640, 3)), 0, 255).astype(np.uint8) for _ in range(2)
    )
    assert moved(first, second) == STILL


def test_exposure_is_no_motion():
    assert moved(view(), (view() * 0.7).astype(np.uint8)) == STILL


def test_a_slow_pan_adds_up():
    camera, total = Camera(SIZE), 0.0
    for step in range(21):
        shot = normalise(shrink(view(1, 0.8 * step, 0)))
        total += camera.update(shot, NO_BOXES, step * 0.1).shift[0]
    assert total == pytest.approx(16, abs=2)


def test_boxes_over_the_whole_frame_leave_nothing_to_tell():
    whole = np.array([[0, 0, *SIZE]], np.float32)
    assert moved(view(), view(1, 20, 0), (whole, whole)) == STILL


def test_path_to_the_world_and_back():
    path = CameraPath.of([STILL, CameraMotion(1.1, (5, -3)), CameraMotion(0.9, (20, 4))])
    boxes = np.array([[10, 20, 110, 220]], np.float32)
    two = np.array([2])
    there = path.to_frame(two, boxes)
    by_steps = (boxes * 1.1 + np.array([5, -3, 5, -3])) * 0.9 + np.array([20, 4, 20, 4])
    assert there == pytest.approx(by_steps, rel=1e-5)
    assert path.to_world(two, there) == pytest.approx(boxes, abs=1e-3)


def test_what_stands_in_the_world_is_carried_by_the_camera_alone():
    path = CameraPath.of([STILL] + [CameraMotion(1.0, (7, -2))] * 9)
    frames = np.arange(3, 10)
    points = np.array([[100, 200]]) + frames[:, None] * np.array([7, -2])
    carried = path.carried(frames, points.astype(np.float32))
    assert points - carried == pytest.approx(np.tile([100, 200], (7, 1)), abs=1e-3)


def shots_of(images, step_s=0.1):
    shots = Shots()
    found = []
    for i, image in enumerate(images):
        small = shrink(image)
        found.append(shots.update(small, normalise(small), i * step_s))
    return found


def test_a_cut_starts_a_shot():
    images = [view(place=0)] * 3 + [view(place=1)] * 3 + [view(place=2)] * 2
    assert shots_of(images) == [0, 0, 0, 1, 1, 1, 2, 2]


def test_a_flash_gives_the_old_shot_back():
    dark = view(place=0)
    white = np.clip(dark.astype(int) + 230, 0, 255).astype(np.uint8)
    found = shots_of([dark, dark, white, dark, dark])
    assert found[:2] == [0, 0]
    assert found[3:] == [0, 0]


def test_a_pan_is_no_cut():
    camera, shots = Camera(SIZE), Shots()
    for step in range(12):
        small = shrink(view(1, 70 * step - 400, 5 * step))
        gray = normalise(small)
        motion = camera.update(gray, NO_BOXES, step * 0.1)
        assert shots.update(small, gray, step * 0.1, motion) == 0


def test_a_van_that_hides_most_of_the_frame_is_no_cut():
    images = []
    for covered in (0, 150, 330, 500, 500, 300, 100, 0):
        image = view()
        image[:, :covered] = np.array([200, 205, 210])
        images.append(image)
    assert set(shots_of(images)) == {0}


def test_people_walking_by_are_no_cut():
    actors = [Actor(walk((0.2 * i, 0.6), (0.3, 0), (0.25, 0.7)), colour=i) for i in range(3)]
    images = []
    for step in range(10):
        boxes = [actor.path(step / 10) for actor in actors]
        xyxy = np.array([[x - w / 2, y - h / 2, x + w / 2, y + h / 2] for x, y, w, h in boxes])
        clipped = np.clip(xyxy, 0, 1) * np.tile(SIZE, 2)
        images.append(background(0, still(0), actors, np.arange(3), clipped, SIZE))
    assert set(shots_of(images)) == {0}


def test_odd_and_tiny_images_do_not_break():
    for height, width in ((5, 7), (1, 1), (33, 641), (700, 11), (300, 2), (1, 500)):
        rng = np.random.default_rng(height)
        images = [rng.integers(0, 255, (height, width, 3)).astype(np.uint8) for _ in range(3)]
        camera = Camera((width, height))
        for step, image in enumerate(images):
            motion = camera.update(normalise(shrink(image)), NO_BOXES, step * 0.1)
            assert np.isfinite([motion.zoom, *motion.shift]).all()
        assert len(shots_of(images)) == 3

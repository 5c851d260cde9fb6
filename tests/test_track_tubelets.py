"""Linking, filling, smoothing and twins, each on hand-made tracks."""

from __future__ import annotations

import numpy as np
import pytest

from cospal_cli.core.tubelets import BoxColours, Detections
from cospal_cli.settings import TrackerConfig
from cospal_cli.track.camera import STILL, CameraMotion
from cospal_cli.track.history import History
from cospal_cli.track.kinds import Kinds
from cospal_cli.track.tubelets import build, smooth
from tests.scenes import CLASSES

SIZE = (1280, 720)
RED, BLUE = (np.eye(4, dtype=np.uint8)[i] * 255 for i in (0, 1))


def track_row(frames, x, colour=RED, y=300.0, label=0, shot=0, size=(80, 200), score=0.6):
    """One track: its frames, and its centre's x at each."""
    return frames, np.asarray(x, float) * np.ones(len(frames)), colour, y, label, shot, size, score


def tubelets_of(rows, frames=60, step_s=0.1, motion=STILL, **settings):
    history = History()
    for index in range(frames):
        history.frame(10 + 2 * index, index * step_s, motion)
    history.track_shots = [row[5] for row in rows]
    for number, (at, xs, colour, y, label, _, (w, h), score) in enumerate(rows):
        boxes = np.stack([xs - w / 2, 0 * xs + y - h / 2, xs + w / 2, 0 * xs + y + h / 2], axis=1)
        labels = np.full((len(xs), len(CLASSES)), 0.05, np.float32)
        labels[:, label] = score
        found = Detections(
            0,
            boxes.astype(np.float32),
            np.full(len(xs), score, np.float32),
            np.full(len(xs), label),
            labels,
            np.stack([np.full(len(xs), number), at, np.full(len(xs), 1e6)], axis=1),
            (number + np.asarray(at) / 100).astype(np.float32),
        )
        looks = BoxColours(np.tile(colour, (len(xs), 2, 1)), np.zeros((len(xs), 2, 2), np.uint8))
        every = np.arange(len(xs))
        history.add(np.asarray(at), np.full(len(xs), number), every, found, looks)
    tubelets, _ = build(history, Kinds(CLASSES), TrackerConfig(**settings), SIZE)
    return tubelets


FIRST = track_row(range(10), 100 + 10 * np.arange(10))
LATER = track_row(range(20, 30), 300 + 10 * np.arange(10))


def test_two_fragments_of_one_walk_are_linked_and_the_gap_filled():
    (tubelet,) = tubelets_of([FIRST, LATER])
    assert tubelet.track_ids == (0, 1)
    assert tubelet.frame_indices.tolist() == [10 + 2 * i for i in range(30)]
    assert tubelet.observed.sum() == 20
    assert len(tubelet.colours) == 20
    frames = [*range(10), *range(20, 30)]
    assert tubelet.features[:, :2].tolist() == [[int(at >= 20), at] for at in frames]
    assert tubelet.referral == pytest.approx([(at >= 20) + at / 100 for at in frames])
    assert set(tubelet.features[:, 2]) == {np.finfo(np.float16).max}  # no infinity
    middle = tubelet.boxes_xyxy[:, [0, 2]].mean(axis=1)
    assert middle == pytest.approx(100 + 10 * np.arange(30), abs=1)


@pytest.mark.parametrize(
    ("why", "later"),
    [
        ("other colours", track_row(range(20, 30), 300 + 10 * np.arange(10), BLUE)),
        ("another kind", track_row(range(20, 30), 300 + 10 * np.arange(10), label=3)),
        ("another shot", track_row(range(20, 30), 300 + 10 * np.arange(10), shot=1)),
        ("another place", track_row(range(20, 30), 900 + 10 * np.arange(10))),
        ("another size", track_row(range(20, 30), 300 + 10 * np.arange(10), size=(20, 40))),
        ("too late", track_row(range(40, 50), 500 + 10 * np.arange(10))),
        ("at the same time", track_row(range(4, 14), 190 + 10 * np.arange(10))),
    ],
)
def test_no_link_to(why, later):
    assert len(tubelets_of([FIRST, later])) == 2, why


def test_a_car_is_linked_to_a_truck():
    car = track_row(range(10), 100 + 10 * np.arange(10), label=1)
    truck = track_row(range(14, 24), 240 + 10 * np.arange(10), label=2)
    (tubelet,) = tubelets_of([car, truck])
    assert tubelet.label_scores[1:3].tolist() == pytest.approx([0.325, 0.325])


def test_of_two_continuations_the_like_one_wins():
    colour = np.array([120, 135, 0, 0], np.uint8)
    rival = track_row(range(18, 28), 290 + 10 * np.arange(10), colour, y=330)
    tubelets = tubelets_of([FIRST, rival, LATER])
    assert sorted(t.track_ids for t in tubelets) == [(0, 2), (1,)]


def test_a_thing_seen_for_an_instant_bridges_no_long_gap():
    flash = track_row([25], [250.0])
    tubelets = tubelets_of([FIRST, flash])
    assert [len(t) for t in tubelets] == [10]


def test_a_last_part_that_overlaps_by_a_frame_is_linked_without_overlap():
    tail = track_row(range(9, 14), 200 + 8 * np.arange(5), size=(70, 180))
    (tubelet,) = tubelets_of([FIRST, tail])
    assert len(tubelet) == 14
    assert tubelet.observed.all()
    assert tubelet.track_ids == (0, 1)


def test_few_observations_are_dropped_after_linking():
    short = track_row([0, 1], [100, 105])
    rest = track_row([3], [115])
    assert [t.track_ids for t in tubelets_of([short, rest])] == [(0, 1)]
    assert tubelets_of([short]) == []
    assert len(tubelets_of([short], min_observations=2)) == 1


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_what_is_in_every_frame_of_a_tiny_video_is_kept(frames: int) -> None:
    (tubelet,) = tubelets_of([track_row(range(frames), 100)], frames=frames)
    assert len(tubelet) == frames
    assert len(tubelets_of([track_row([0], 100)], frames=frames)) == (frames == 1)


def test_of_twins_the_better_stays_and_takes_the_label_scores():
    good = track_row(range(20), 300, score=0.8)
    weak = track_row(range(2, 18), 304, score=0.3)
    apart = track_row(range(20), 700, score=0.3)
    kept, other = tubelets_of([good, weak, apart])
    assert kept.track_ids == (0,)
    assert other.track_ids == (2,)
    assert kept.label_scores[0] == pytest.approx((20 * 0.8 + 16 * 0.3) / 36)
    assert kept.features[:, :2].tolist() == [[0, at] for at in range(20)]
    assert other.features[:, :2].tolist() == [[2, at] for at in range(20)]
    assert other.referral == pytest.approx(2 + np.arange(20) / 100)


def test_a_gap_is_filled_along_with_the_camera():
    # The picture moves 5 px a frame; a thing that stands in the world is not seen at 10..19.
    still = 200 + 5 * np.arange(30)
    rows = [track_row([*range(10), *range(20, 30)], still[[*range(10), *range(20, 30)]])]
    (tubelet,) = tubelets_of(rows, motion=CameraMotion(1.0, (5.0, 0.0)))
    middle = tubelet.boxes_xyxy[:, [0, 2]].mean(axis=1)
    assert middle == pytest.approx(still, abs=0.5)
    assert np.ptp(middle - tubelet.camera_xy[:, 0]) < 1


def test_the_order_of_tubelets_is_by_time():
    tubelets = tubelets_of([LATER, track_row(range(5, 15), 900), FIRST], link_gap_s=0.3)
    assert [t.times_s[0] for t in tubelets] == pytest.approx([0.0, 0.5, 2.0])
    assert [t.id for t in tubelets] == [0, 1, 2]


def moving(times, speed=300.0):
    x = 100 + speed * times
    return np.stack([x, 0 * x + 50, x + 80, 0 * x + 250], axis=1).astype(np.float32)


@pytest.mark.parametrize(
    "times", [np.arange(30) / 10, np.cumsum(np.tile([0.04, 0.1, 0.2], 10)), np.arange(3) / 10]
)
def test_smoothing_leaves_constant_motion_alone(times):
    boxes = moving(times)
    assert smooth(boxes, times, 0.25) == pytest.approx(boxes, abs=0.01)


def test_smoothing_takes_jitter_out():
    rng = np.random.default_rng(0)
    times = np.arange(200) / 10
    true = moving(times, 20)
    noisy = true + rng.normal(0, 3, true.shape).astype(np.float32)
    assert np.std(smooth(noisy, times, 0.25) - true) < 0.75 * np.std(noisy - true)


def test_smoothing_moves_no_edge_far():
    times = np.arange(9) / 10
    boxes = moving(times, 0)
    boxes[4, 2] += 60  # an arm is flung out for one frame
    smoothed = smooth(boxes, times, 0.25)
    assert (np.abs(smoothed - boxes)[:, [0, 2]] <= 0.0801 * 140).all()
    assert smoothed[4, 2] > boxes[3, 2] + 45


def test_smoothing_can_be_off():
    boxes = moving(np.arange(5) / 10)
    assert smooth(boxes, np.arange(5) / 10, 0) is boxes


def test_many_fragments_are_linked_in_reasonable_time_and_number():
    rows = []
    for walker in range(40):
        for part in range(10):
            at = np.arange(part * 60, part * 60 + 52)
            rows.append(track_row(at, 20 + 30 * walker + 0.1 * at, y=100 + 60 * (walker % 10)))
    tubelets = tubelets_of(rows, frames=600)
    assert len(tubelets) == 40
    assert {len(t) for t in tubelets} == {592}


def test_another_car_where_the_first_left_is_another():
    leaves = track_row(range(10), 1100 + 15 * np.arange(10), RED, label=1)
    comes = track_row(range(16, 30), 1240 - 15 * np.arange(14), BLUE, label=1)
    same = track_row(range(16, 30), 1240 - 15 * np.arange(14), RED, label=1)
    assert len(tubelets_of([leaves, comes])) == 2
    assert len(tubelets_of([leaves, same])) == 1

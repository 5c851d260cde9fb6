"""Every tracker on synthetic scenes: crossings, occlusions, camera, frame rates, sizes, cuts."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from cospal_cli import track
from cospal_cli.core.tubelets import BoxColours, Detections, Tubelet
from cospal_cli.evaluation.mot import evaluate
from cospal_cli.settings import TrackerConfig
from tests import scenes
from tests.scenes import CLASSES, WIDTH, Actor, Noise, Scene, View, scene, walk

CLEAN = Noise(jitter=0.01, misses=0.0, weak=0.0, false_per_frame=0.0)


@pytest.fixture(params=track.BACKENDS)
def name(request) -> str:
    """Every tracker there is."""
    return request.param


@cache
def filmed(actors: Callable[[], list[Actor]], fps: float, camera: View, featured: bool) -> Scene:
    """Six seconds, made once for all trackers; not to be changed."""
    return scene(actors(), 6, fps, camera=camera, featured=featured)


def follow(made: Scene, name: str, **settings) -> tuple[list[np.ndarray], list[Tubelet]]:
    """Ids of every frame's detections, and the tubelets, by the tracker ``name``."""
    tracker = track.open_tracker(TrackerConfig(name=name, **settings), made.size, CLASSES)
    frames = zip(made.detections, made.times_s, made.colours, made.images, strict=True)
    ids = [tracker.update(found, now, colours, image) for found, now, colours, image in frames]
    return ids, tracker.finish()


def offline(made: Scene, tubelets: list[Tubelet]):
    """Tubelets as identities and boxes per frame."""
    frames = []
    for index in range(len(made)):
        rows = [
            (t.id, t.boxes_xyxy[index - t.frame_indices[0]])
            for t in tubelets
            if t.frame_indices[0] <= index <= t.frame_indices[-1]
        ]
        boxes = np.array([box for _, box in rows], np.float32).reshape(-1, 4)
        frames.append((np.array([number for number, _ in rows], np.int64), boxes))
    return frames


def owners(made: Scene, ids: list[np.ndarray], tubelets: list[Tubelet]) -> list[set[int]]:
    """The actors whose detections each tubelet holds."""
    held = []
    for tubelet in tubelets:
        pairs = zip(made.owners, ids, strict=True)
        mine = [owner[np.isin(found, tubelet.track_ids)] for owner, found in pairs]
        held.append(set(np.concatenate(mine).tolist()) - {-1})
    return held


def check_every_actor_is_one_tubelet(made: Scene, name: str, count: int) -> None:
    ids, tubelets = follow(made, name)
    assert sorted(map(tuple, owners(made, ids, tubelets))) == [(i,) for i in range(count)]
    scores = evaluate(made.truth, offline(made, tubelets))
    assert scores.switches == 0
    assert scores.idf1 > 0.93


@pytest.mark.parametrize("fps", [5, 10, 25])
@pytest.mark.parametrize("camera", [scenes.still, scenes.pan, scenes.zoom])
@pytest.mark.parametrize("actors", [scenes.crossing, scenes.occlusion, scenes.crowd])
def test_every_actor_is_one_tubelet_whatever_the_camera_and_frame_rate(actors, camera, fps, name):
    made = filmed(actors, fps, camera, False)
    check_every_actor_is_one_tubelet(made, name, len(actors()))


@pytest.mark.parametrize("actors", [scenes.crossing, scenes.occlusion, scenes.crowd])
def test_every_actor_is_one_tubelet_of_a_detector_with_features(actors, name):
    made = filmed(actors, 10, scenes.pan, True)
    check_every_actor_is_one_tubelet(made, name, len(actors()))


@pytest.mark.parametrize("size", [(320, 180), (3840, 2160), (720, 1280)])
def test_resolution_changes_nothing(size, name):
    made = scene(scenes.crossing(), 6, size=size)
    ids, tubelets = follow(made, name)
    assert sorted(map(tuple, owners(made, ids, tubelets))) == [(0,), (1,), (2,)]


def test_the_same_pixels_at_twice_the_size_give_the_same_ids(name):
    small, large = (
        scene(scenes.crowd(), 4, size=size, noise=CLEAN) for size in ((640, 360), (1280, 720))
    )
    for first, second in zip(follow(small, name)[0], follow(large, name)[0], strict=True):
        assert first.tolist() == second.tolist()


def test_irregular_time_steps(name):
    rng = np.random.default_rng(5)
    times = np.cumsum(rng.choice([0.04, 0.08, 0.1, 0.2, 0.33], 50))
    made = scene(scenes.occlusion(), 0, times_s=times)
    ids, tubelets = follow(made, name)
    assert sorted(map(tuple, owners(made, ids, tubelets)))[:3] == [(0,), (1,), (2,)]


def test_no_track_crosses_a_cut(name):
    before_cut = [Actor(walk((x, 0.5), (0.05, 0)), colour=0, end_s=2.0) for x in (0.2, 0.4, 0.7)]
    after_cut = [Actor(walk((x, 0.55), (0.05, 0)), colour=0, start_s=2.0) for x in (0.3, 0.5, 0.8)]
    made = scene(before_cut + after_cut, 4, noise=CLEAN, places=lambda now: int(now >= 2.0))
    ids, tubelets = follow(made, name)
    before, after = (set(np.concatenate(part).tolist()) for part in (ids[:20], ids[20:]))
    assert not before & after - {-1}
    assert len(tubelets) == 6
    assert all(t.times_s[-1] < 2.0 or t.times_s[0] >= 2.0 for t in tubelets)


def test_a_flickering_class_keeps_the_track(name):
    car = Actor(walk((0.1, 0.5), (0.15, 0), (0.2, 0.2)), label=1)
    made = scene([car], 4, noise=replace(CLEAN, flicker=0.5))
    _, tubelets = follow(made, name)
    assert len(tubelets) == 1
    car_score, truck_score = tubelets[0].label_scores[1:3]
    assert min(car_score, truck_score) > 0.1


def test_a_miscalled_object_keeps_its_track(name):
    made = scene([Actor(walk((0.1, 0.5), (0.15, 0), (0.2, 0.2)), label=1)], 3, noise=CLEAN)
    for index in range(5, 30, 3):
        found = made.detections[index]
        made.detections[index] = replace(
            found, labels=np.array([3]), label_scores=found.label_scores[:, [0, 3, 2, 1, 4]]
        )
    _, tubelets = follow(made, name)
    assert [int(t.observed.sum()) for t in tubelets] == [30]
    assert tubelets[0].label_scores.argmax() == 1


def test_weak_detections_keep_a_track_and_lengthen_its_ends(name):
    made = scene([Actor(walk((0.2, 0.5), (0.1, 0)))], 4, noise=CLEAN)
    for index in [*range(3), *range(15, 20), *range(36, 40)]:
        found = made.detections[index]
        made.detections[index] = replace(found, scores=np.array([0.2], np.float32))
    ids, tubelets = follow(made, name)
    assert [t.frame_indices[[0, -1]].tolist() for t in tubelets] == [[0, 39]]
    assert tubelets[0].observed.all()
    assert ids[15].tolist() == ids[14].tolist()


def test_weak_detections_alone_start_nothing(name):
    made = scene([Actor(walk((0.2, 0.5), (0.1, 0)))], 3, noise=replace(CLEAN, weak=1.0))
    ids, tubelets = follow(made, name)
    assert tubelets == []
    assert set(np.concatenate(ids).tolist()) == {-1}


def test_the_order_of_detections_does_not_matter(name):
    made = scene(scenes.crowd(), 5)
    ids, tubelets = follow(made, name)
    rng = np.random.default_rng(1)
    mixed = Scene(made.size, made.times_s, images=made.images)
    orders = [rng.permutation(len(found)) for found in made.detections]
    for found, colours, order in zip(made.detections, made.colours, orders, strict=True):
        columns = ("boxes_xyxy", "scores", "labels", "label_scores")
        taken = {name: getattr(found, name)[order] for name in columns}
        mixed.detections.append(replace(found, **taken))
        mixed.colours.append(colours.take(order))
    mixed_ids, mixed_tubelets = follow(mixed, name)
    for first, second, order in zip(ids, mixed_ids, orders, strict=True):
        assert first[order].tolist() == second.tolist()
    for a, b in zip(tubelets, mixed_tubelets, strict=True):
        assert a.boxes_xyxy.tolist() == b.boxes_xyxy.tolist()


def test_frames_without_detections(name):
    tracker = track.open_tracker(TrackerConfig(name=name), (640, 360), CLASSES)
    assert tracker.finish() == []
    for step in range(5):
        image = np.full((36, 64, 3), 40 * step, np.uint8)
        none, colours = nothing(step)
        assert tracker.update(none, step / 10, colours, image).shape == (0,)
    assert tracker.finish() == []


def test_time_must_go_on(name):
    made = scene([Actor(walk((0.2, 0.5), (0.1, 0)))], 0.2, noise=CLEAN)
    made.times_s[1] = made.times_s[0]
    with pytest.raises(ValueError, match="time_s"):
        follow(made, name)


def test_camera_motion_is_stored_with_the_tubelet(name):
    made = scene([Actor(walk((0.5, 0.5), (0, 0)))], 3, camera=scenes.pan, noise=CLEAN)
    _, tubelets = follow(made, name)
    centres = (tubelets[0].boxes_xyxy[:, :2] + tubelets[0].boxes_xyxy[:, 2:]) / 2
    assert np.ptp(centres[:, 0]) > 250
    assert np.ptp(centres[:, 0] - tubelets[0].camera_xy[:, 0]) < 30


@pytest.mark.parametrize("featured", [False, True])
def test_what_is_kept_of_a_long_video_is_small(name, featured):
    made = scene(scenes.crowd(), 0.1, noise=CLEAN, featured=featured)
    found, colours, image = made.detections[0], made.colours[0], made.images[0][:36, :64]
    tracker = track.open_tracker(TrackerConfig(name=name), made.size, CLASSES)
    tracemalloc.start()
    for step in range(280):
        tracker.update(replace(found, frame_index=step), step / 10, colours, image)
    kept = tracemalloc.get_traced_memory()[0] / (280 * len(found))
    tubelets = tracker.finish()
    peak = tracemalloc.get_traced_memory()[1] / (280 * len(found))
    tracemalloc.stop()
    assert {len(t) for t in tubelets} == {280}
    more = (2 * WIDTH + 4) * featured  # bytes per detection
    assert kept < 400 + 1.1 * more
    assert peak < 800 + 2.2 * more


@pytest.mark.parametrize("actors", [scenes.occlusion, scenes.crowd])
def test_what_the_detector_tells_of_each_box_comes_with_the_tubelet(name, actors):
    made = filmed(actors, 10, scenes.pan, True)
    ids, tubelets = follow(made, name)
    assert any(len(t.track_ids) > 1 for t in tubelets) or actors is scenes.crowd
    lost = 0
    for tubelet in tubelets:
        seen = tubelet.frame_indices[tubelet.observed].tolist()
        assert tubelet.features.dtype == np.float16
        assert tubelet.features.shape == (len(seen), WIDTH)
        assert tubelet.referral.dtype == np.float32
        for row, index in enumerate(seen):
            found = made.detections[index]
            mine = np.flatnonzero(found.referral == tubelet.referral[row])
            assert len(mine) == 1
            assert tubelet.features[row].tolist() == found.features[mine[0]].astype("f2").tolist()
            lost += ids[index][mine[0]] not in tubelet.track_ids
    # Weak detections that a track was given in hindsight have no id of their own.
    assert lost < 0.05 * sum(map(len, ids))


def test_a_detector_that_tells_nothing_more_costs_nothing(name):
    tubelets = follow(filmed(scenes.occlusion, 10, scenes.pan, False), name)[1]
    assert {t.features is None and t.referral is None for t in tubelets} == {True}


def nothing(index: int = 0, width: int | None = None) -> tuple[Detections, BoxColours]:
    """A frame without any detection, from a detector with features of ``width`` or without."""
    none = Detections(
        index,
        np.empty((0, 4), np.float32),
        np.empty(0, np.float32),
        np.empty(0, np.int64),
        np.empty((0, len(CLASSES)), np.float32),
        None if width is None else np.empty((0, width), np.float32),
        None if width is None else np.empty(0, np.float32),
    )
    return none, BoxColours(np.empty((0, 3, 8), np.uint8), np.empty((0, 4, 4), np.uint8))


@pytest.mark.parametrize("width", [None, WIDTH])
@pytest.mark.parametrize("gap", [range(4), range(20, 24), range(20, 40), range(36, 40)])
def test_frames_without_detections_from_a_detector_with_features(name, gap, width):
    made = scene(scenes.crossing()[2:], 4, noise=CLEAN, featured=True)
    for index in gap:
        made.detections[index], made.colours[index] = nothing(index, width)
    ids, (tubelet,) = follow(made, name)
    assert [len(found) for found in ids] == [index not in gap for index in range(40)]
    assert len(tubelet.features) == len(tubelet.referral) == 40 - len(gap)


@pytest.mark.parametrize("column", ["features", "referral"])
def test_what_is_told_of_boxes_must_not_come_and_go(name, column):
    made = scene(scenes.crossing(), 1, noise=CLEAN, featured=True)
    made.detections[5] = replace(made.detections[5], **{column: None})
    with pytest.raises(ValueError, match="as before"):
        follow(made, name)


@pytest.mark.parametrize("classes", [("man",), ("zeppelin",), ("man", "woman", "lamp post")])
def test_classes_of_any_name(name, classes):
    made = filmed(scenes.crossing, 10, scenes.still, False)
    tracker = track.open_tracker(TrackerConfig(name=name), made.size, classes)
    for found, now, colours, image in zip(
        made.detections, made.times_s, made.colours, made.images, strict=True
    ):
        labels = found.labels % len(classes)
        scores = np.full((len(found), len(classes)), 0.01, np.float32)
        scores[np.arange(len(found)), labels] = found.scores
        tracker.update(replace(found, labels=labels, label_scores=scores), now, colours, image)
    tubelets = tracker.finish()
    assert len([t for t in tubelets if len(t) > 50]) == 3
    assert {t.label_scores.shape for t in tubelets} == {(len(classes),)}


def test_finishing_halfway_changes_nothing_later(name):
    made = scene(scenes.occlusion(), 5)
    tracker = track.open_tracker(TrackerConfig(name=name), made.size, CLASSES)
    frames = zip(made.detections, made.times_s, made.colours, made.images, strict=True)
    for index, (found, now, colours, image) in enumerate(frames):
        tracker.update(found, now, colours, image)
        if index == 25:
            assert tracker.finish()
    for a, b in zip(tracker.finish(), follow(made, name)[1], strict=True):
        assert a.boxes_xyxy.tolist() == b.boxes_xyxy.tolist()
        assert a.colours.shares.tolist() == b.colours.shares.tolist()

"""Two who meet in one box come out as themselves, and their pictures with them."""

from __future__ import annotations

import numpy as np
import pytest

from cospal_cli.evaluation.mot import Frame, evaluate
from cospal_cli.features.crops import CropKeeper
from cospal_cli.settings import TrackerConfig
from cospal_cli.track import open_tracker
from cospal_cli.track.link import Fragment, World, link
from cospal_cli.track.moved import Moved, parts_of
from cospal_cli.track.swaps import unswapped
from tests import scenes
from tests.scenes import CLASSES, Noise, Scene, scene


def finished(made: Scene) -> list[Frame]:
    """The observed boxes of every frame with the ids of the finished tubelets."""
    tracker = open_tracker(TrackerConfig(), made.size, CLASSES)
    for seen in zip(made.detections, made.times_s, made.colours, made.images, strict=True):
        tracker.update(*seen)
    frames = []
    tubelets = tracker.finish()
    for now in made.times_s:
        rows = [(t.id, t.boxes_xyxy[t.times_s == now][0]) for t in tubelets if now in t.times_s]
        ids = np.array([number for number, _ in rows], np.int64)
        frames.append((ids, np.array([box for _, box in rows], np.float32).reshape(-1, 4)))
    return frames


@pytest.mark.parametrize(("fps", "seed"), [(5, 0), (10, 0), (25, 2)])
def test_two_who_were_in_one_box_part_as_themselves(fps: float, seed: int) -> None:
    made = scene(scenes.merging(), 6, fps, camera=scenes.pan, noise=Noise(merge=0.2), seed=seed)
    assert evaluate(made.truth, finished(made)).idf1 > 0.85


def world_of(looks: list[int], centres: list[float], times: list[float]) -> World:
    """Observations of looks 0 or 1 at places along a line."""
    x = np.array(centres, np.float32)
    boxes = np.stack([x - 20, np.zeros_like(x), x + 20, np.full_like(x, 100)], axis=1)
    colours = np.zeros((len(x), 3, 8), np.uint8)
    colours[np.arange(len(x)), :, looks] = 255
    return World(np.array(times), boxes, colours)


def fragment(rows: list[int], track: int) -> Fragment:
    return Fragment((track,), 0, 0, np.array(rows), np.ones(1, np.float32), len(rows))


TIMES = [n / 10 for n in range(20)]
APPROACH = [100 + 5.0 * n for n in range(20)]
RETREAT = [205 - 5.0 * n for n in range(20)]


def crossing(swap: bool) -> tuple[list[Fragment], World]:
    """Two cross; where they swap, each track goes on with the other's looks."""
    first, second = ([0] * 10 + [int(swap)] * 10), ([1] * 10 + [1 - int(swap)] * 10)
    world = world_of(first + second, APPROACH + RETREAT, TIMES * 2)
    return [fragment(list(range(20)), 0), fragment(list(range(20, 40)), 1)], world


@pytest.mark.parametrize("swap", [True, False])
def test_ends_are_exchanged_where_looks_say_so(swap: bool) -> None:
    fragments, world = crossing(swap)
    for one, look in zip(unswapped(fragments, world, 3.0), (0, 1), strict=True):
        shown = world.colours[one.rows, 0].argmax(axis=1)
        assert (shown == look).mean() > 0.85
        assert (np.diff(world.times_s[one.rows]) > 0).all()
        assert len(one.rows) == 20


def test_a_track_is_cut_where_it_becomes_one_that_was_lost() -> None:
    looks = [0] * 10 + [1] * 10 + [1] * 8
    world = world_of(looks, [100.0] * 20 + [110.0] * 8, [*TIMES, *TIMES[:8]])
    parts = unswapped([fragment(list(range(20)), 0), fragment(list(range(20, 28)), 1)], world, 3.0)
    whole = link(parts, world, 3.0)
    shown = [set(world.colours[one.rows, 0].argmax(axis=1).tolist()) for one in whole]
    assert sorted(map(sorted, shown)) == [[0], [1]]


def test_one_who_changes_alone_stays_whole() -> None:
    world = world_of([0] * 10 + [1] * 10, [100.0] * 20, TIMES)
    alone = fragment(list(range(20)), 0)
    assert [one.rows.tolist() for one in unswapped([alone], world, 3.0)] == [alone.rows.tolist()]


def test_parts_that_moved_have_tracks_and_pictures_of_their_own() -> None:
    times = np.array([0.0, 1.0, 2.0, 3.0])
    first, second = np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])
    tracks, moved = parts_of([first, second], [times, times], 7)
    assert tracks == [(0, 1), (7, 8)]
    assert moved == [Moved(1, 0.0, 1.0, 7), Moved(0, 2.0, 3.0, 8)]
    keeper = CropKeeper()
    image = np.zeros((40, 40, 3), np.uint8)
    for now in times:
        keeper.update(
            image, np.array([[0, 0, 9, 9]] * 2, np.float32), (40, 40), np.array([0, 1]), now
        )
    crops = keeper.finish(moved)
    assert {track: [time for time, _ in kept] for track, kept in crops.items()} == {
        0: [1.0], 1: [2.0, 3.0], 7: [1.0], 8: [2.0, 3.0],
    }  # fmt: skip

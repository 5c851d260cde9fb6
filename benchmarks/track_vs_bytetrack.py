"""Association beside the ByteTrack of the package ``trackers``, on scenes with known identities.

    python -m benchmarks.track_vs_bytetrack [--seeds N]

All get the same detections, thresholds, times and second of patience; ``botsort, features`` gets
simulated features besides. ``online`` scores the ids that ``update`` returns, ``linked`` the same
boxes with the ids of the finished tubelets: neither has a filled gap. MOTA and IDF1 at IoU .5, the
scenes' mean last.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from cospal_cli.core.arrays import IntArray
from cospal_cli.evaluation.mot import Frame, MotScores, evaluate
from cospal_cli.settings import TrackerConfig
from cospal_cli.track import Tracker, open_tracker
from tests import scenes
from tests.scenes import CLASSES, Noise, Scene, scene

HARD = Noise(jitter=0.05, misses=0.15, weak=0.25, false_per_frame=1.0)


def all_scenes(seed: int = 0, featured: bool = False) -> Iterator[tuple[str, Scene]]:
    """Name and scene: what happens, the camera, frames per second."""
    for actors in (scenes.crossing, scenes.occlusion, scenes.crowd):
        for camera in (scenes.still, scenes.pan, scenes.zoom):
            for fps in (5, 10, 25):
                name = f"{actors.__name__}, {camera.__name__} camera, {fps} fps"
                yield name, scene(actors(), 6, fps, camera=camera, seed=seed, featured=featured)
    for camera in (scenes.still, scenes.pan):
        name = f"crowd, {camera.__name__} camera, 10 fps, poor detector"
        made = scene(scenes.crowd(), 6, 10, camera=camera, noise=HARD, seed=seed, featured=featured)
        yield name, made


def merge_scenes(seed: int = 0, featured: bool = False) -> Iterator[tuple[str, Scene]]:
    """Scenes in which two objects get one box while they touch, or one takes another's place."""
    for actors in (scenes.merging, scenes.replaced, scenes.crossing):
        for camera in (scenes.still, scenes.pan):
            for fps in (5, 10, 25):
                name = f"{actors.__name__}, one box, {camera.__name__} camera, {fps} fps"
                noise = Noise(merge=0.2)
                yield (
                    name,
                    scene(
                        actors(), 6, fps, camera=camera, noise=noise, seed=seed, featured=featured
                    ),
                )


def ours(made: Scene, name: str = "bytetrack") -> tuple[list[Frame], list[Frame], float]:
    """Online and linked answer of tracker ``name``, and milliseconds a frame."""
    tracker = open_tracker(TrackerConfig(name=name), made.size, CLASSES)
    began = time.perf_counter()
    frames = zip(made.detections, made.times_s, made.colours, made.images, strict=True)
    ids = [tracker.update(found, now, colours, image) for found, now, colours, image in frames]
    tubelets = tracker.finish()
    spent_ms = (time.perf_counter() - began) / len(made) * 1e3
    tubelet_of = {number: t.id for t in tubelets for number in t.track_ids}
    online, linked = [], []
    for found, now, numbers in zip(made.detections, made.times_s, ids, strict=True):
        numbers = _final(numbers, now, tracker)
        known = np.isin(numbers, list(tubelet_of))
        boxes = found.boxes_xyxy[known]
        online.append((numbers[known], boxes))
        mapped = np.array([tubelet_of[n] for n in numbers[known].tolist()], np.int64)
        linked.append((mapped, boxes))
    return online, linked, spent_ms


def _final(numbers: IntArray, time_s: float, tracker: Tracker) -> IntArray:
    """The ids of one frame as the finished tubelets call them."""
    final = numbers.copy()
    for part in getattr(tracker, "moved", ()):
        if part.start_s <= time_s <= part.end_s:
            final[numbers == part.track] = part.became
    return final


def theirs(made: Scene) -> list[Frame]:
    """The answer of ``trackers.ByteTrackTracker``."""
    import supervision
    from trackers import ByteTrackTracker

    config = TrackerConfig()
    tracker = ByteTrackTracker(
        lost_track_buffer=round(30 * config.max_lost_s),
        track_activation_threshold=config.high_threshold,
        high_conf_det_threshold=config.high_threshold,
    )
    answer = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for found, now in zip(made.detections, made.times_s, strict=True):
            given = supervision.Detections(
                xyxy=found.boxes_xyxy, confidence=found.scores, class_id=found.labels
            )
            tracked = tracker.update(given, timestamp=now)
            known = tracked.tracker_id >= 0
            boxes = tracked.xyxy[known].astype(np.float32)
            answer.append((tracked.tracker_id[known].astype(np.int64), boxes))
    return answer


METHODS = {  # tracker, whether it gets features
    "bytetrack": ("bytetrack", False),
    "botsort": ("botsort", False),
    "botsort, features": ("botsort", True),
}


def without_features(made: Scene) -> Scene:
    """The scene as a detector without features sees it."""
    blind = [replace(found, features=None, referral=None) for found in made.detections]
    return replace(made, detections=blind)


def main() -> None:
    """Run every scene, print its linked scores, then all means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="runs of every scene")
    parser.add_argument("--merges", action="store_true", help="scenes of merges instead")
    arguments = parser.parse_args()
    seeds, made_of = arguments.seeds, merge_scenes if arguments.merges else all_scenes
    scores: dict[str, list[list[MotScores]]] = {}
    spent: dict[str, list[float]] = {}
    for seed in range(seeds):
        for name, made in made_of(seed, featured=True):
            answers: dict[str, Sequence[list[Frame]]] = {}
            for method, (tracker, featured) in METHODS.items():
                given = made if featured else without_features(made)
                *answers[method], spent_ms = ours(given, tracker)
                spent.setdefault(method, []).append(spent_ms)
            for method, answer in (answers | {"trackers": (theirs(made),)}).items():
                row = [evaluate(made.truth, frames) for frames in answer]
                scores.setdefault(method, []).append(row)
            cells = (f"{method} {_cell([rows[-1]], -1)}" for method, rows in scores.items())
            print(f"{name:42}", *cells, sep="  ")
    print(f"\n{'mean of all scenes':24}{'online':>14}{'linked':>14}   (MOTA IDF1)  ms a frame")
    for method, rows in scores.items():
        stages = "".join(_cell(rows, stage) for stage in range(len(rows[0])))
        took_ms = f"{np.median(spent[method]):10.1f}" if method in spent else ""
        print(f"{method:24}{stages:28}{took_ms:>24}")


def _cell(rows: list[list[MotScores]], stage: int) -> str:
    mota, idf1 = (np.mean([getattr(r[stage], name) for r in rows]) for name in ("mota", "idf1"))
    return f"{mota:>8.3f}{idf1:6.3f}"


if __name__ == "__main__":
    main()

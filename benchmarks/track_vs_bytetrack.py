"""Association beside the ByteTrack of the package ``trackers``, on scenes with known identities.

    python -m benchmarks.track_vs_bytetrack

Both get the same detections, thresholds, times and second of patience. ``online`` scores the ids
that ``update`` returns, ``linked`` the same boxes with the ids of the finished tubelets: neither
has a filled gap. MOTA and IDF1 at IoU .5, the scenes' mean last.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator

import numpy as np

from cospal_cli.config import TrackerConfig
from cospal_cli.evaluation.mot import Frame, MotScores, evaluate
from cospal_cli.track.bytetrack import ByteTracker
from tests import scenes
from tests.scenes import CLASSES, Noise, Scene, scene

HARD = Noise(jitter=0.05, misses=0.15, weak=0.25, false_per_frame=1.0)


def all_scenes(seed: int = 0) -> Iterator[tuple[str, Scene]]:
    """Name and scene: what happens, the camera, frames per second."""
    for actors in (scenes.crossing, scenes.occlusion, scenes.crowd):
        for camera in (scenes.still, scenes.pan, scenes.zoom):
            for fps in (5, 10, 25):
                name = f"{actors.__name__}, {camera.__name__} camera, {fps} fps"
                yield name, scene(actors(), 6, fps, camera=camera, seed=seed)
    for camera in (scenes.still, scenes.pan):
        name = f"crowd, {camera.__name__} camera, 10 fps, poor detector"
        yield name, scene(scenes.crowd(), 6, 10, camera=camera, noise=HARD, seed=seed)


def ours(made: Scene) -> tuple[list[Frame], list[Frame], float]:
    """Online and linked answer, and milliseconds a frame."""
    tracker = ByteTracker(TrackerConfig(), made.size, CLASSES)
    began = time.perf_counter()
    frames = zip(made.detections, made.times_s, made.looks, made.images, strict=True)
    ids = [tracker.update(found, now, looks, image) for found, now, looks, image in frames]
    tubelets = tracker.finish()
    spent_ms = (time.perf_counter() - began) / len(made) * 1e3
    tubelet_of = {number: t.id for t in tubelets for number in t.track_ids}
    online, linked = [], []
    for found, numbers in zip(made.detections, ids, strict=True):
        known = np.isin(numbers, list(tubelet_of))
        boxes = found.boxes_xyxy[known]
        online.append((numbers[known], boxes))
        mapped = np.array([tubelet_of[n] for n in numbers[known].tolist()], np.int64)
        linked.append((mapped, boxes))
    return online, linked, spent_ms


def theirs(made: Scene) -> list[Frame]:
    """The answer of ``trackers.ByteTrackTracker``."""
    import supervision
    from trackers import ByteTrackTracker

    config = TrackerConfig()
    tracker = ByteTrackTracker(
        lost_track_buffer=round(30 * config.max_lost_s),
        track_activation_threshold=config.high,
        high_conf_det_threshold=config.high,
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


def main() -> None:
    """Run every scene, print a row each and the means."""
    rows: dict[str, list[MotScores]] = {"online": [], "linked": [], "trackers": []}
    spent = []
    print(f"{'':48}{'online':>14}{'linked':>14}{'trackers':>14}   (MOTA IDF1)")
    for name, made in all_scenes():
        online, linked, spent_ms = ours(made)
        spent.append(spent_ms)
        answers = {"online": online, "linked": linked, "trackers": theirs(made)}
        for method, answer in answers.items():
            rows[method].append(evaluate(made.truth, answer))
        print(f"{name:48}" + "".join(_cell(scores[-1:]) for scores in rows.values()))
    print(f"{'mean':48}" + "".join(_cell(scores) for scores in rows.values()))
    print(f"tracking {np.median(spent):.1f} ms a frame, camera motion and cuts included")


def _cell(scores: list[MotScores]) -> str:
    mota, idf1 = (np.mean([getattr(s, name) for s in scores]) for name in ("mota", "idf1"))
    return f"{mota:>8.3f}{idf1:6.3f}"


if __name__ == "__main__":
    main()

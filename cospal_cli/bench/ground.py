"""``cospal bench ground``: each stage's frames per second, and the pipeline against two baselines.

(a) the plain loop over frames that the documentation of transformers shows, and (b) the detector's
forward passes alone, on the same frames in the same batches: the limit.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cospal_cli.bench import timing
from cospal_cli.bench.plain_loop import PlainLoop
from cospal_cli.core.assignment import assign
from cospal_cli.core.boxes import pairwise_iou
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.query import Query
from cospal_cli.core.tubelets import Detections
from cospal_cli.detect import Detector, detect, open_detector
from cospal_cli.features.box_colours import box_colours, smaller
from cospal_cli.features.clips import open_video_encoder
from cospal_cli.grounder import Grounder, clips_of
from cospal_cli.language.encoders.text import open_text_encoder
from cospal_cli.settings import Config
from cospal_cli.track import open_tracker
from cospal_cli.video.reader import VideoReader

_MATCH = 0.5  # overlap from which two boxes of two precisions are one


@dataclass(frozen=True)
class GroundBenchPlan:
    """What to measure."""

    video: Path
    query: Query
    config: Config
    rounds: int = 3
    batches: tuple[int, ...] = ()  # further batch sizes of the detector
    encoders: bool = False  # the text and video encoders too
    compare: str = ""  # another precision, whose boxes are compared


def measure(plan: GroundBenchPlan) -> JsonDict:
    """Stages, ratios, batch sizes and agreement, as plain values for JSON."""
    config = plan.config
    grounder = Grounder(config, open_detector(config.detector))
    detector = open_detector(config.detector).prompt(plan.query)
    batches = _read(plan, detector, detector.batch)
    frames = sum(map(len, batches))
    prepared = [detector.prepare(batch) for batch in batches]
    detections = [one for batch in batches for one in detect(detector, batch)]  # and a warm-up
    works: dict[str, timing.Work] = {
        "decode": lambda: _read(plan, detector, detector.batch),
        "detector": lambda: [detector.run(pixels) for pixels in prepared],
        "tracker": lambda: _track(plan, detector, batches, detections),
        "pipeline": lambda: grounder.observe(plan.video, plan.query),
    }
    if config.detector.name == "grounding-dino":
        loop = PlainLoop(config.detector, _prompt(plan.query))
        works["plain loop"] = lambda: loop(batches)
    with tempfile.TemporaryDirectory() as folder:
        result = grounder.answer(grounder.observe(plan.video, plan.query), plan.query)
        works["encode"] = lambda: result.save_video(Path(folder) / "drawn.mp4")
        spent = timing.alternate(works, plan.rounds)
    counts = dict.fromkeys(works, frames)
    counts["encode"] = _source_frames(plan, detector)
    return {
        "video": plan.video.name,
        "frames": frames,
        "boxes": sum(map(len, detections)),
        "model": detector.model_id,
        "batch": detector.batch,
        "stages": {name: _rate(counts[name], took) for name, took in spent.items()},
        "ratios": _ratios(spent),
        "batches": [_at_batch(plan, size) for size in plan.batches],
        "encoders": _encoders(plan) if plan.encoders else {},
        "agreement": _agreement(plan, detections) if plan.compare else {},
        "peak_mb": round(timing.peak_mb(), 1),
    }


def _ratios(spent: dict[str, list[float]]) -> dict[str, float]:
    """Seconds of the pipeline over those of the two baselines."""
    ratios = {"pipeline over detector alone": timing.ratio(spent["pipeline"], spent["detector"])}
    if "plain loop" in spent:
        ratios["plain loop over pipeline"] = timing.ratio(spent["plain loop"], spent["pipeline"])
    return {name: round(value, 4) for name, value in ratios.items()}


def _rate(frames: int, took: Sequence[float]) -> dict[str, float]:
    median = statistics.median(took)
    return {
        "frames_per_s": round(frames / median, 3),
        "ms_per_frame": round(1e3 * median / frames, 3),
    }


def _read(plan: GroundBenchPlan, detector: Detector, size: int) -> list[FrameBatch]:
    """The frames that the pipeline samples, in batches of ``size``."""
    side = max(plan.config.video.work_side, detector.image_side)
    with VideoReader(plan.video, replace(plan.config.video, work_side=side)) as reader:
        return list(reader.batches(size))


def _source_frames(plan: GroundBenchPlan, detector: Detector) -> int:
    with VideoReader(plan.video, plan.config.video) as reader:
        for _ in reader.batches(64):
            pass
        return len(reader.timeline.indices)


def _track(
    plan: GroundBenchPlan,
    detector: Detector,
    batches: Sequence[FrameBatch],
    detections: Sequence[Detections],
) -> None:
    """Colours and tracks of given boxes."""
    size = batches[0].size
    tracker = open_tracker(plan.config.tracker, size, detector.classes)
    frames = ((i, t) for b in batches for i, t in zip(b.images, b.times_s.tolist(), strict=True))
    for (image, at), boxes in zip(frames, detections, strict=True):
        small = smaller(image, plan.config.video.work_side)
        tracker.update(boxes, at, box_colours(small, boxes.boxes_xyxy, size), small)
    tracker.finish()


def _at_batch(plan: GroundBenchPlan, size: int) -> JsonDict:
    """The detector alone in batches of ``size``."""
    config = replace(plan.config.detector, batch=size)
    detector = open_detector(config).prompt(plan.query)
    batches = _read(plan, detector, size)
    prepared = [detector.prepare(batch) for batch in batches]
    detector.run(prepared[0])
    timing.reset_gpu_peak()
    took = [timing.seconds(lambda: [detector.run(p) for p in prepared]) for _ in range(plan.rounds)]
    rate = _rate(sum(map(len, batches)), took)
    return {"batch": size, **rate, "gpu_peak_mb": timing.gpu_peak_mb()}


def _encoders(plan: GroundBenchPlan) -> JsonDict:
    """Words per second of the text encoder, video seconds per second of the video encoder."""
    text, clips = open_text_encoder(plan.config.text), open_video_encoder(plan.config.clips)
    words = len(text.words(plan.query.text))
    took = [timing.seconds(lambda: text.words(plan.query.text)) for _ in range(plan.rounds)]
    encoded = clips_of(plan.video, plan.config.video, clips)
    start = timing.seconds(
        lambda: clips_of(plan.video, plan.config.video, open_video_encoder(plan.config.clips))
    )
    length = float(encoded.spans_s[-1, 1] - encoded.spans_s[0, 0])
    return {
        "text": {"model": text.model_id, "words_per_s": round(words / statistics.median(took), 2)},
        "video": {
            "model": clips.model_id,
            "clips": len(encoded),
            "times_real_time": round(length / start, 3),
        },
    }


def _agreement(plan: GroundBenchPlan, detections: Sequence[Detections]) -> JsonDict:
    """Overlap of each box with its best match under the other precision."""
    config = replace(plan.config.detector, precision=plan.compare)
    other = open_detector(config).prompt(plan.query)
    overlaps: list[float] = []
    for batch in _read(plan, other, other.batch):
        for theirs in detect(other, batch):
            mine = next(one for one in detections if one.frame_index == theirs.frame_index)
            matrix = pairwise_iou(mine.boxes_xyxy, theirs.boxes_xyxy)
            rows, columns = assign(1 - matrix, 1 - _MATCH)
            overlaps += matrix[rows, columns].tolist()
    boxes = sum(map(len, detections))
    return {
        "precision": plan.compare,
        "matched": len(overlaps),
        "share_matched": round(len(overlaps) / max(boxes, 1), 4),
        "mean_iou": round(float(np.mean(overlaps)), 5) if overlaps else None,
    }


def _prompt(query: Query) -> str:
    return query.text.lower().strip().rstrip(".?! ") + "."

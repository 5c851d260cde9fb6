"""Detections made elsewhere, read from JSON Lines: one frame a line, in any order.

    {"frame": 12, "boxes": [[x1, y1, x2, y2], ...], "scores": [0.9, ...], "labels": ["person", ...]}

``frame`` is the 0-based number of the frame in the video, in order of display; boxes are pixels of
the displayed frame (rotation applied); scores lie in 0..1; labels are words. ``features``, one list
of numbers per box, is optional. Frames that have no line have no boxes. The configured threshold
and number of boxes per frame apply as they do to every detector.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.boxes import clip
from cospal_cli.core.errors import InputError
from cospal_cli.core.files import replacing
from cospal_cli.core.fitting import field_of, numbers
from cospal_cli.core.foreign import errors_as, short
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.query import Query
from cospal_cli.core.reading import BOM, LARGE, parse_table, read_bytes
from cospal_cli.core.tubelets import Detections
from cospal_cli.detect.defaults import Limits
from cospal_cli.devices import check
from cospal_cli.settings import DetectorConfig

DEFAULTS = Limits(threshold=0.15, nms_iou=1.0, batch=4)  # its boxes are not touched
_MOST = float(np.finfo(np.float32).max)
FORMAT = 'a line is {"frame": 0, "boxes": [[x1, y1, x2, y2]], "scores": [0.9], "labels": ["car"]}'


@dataclass(frozen=True)
class Line:
    """One frame as the file gives it."""

    frame: int
    boxes: FloatArray  # (D, 4)
    scores: FloatArray  # (D,)
    labels: tuple[str, ...]
    features: FloatArray | None


class FromFile:
    """See ``Detector``. ``classes`` are the file's labels in order of first appearance."""

    prompted = False

    def __init__(self, config: DetectorConfig) -> None:
        """Reads ``config.file.path`` whole; InputError names the file and the line at fault."""
        check(config.device)
        path = Path(config.file.path or "")
        data = read_bytes(path, InputError, FORMAT, LARGE)
        # Every frame has boxes of its own, which cost nothing to look up.
        self.config, self.limits = DEFAULTS.within(replace(config, still=0.0))
        self.batch = self.limits.batch
        self.image_side = 0
        self.model_id = f"file:{path.name}"
        self.model_sha256 = hashlib.sha256(data).hexdigest()
        self._lines: dict[int, Line] = {}
        for number, raw in enumerate(data.removeprefix(BOM).splitlines(), 1):
            if raw.strip():
                line = _read(raw, f"{path}:{number}")
                if line.frame in self._lines:
                    raise InputError(
                        f"{path}:{number}: a second line for frame {line.frame}",
                        "keep one line for each frame",
                    )
                self._lines[line.frame] = line
        words = (label for line in self._lines.values() for label in line.labels)
        self.classes = tuple(dict.fromkeys(words))
        self._number = {label: number for number, label in enumerate(self.classes)}

    def prompt(self, query: Query) -> FromFile:
        """Itself: the boxes do not depend on the sentence."""
        return self

    def prepare(self, batch: FrameBatch) -> None:
        """Nothing: the file has been read already."""

    def run(self, prepared: None) -> None:
        """Nothing, likewise."""

    def decode(self, outputs: None, batch: FrameBatch) -> list[Detections]:
        """The file's boxes for each frame, cut to the frame, best first."""
        return [self._frame(index, batch.size) for index in batch.indices.tolist()]

    def _frame(self, index: int, size: tuple[int, int]) -> Detections:
        line = self._lines.get(index) or Line(index, _floats([], 4), _floats([]), (), None)
        boxes = clip(line.boxes, *size)
        seen = (boxes[:, 2:] > boxes[:, :2]).all(axis=1) & (line.scores >= self.limits.threshold)
        order = np.argsort(-line.scores, kind="stable")
        rows = order[seen[order]][: self.config.max_per_frame]
        labels = np.array([self._number[label] for label in line.labels], np.int64)[rows]
        label_scores = np.zeros((len(rows), len(self.classes)), np.float32)
        label_scores[np.arange(len(rows)), labels] = line.scores[rows]
        features = None if line.features is None else line.features[rows]
        return Detections(index, boxes[rows], line.scores[rows], labels, label_scores, features)


def write(path: Path, detections: Iterable[Detections], classes: Sequence[str]) -> None:
    """Write ``detections`` in the format that ``FromFile`` reads; ``path`` is replaced whole."""
    with replacing(path) as part, part.open("w", encoding="utf-8") as stream:
        for one in detections:
            line: JsonDict = {
                "frame": one.frame_index,
                "boxes": one.boxes_xyxy.round(2).tolist(),
                "scores": one.scores.round(4).tolist(),
                "labels": [classes[label] for label in one.labels.tolist()],
            }
            if one.features is not None:
                line["features"] = one.features.tolist()
            stream.write(json.dumps(line) + "\n")


def _read(raw: bytes, place: str) -> Line:
    """One line of the file; ``place`` is "file:line" for errors."""
    with errors_as(InputError, place, FORMAT):
        row = parse_table(raw)
        frame = field_of(row, "frame", int, 0)
        labels = field_of(row, "labels", tuple[str, ...])
        boxes, scores = _floats(row["boxes"], 4), _floats(row["scores"])
        rows = row.get("features")
        features = None if rows is None else _floats(rows, len(rows[0]) if rows else 1)
        if problem := _problem(boxes, scores, labels, features):
            raise ValueError(problem)
        return Line(frame, boxes, scores, labels, features)


def _problem(
    boxes: FloatArray, scores: FloatArray, labels: tuple[str, ...], features: FloatArray | None
) -> str:
    """What is wrong with one line's values, or ""."""
    if not all(labels):
        return "a label without letters"
    counts = f"{len(boxes)} boxes, {len(scores)} scores, {len(labels)} labels"
    if not len(boxes) == len(scores) == len(labels):
        return counts
    if features is not None and len(features) != len(boxes):
        return f"{counts}, {len(features)} rows of features"
    if ((scores < 0) | (scores > 1)).any():
        return f"scores {short(scores.tolist())}, expected 0..1"
    if (boxes[:, 2:] < boxes[:, :2]).any():
        return "a box whose right or lower edge comes before its left or upper one"
    return ""


def _floats(values: object, width: int | None = None) -> FloatArray:
    """``values`` as finite float32, (D,) or (D, ``width``); ValueError otherwise."""
    array = numbers(values, width)
    if not (np.abs(array) <= _MOST).all():
        raise ValueError("a number that is not finite")
    return array.astype(np.float32)

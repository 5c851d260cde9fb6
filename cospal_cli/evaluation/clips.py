"""Hand-made truth on real clips: a few boxes and a span per query, made dense at frame times.

The file is one JSON object ``{"queries": [{"id", "video", "query", "target_class", "start", "end",
"boxes": [{"t", "box": [x1, y1, x2, y2]}, ...]}, ...]}``; times in seconds from the first frame,
boxes in pixels of the displayed frame; ``video`` is a file stem beside the JSON file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.errors import InputError
from cospal_cli.core.fitting import as_table, field_of, numbers
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.reading import read_table
from cospal_cli.core.tube import Tube
from cospal_cli.evaluation.metrics import s_iou, t_iou, v_iou

HIT = 0.5  # mean IoU over the annotated times at which a tubelet counts as the meant one


@dataclass(frozen=True)
class ClipQuery:
    """One query with its truth."""

    id: str
    video: Path
    text: str
    target_class: str
    span_s: tuple[float, float]
    times_s: NDArray[np.float64]  # (B,) of the annotated boxes
    boxes_xyxy: FloatArray  # (B, 4)


def read_clips(path: Path) -> list[ClipQuery]:
    """The queries of a truth file. Raises InputError naming what is malformed."""
    hint = "see the clips module"
    document = read_table(path, InputError, hint)
    with errors_as(InputError, f"{path}: not a truth file", hint):
        return [_query(path.parent, as_table(record)) for record in document["queries"]]


def _query(folder: Path, record: dict) -> ClipQuery:
    return ClipQuery(
        field_of(record, "id", str),
        folder / f"{field_of(record, 'video', str)}.mp4",
        field_of(record, "query", str),
        field_of(record, "target_class", str),
        (field_of(record, "start", float), field_of(record, "end", float)),
        numbers([box["t"] for box in record["boxes"]]),
        numbers([box["box"] for box in record["boxes"]], 4).astype(np.float32),
    )


def score(query: ClipQuery, tube: Tube | None, times_s: NDArray[np.float64]) -> dict[str, float]:
    """tIoU, vIoU and sIoU of ``tube`` on the video's own frames at ``times_s`` (F,).

    Truth boxes are linear between the annotated ones and stay before the first and after the last.
    """
    truth = np.flatnonzero((times_s >= query.span_s[0]) & (times_s < query.span_s[1]))
    truth_boxes = _at(times_s[truth], query.times_s, query.boxes_xyxy)
    if tube is None:
        return {"t_iou": 0.0, "v_iou": 0.0, "s_iou": 0.0}
    frames = np.searchsorted(times_s, tube.times_s - 1e-6)
    return {
        "t_iou": t_iou(frames, truth),
        "v_iou": v_iou(frames, tube.boxes_xyxy, truth, truth_boxes),
        "s_iou": s_iou(frames, tube.boxes_xyxy, truth, truth_boxes),
    }


def hit(query: ClipQuery, times_s: NDArray[np.float64], boxes_xyxy: FloatArray) -> bool:
    """Whether a whole tubelet (times (T,), boxes (T, 4)) is the one the query means."""
    frames = np.arange(len(query.times_s))
    near = (query.times_s >= times_s[0] - 0.3) & (query.times_s <= times_s[-1] + 0.3)
    boxes = _at(query.times_s[near], times_s, boxes_xyxy)
    return s_iou(frames[near], boxes, frames, query.boxes_xyxy) >= HIT


def summary(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Means over the queries, each metric with its ``m_`` name."""
    return {f"m_{name}": float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _at(
    times_s: NDArray[np.float64], known_s: NDArray[np.float64], boxes: FloatArray
) -> FloatArray:
    columns = [np.interp(times_s, known_s, side) for side in boxes.T]
    return np.stack(columns, axis=-1).astype(np.float32)

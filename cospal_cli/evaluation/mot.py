"""Multiple object tracking scores: MOTA (CLEAR MOT) and IDF1 of boxes with identities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cospal_cli.core.arrays import FloatArray, IntArray
from cospal_cli.core.assignment import assign
from cospal_cli.core.boxes import pairwise_iou

Frame = tuple[IntArray, FloatArray]  # identities (n,) and boxes (n, 4) of one frame


@dataclass(frozen=True)
class MotScores:
    """Counts are over all frames; ``mota`` <= 1, ``idf1`` in [0, 1]."""

    mota: float
    idf1: float
    switches: int
    misses: int
    false_positives: int
    truths: int


def evaluate(truth: Sequence[Frame], predicted: Sequence[Frame], min_iou: float = 0.5) -> MotScores:
    """Score ``predicted`` against ``truth``, frame by frame; boxes match from ``min_iou`` on.

    A pair of the last frame that still overlaps enough stays a pair (CLEAR MOT); identities are
    compared over the whole sequence (IDF1). Raises ValueError where the lengths differ.
    """
    if len(truth) != len(predicted):
        raise ValueError(f"predicted: expected {len(truth)} frames, found {len(predicted)}")
    partner: dict[int, int] = {}  # truth id -> the last id that matched it
    together: dict[tuple[int, int], int] = {}
    switches = misses = extra = 0
    for (true_ids, true_boxes), (ids, boxes) in zip(truth, predicted, strict=True):
        overlap = pairwise_iou(true_boxes, boxes)
        for t, f in np.argwhere(overlap >= min_iou):
            pair = int(true_ids[t]), int(ids[f])
            together[pair] = together.get(pair, 0) + 1
        kept = np.array([[partner.get(int(t)) == int(f) for f in ids] for t in true_ids], bool)
        cost = 1 - overlap - 2 * kept.reshape(overlap.shape)
        cost[overlap < min_iou] = np.inf
        rows, columns = assign(cost, 1 - min_iou)
        misses += len(true_ids) - len(rows)
        extra += len(ids) - len(rows)
        for t, f in zip(true_ids[rows].tolist(), ids[columns].tolist(), strict=True):
            switches += partner.get(t, f) != f
            partner[t] = f
    truths = sum(len(ids) for ids, _ in truth)
    outputs = sum(len(ids) for ids, _ in predicted)
    mota = 1 - (misses + extra + switches) / max(truths, 1)
    idf1 = 2 * _identified(together) / max(truths + outputs, 1)
    return MotScores(mota, idf1, switches, misses, extra, truths)


def _identified(together: dict[tuple[int, int], int]) -> int:
    """Boxes that agree under the best one-to-one mapping of true to predicted identities."""
    if not together:
        return 0
    pairs = np.array(list(together))
    rows, row_of = np.unique(pairs[:, 0], return_inverse=True)
    columns, column_of = np.unique(pairs[:, 1], return_inverse=True)
    gain = np.zeros((len(rows), len(columns)))
    gain[row_of, column_of] = list(together.values())
    at = assign(-gain, 0.0)
    return int(gain[at].sum())

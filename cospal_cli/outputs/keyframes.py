"""Which boxes of a track are enough, where a program draws straight lines between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import IntArray

FARTHEST = 300  # rows from one key to the next: bounds the work, not the error
_SLACK = 1e-6  # pixels by which the error stays below what was asked for, after rounding too


def key_rows(frames: IntArray, boxes: NDArray[np.float64], error: float) -> list[int]:
    """The fewest rows of ``boxes`` (T, 4) at ``frames`` (T,), the first and the last among them,
    between which straight lines stay nearer than ``error`` pixels to every side.

    0: every row. Douglas and Peucker's error, but with as few rows as there can be: the shortest
    way from the first row to the last over all lines that are near enough.
    """
    count = len(frames)
    if error <= 0 or count < 3:
        return list(range(count))
    steps, before = np.full(count, count), np.zeros(count, np.int64)
    steps[0] = 0
    for row in range(count - 1):
        reached = row + 1 + _straight(frames[row:], boxes[row:], error - _SLACK)
        better = reached[steps[reached] > steps[row] + 1]
        steps[better], before[better] = steps[row] + 1, row
    kept = [count - 1]
    while kept[-1]:
        kept.append(int(before[kept[-1]]))
    return kept[::-1]


def _straight(frames: IntArray, boxes: NDArray[np.float64], error: float) -> NDArray[np.int64]:
    """Rows behind the first (0: the next one) to which a straight line from it misses no box
    between by ``error`` or more.

    Each box between leaves the line a range of slopes; what is left narrows from row to row.
    """
    ahead = slice(1, FARTHEST + 1)
    distance = (frames[ahead] - frames[0])[:, None].astype(np.float64)
    off = boxes[ahead] - boxes[0]
    low = np.maximum.accumulate((off - error) / distance)
    high = np.minimum.accumulate((off + error) / distance)
    slope = off[1:] / distance[1:]
    near = ((slope >= low[:-1]) & (slope <= high[:-1])).all(axis=1)
    return np.concatenate([[0], 1 + np.flatnonzero(near)])

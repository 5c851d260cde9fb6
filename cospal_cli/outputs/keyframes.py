"""Which boxes of a track are enough, where a program draws straight lines between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.types import IntArray


def key_rows(frames: IntArray, boxes: NDArray[np.float64], error: float) -> list[int]:
    """Rows of ``boxes`` (T, 4) at ``frames`` (T,), the first and the last among them, between which
    straight lines stay nearer than ``error`` pixels to every side (Douglas and Peucker).

    0: every row.
    """
    if error <= 0:
        return list(range(len(frames)))
    kept, open_ends = {0, len(frames) - 1}, [(0, len(frames) - 1)]
    while open_ends:
        first, last = open_ends.pop()
        if last - first < 2:
            continue
        share = (frames[first + 1 : last] - frames[first]) / (frames[last] - frames[first])
        line = boxes[first] + share[:, None] * (boxes[last] - boxes[first])
        off = np.abs(boxes[first + 1 : last] - line).max(axis=1)
        worst = int(off.argmax())
        if off[worst] >= error:
            middle = first + 1 + worst
            kept.add(middle)
            open_ends += [(first, middle), (middle, last)]
    return sorted(kept)

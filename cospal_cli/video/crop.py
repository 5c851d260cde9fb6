"""A window of one size that follows the subject, as steady as it can and never beyond the frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import IntArray
from cospal_cli.core.brief import brief
from cospal_cli.core.tube import Tube

_MARGIN = 0.2  # of the box's side, around it
_LEAST = 64  # pixels
_WIDEST, _TALLEST = 16 / 9, 16 / 9  # a window is no flatter, and no taller, than this
# Over how much time boxes are averaged, the window's path is drawn straight, and its corners are
# rounded at last.
_JITTER_S, _CALM_S, _ROUND_S = 0.06, 1.0, 0.12
_ROUNDS = 60


@dataclass(frozen=True)
class CropPath:
    """Where the window is."""

    size: tuple[int, int]  # (W, H), even
    pts: IntArray  # (T,) rising, in source time base units
    corners: IntArray  # (T, 2) left and top

    __repr__ = brief

    def corner(self, pts: int) -> tuple[int, int]:
        """Left and top at a time; before and after the tube as at its ends."""
        row = int(np.searchsorted(self.pts, pts, side="right")) - 1
        left, top = self.corners[max(0, row)].tolist()
        return left, top


def crop_path(tube: Tube, frame: tuple[int, int], aspect: float = 1.0) -> CropPath:
    """The window for ``tube`` in a video of the displayed size ``frame`` (W, H).

    Its sides are even, large enough for the box at any time with a margin, and never larger than
    the frame. It stands still while the box stays inside, and else moves no faster than it must.
    ``aspect``: width of a pixel by its height.
    """
    limit = np.maximum(2, np.array(frame) // 2 * 2)
    step_s = float(np.median(np.diff(tube.times_s))) if len(tube.times_s) > 1 else 1.0
    edges = np.array([*frame, *frame], np.float64)
    boxes = np.clip(tube.boxes_xyxy.astype(np.float64), 0, edges)
    boxes = _smoothed(boxes, _JITTER_S / step_s, "odd")
    size = _size(boxes, limit, aspect)
    slack = np.minimum(_MARGIN / 2 * (boxes[:, 2:] - boxes[:, :2]), 0.25 * size)
    low = boxes[:, 2:] + slack - size  # further to the left, the box would stick out
    high = boxes[:, :2] - slack
    middle = (boxes[:, :2] + boxes[:, 2:] - size) / 2
    low, high = np.where(low > high, middle, low), np.where(low > high, middle, high)
    low, high = (np.clip(side, 0, limit - size) for side in (low, high))
    path = np.clip(middle, low, high)
    for _ in range(_ROUNDS):  # towards the shortest way that keeps the box inside
        path = np.clip(_smoothed(path, _CALM_S / step_s), low, high)
    path = np.clip(_smoothed(path, _ROUND_S / step_s, "odd"), 0, limit - size)
    return CropPath((int(size[0]), int(size[1])), tube.pts, np.round(path).astype(np.int64))


def _size(boxes: NDArray[np.float64], limit: IntArray, aspect: float) -> IntArray:
    """Even width and height for the largest of ``boxes`` with its margin."""
    wide, tall = ((boxes[:, 2:] - boxes[:, :2]).max(axis=0) * (1 + 2 * _MARGIN)).tolist()
    wide, tall = wide * aspect, tall  # as displayed
    wide = max(wide, tall / _TALLEST, _LEAST)
    tall = max(tall, wide / _WIDEST, _LEAST)
    even = np.array([math.ceil(wide / aspect / 2) * 2, math.ceil(tall / 2) * 2])
    return np.minimum(even, limit)


def _smoothed(
    values: NDArray[np.float64], width: float, ends: Literal["edge", "odd"] = "edge"
) -> NDArray[np.float64]:
    """Means of (T, C) ``values`` along T with weights that fall off over ``width`` rows.

    ``ends``: beyond, they go on as they end ("edge"), or as they came ("odd").
    """
    reach = min(len(values) - 1, math.ceil(2 * width))
    if reach < 1:
        return values
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    around = ((reach, reach), (0, 0))
    if ends == "odd":
        padded = np.pad(values, around, "reflect", reflect_type="odd")
    else:
        padded = np.pad(values, around, "edge")
    columns = [np.convolve(one, weights / weights.sum(), "valid") for one in padded.T]
    return np.stack(columns, axis=1)

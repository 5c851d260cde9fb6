"""Shot cuts: the colours of nearly every part of the frame and its structure change at once.

Things that pass close to the camera change only some parts; pans and zooms keep the structure once
the camera's motion is taken out; a flash keeps the structure, or gives the old shot back.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.track.camera import CELLS, STILL, CameraMotion, cell_sums, likeness

_HUES, _VALUES = 6, 4  # bins; the hue bin after the last is gray
_BINS = (_HUES + 1) * _VALUES
_FEW, _MANY = 0.15, 0.25  # colour distance of the first quartile and the median of the cells
_STRUCTURE = 0.3  # correlation of normalised gray from which the place is the same
_SAME, _STAYING = 0.6, 0.15  # a cell stays; share of the cells that stay where nothing was cut
_FLASH_S = 0.5  # the old shot may come back within


class Shots:
    """Streaming numbers of the shots."""

    def __init__(self) -> None:
        self.shot = 0
        self._next = 1
        self._last: _Frame | None = None
        self._left: _Frame | None = None  # the last frame before a cut
        self._left_shot, self._left_s = 0, -np.inf

    def update(
        self,
        small: NDArray[np.uint8],
        gray: FloatArray,
        time_s: float,
        motion: CameraMotion = STILL,
    ) -> int:
        """Shot number of the next frame; an earlier number where a flash ended.

        ``small`` (h, w, 3) RGB, ``gray`` (h, w) the same normalised; ``motion`` the camera's since
        the last frame, STILL if none was found.
        """
        now = _Frame(small, gray)
        last, self._last = self._last, now
        # Motion is only found where the aligned frames agree.
        if last is None or last.gray.shape != gray.shape or motion != STILL:
            return self.shot
        if not _differ(last, now):
            return self.shot
        if self._left and time_s - self._left_s <= _FLASH_S and not _differ(self._left, now):
            self.shot, self._left = self._left_shot, None
            return self.shot
        self._left, self._left_shot, self._left_s = last, self.shot, time_s
        self.shot, self._next = self._next, self._next + 1
        return self.shot


class _Frame(NamedTuple):
    small: NDArray[np.uint8]
    gray: FloatArray


def _differ(a: _Frame, b: _Frame) -> bool:
    """Whether two frames show different places. Cheapest test first: most frames stop there."""
    if likeness(a.gray, b.gray) >= _STRUCTURE:
        return False
    if (_cell_likeness(a.gray, b.gray) > _SAME).sum() >= _STAYING * CELLS**2:
        return False
    distances = np.sort(1 - np.minimum(_cells(a.small), _cells(b.small)).sum(axis=1))
    count = len(distances)
    return bool(distances[count // 4] > _FEW and distances[count // 2] > _MANY)


def _cell_likeness(a: FloatArray, b: FloatArray) -> FloatArray:
    """Correlation (cells,) of two normalised images cell by cell; 0 where one is flat."""
    cross, own, other = (cell_sums(product) for product in (a * b, a * a, b * b))
    size = a.size / CELLS**2
    alike: FloatArray = np.where(
        np.minimum(own, other) > 0.02 * size, cross / np.sqrt(np.maximum(own * other, 1e-9)), 0
    )
    return alike


def _cells(small: NDArray[np.uint8]) -> FloatArray:
    """Hue and value histograms (cells, bins) of a grid of cells, rows summing to 1."""
    rgb = small.astype(np.int16)
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    value = rgb.max(axis=-1)
    chroma = value - rgb.min(axis=-1)
    divisor = np.maximum(chroma, 1).astype(np.float32)
    hue = np.where(
        value == red,
        (green - blue) / divisor % 6,
        np.where(value == green, (blue - red) / divisor + 2, (red - green) / divisor + 4),
    )
    hues = np.where(chroma * 4 < value, _HUES, np.minimum(hue.astype(np.int16), _HUES - 1))
    bins = hues * _VALUES + value * _VALUES // 256
    rows, columns = (np.arange(side) * CELLS // side for side in value.shape)
    index = (rows[:, None] * CELLS + columns) * _BINS + bins
    counts = np.bincount(index.ravel(), minlength=CELLS**2 * _BINS).reshape(-1, _BINS)
    shares: FloatArray = (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)).astype(
        np.float32
    )
    return shares

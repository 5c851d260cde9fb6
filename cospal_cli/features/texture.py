"""Whether a garment is striped, checked, dotted, printed or plain, from the texture of its region.

Stripes run one way and come again and again; checks run two ways at right angles; dots run no way.
What is patterned at all stands out from the folds, which are broad and faint.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.colours import REGIONS
from cospal_cli.core.observation import Crops
from cospal_cli.core.tubelets import Tubelet
from cospal_cli.features.box_colours import region_boxes
from cospal_cli.features.crops import pictures

PATTERNS = ("striped", "checked", "dotted", "printed", "plain")
UNKNOWN = np.full(len(PATTERNS), 0.5, np.float32)  # of a region without pixels enough
_PLANES = ((0.3, 0.59, 0.11), (0.7, -0.7, 0), (0.35, 0.35, -0.7))  # light, red-green, blue-yellow
_LEAST = 14  # pixels of a region's shorter side
_SHADING = 0.2  # of the shorter side: broader changes are folds and light
_FAINT, _FAINT_SPREAD = 0.04, 0.22  # contrast of a pattern that is just seen; in log units
_CELLS, _QUIET = 4, 0.35  # parts a side, and the share of them that are quieter
_REPEATS = 0.28  # correlation with itself, a period on, from which a pattern comes again
_ONE_WAY, _TWO_WAYS = 0.5, 0.14  # shares of the gradients along one axis, along two


class Textures:
    """The patterns of one observation's tubelets, each looked at once."""

    def __init__(self, crops: Crops, count: int) -> None:
        """``count``: crops a tubelet."""
        self._crops, self._count = crops, count
        self._seen: dict[int, FloatArray] = {}

    def patterns(self, tubelet: Tubelet) -> FloatArray:
        """Chance (R, P) of each of ``PATTERNS`` in each region; each by itself, not a share."""
        if tubelet.id not in self._seen:
            shown = pictures(self._crops, tubelet.track_ids, self._count)
            tables = [_of_picture(picture) for picture in shown]
            self._seen[tubelet.id] = (
                np.median(tables, axis=0) if tables else np.tile(UNKNOWN, (len(REGIONS), 1))
            )
        return self._seen[tubelet.id]


def _of_picture(picture: NDArray[np.uint8]) -> FloatArray:
    height, width = picture.shape[:2]
    boxes = region_boxes(np.array([[0, 0, width, height]], np.float32))[0].astype(int)
    return np.stack([patterns(picture[y1:y2, x1:x2]) for x1, y1, x2, y2 in boxes])


def patterns(cloth: NDArray[np.uint8]) -> FloatArray:
    """Chance (P,) of each of ``PATTERNS`` for a piece of cloth (h, w, 3) RGB."""
    if min(cloth.shape[:2]) < _LEAST:
        return UNKNOWN
    detail = _detail(cloth)
    contrast = _contrast(detail)
    patterned = _rises(np.log(max(contrast, 1e-4) / _FAINT), _FAINT_SPREAD)
    one, two = _ways(detail)
    again = _rises(_repeats(detail) - _REPEATS, 0.06)
    lines, grid = _rises(one - _ONE_WAY, 0.07), _rises(two - _TWO_WAYS, 0.03)
    return np.array(
        [
            patterned * lines * again,
            patterned * (1 - lines) * grid * again,
            patterned * (1 - lines) * (1 - grid) * (0.1 + 0.9 * again),
            patterned,
            1 - patterned,
        ],
        np.float32,
    )


def _detail(cloth: NDArray[np.uint8]) -> FloatArray:
    """The lightness or colour difference (h, w) that varies most, 0..1, less what is broad."""
    rgb = cloth.astype(np.float32) / 255
    planes = np.moveaxis(rgb @ np.array(_PLANES, np.float32).T, -1, 0).astype(np.float32)
    reach = max(int(_SHADING * min(cloth.shape[:2])), 3)
    details = [plane - _blur(plane, reach) for plane in planes]
    return max(details, key=lambda d: float((d**2).mean()))


def _contrast(detail: FloatArray) -> float:
    """Of the detail in the quieter parts of the cloth: its edge and an arm are in few of them."""
    rows, columns = (np.arange(_CELLS) * side // _CELLS for side in detail.shape)
    sums = np.add.reduceat(np.add.reduceat(detail**2, rows, axis=0), columns, axis=1)
    ones = np.add.reduceat(np.add.reduceat(np.ones_like(detail), rows, axis=0), columns, axis=1)
    return float(np.quantile(np.sqrt(sums / ones), _QUIET))


def _blur(plane: FloatArray, reach: int) -> FloatArray:
    """Means over windows of about ``reach`` pixels a side, edges repeated, twice over."""
    for axis in (0, 1, 0, 1):
        half = reach // 2
        padded = np.pad(plane, [(half + 1, half) if a == axis else (0, 0) for a in (0, 1)], "edge")
        total = np.cumsum(padded, axis=axis, dtype=np.float64)
        count = plane.shape[axis]
        ahead, behind = np.arange(count) + 2 * half + 1, np.arange(count)
        plane = ((total.take(ahead, axis) - total.take(behind, axis)) / (2 * half + 1)).astype(
            np.float32
        )
    return plane


def _ways(detail: FloatArray) -> tuple[float, float]:
    """How much of the gradients lies along one axis, and along two at right angles; 0..1 each."""
    down, across = np.gradient(detail)
    power = down**2 + across**2
    angle = np.arctan2(down, across)
    total = float(power.sum()) + 1e-9
    one, two = (abs((power * np.exp(1j * n * angle)).sum()) / total for n in (2, 4))
    return float(one), float(two)


def _repeats(detail: FloatArray) -> float:
    """The highest correlation (0..1) of the texture with itself a period on: behind a dip."""
    height, width = detail.shape
    padded = np.fft.rfft2(detail, (2 * height, 2 * width))
    power = np.fft.irfft2(np.abs(padded) ** 2, (2 * height, 2 * width))[: height // 2, : width // 2]
    shared = np.outer(height - np.arange(height // 2), width - np.arange(width // 2))
    match = power / shared
    match /= max(float(match[0, 0]), 1e-9)
    best = 0.0
    for line in (match[0], match[:, 0], np.diagonal(match)):
        dips = np.flatnonzero(line < 0)
        if len(dips):
            best = max(best, float(line[dips[0] :].max()))
    return best


def _rises(value: float, spread: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(value / spread, -30, 30))))

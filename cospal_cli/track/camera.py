"""Global camera motion between consecutive sampled frames: translation and zoom, by NumPy alone.

A coarse shift by phase correlation, refined by robust Gauss-Newton steps on the gray difference of
small images. Boxes of things that move by themselves are masked out; what disagrees with the
majority of the rest loses its weight (Cauchy).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray

CELLS = 4  # cells a side, where parts of the frame are judged alone
_SIDE = 128  # longer side of the images compared, pixels
_STEPS = 5
_LEAST = 16  # smaller sides are no evidence
_FREE = 0.12  # least share of the image that masks must leave free
_TEXTURE = 0.03  # gradient (root mean square, of normalised gray) below which nothing is estimated
_CONTRAST = 5.0  # gray levels added to the local contrast, so that noise is not blown up
_WINDOW = 13  # side of the window that contrast is taken over, small pixels
_PEAKS = 2  # coarse shifts tried
_CUT = 1.0  # differences of normalised gray count no more than this
_LIKE = 0.5  # correlation that the aligned images must reach
_PATIENCE_S = 0.4  # age of the reference frame while nothing moves
_VOTES = 2.5  # cells that motion must better, for every cell that it worsens
_GAIN = 0.93  # residual that motion must reach, relative to "no motion", to be believed


@dataclass(frozen=True)
class CameraMotion:
    """Maps a displayed point of the previous frame to this one: ``p * zoom + shift`` (pixels)."""

    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)

    def apply(self, points: FloatArray) -> FloatArray:
        """Points (..., 2) carried by the camera."""
        return points * np.float32(self.zoom) + np.asarray(self.shift, np.float32)


STILL = CameraMotion()


def shrink(image: NDArray[np.uint8], side: int = _SIDE) -> NDArray[np.uint8]:
    """``image`` (h, w, 3) at a whole fraction of its size, longer side at most ``side``.

    Averages four samples of every block: enough against aliasing, and four times faster than all.
    """
    step = -(-max(image.shape[:2]) // side)
    if step == 1:
        return image
    short = [(0, max(0, step - n)) for n in image.shape[:2]]
    if any(more for _, more in short):  # a strip that is narrower than one block
        image = np.pad(image, [*short, (0, 0)], mode="edge")
    height, width = (n // step * step for n in image.shape[:2])
    low, high = step // 4, step - 1 - step // 4
    total = image[low:height:step, low:width:step].astype(np.uint16)
    for row, column in ((low, high), (high, low), (high, high)):
        total += image[row:height:step, column:width:step]
    return (total >> 2).astype(np.uint8)


class Camera:
    """Streaming estimate over the small images of the sampled frames.

    A frame that shows no motion leaves the reference where it was, for a while: a pan too slow
    to be distinguished from noise between two frames adds up until it can be.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._past: _View | None = None
        self._now: _View | None = None

    def update(self, gray: FloatArray, boxes: FloatArray, time_s: float) -> CameraMotion:
        """Motion since the last frame that showed any, for ``normalise(shrink(image))`` (h, w).

        ``boxes`` (B, 4), displayed pixels, are masked out of the frame.
        """
        self._now = now = _View(gray, _mask(gray.shape, boxes, self._size), time_s)
        past = self._past
        if past is None or past.gray.shape != gray.shape:
            self._past = now
            return STILL
        zoom, x, y = estimate(past.gray, gray, now.free * past.free)
        if (zoom, x, y) != (1.0, 0.0, 0.0) or time_s - past.time_s >= _PATIENCE_S:
            self._past = now
        scale = self._size[0] / gray.shape[1], self._size[1] / gray.shape[0]
        return CameraMotion(zoom, (x * scale[0], y * scale[1]))

    def restart(self) -> None:
        """The last frame began a new shot: nothing before it counts."""
        self._past = self._now


class _View(NamedTuple):
    gray: FloatArray
    free: FloatArray
    time_s: float


def normalise(small: NDArray[np.uint8]) -> FloatArray:
    """Gray (h, w) less its local mean, by its local contrast: every textured part then has a like
    voice, and exposure has none."""
    gray = small.astype(np.float32) @ np.array([0.3, 0.59, 0.11], np.float32)
    padded = _padded(_padded(gray, 1, 1, 0), 1, 1, 1)
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    gray = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 16  # slopes hold over two pixels
    detail = gray - _box_mean(gray)
    spread: FloatArray = detail / (np.sqrt(_box_mean(detail**2)) + np.float32(_CONTRAST))
    return spread


def estimate(before: FloatArray, now: FloatArray, free: FloatArray) -> tuple[float, float, float]:
    """Zoom and shift (small pixels, origin top left) that carry ``before`` to ``now``.

    ``free`` (h, w) in [0, 1] weighs the pixels. (1, 0, 0) when nothing can be estimated.
    """
    height, width = now.shape
    if free.mean() < _FREE or min(height, width) < _LEAST:
        return 1.0, 0.0, 0.0
    shifts = dict.fromkeys([(0, 0), *_phase_shifts(before, now, free)])
    starts = [np.array([1.0, *shift]) for shift in shifts]
    grid = (
        (np.arange(width, dtype=np.float32) + 0.5 - width / 2),
        (np.arange(height, dtype=np.float32) + 0.5 - height / 2),
    )
    misfits = [_misfit(before, *_sample(now, grid, p), free) for p in starts]
    refined = _refine(before, now, free, grid, starts[int(np.argmin(misfits))])
    if refined is None:
        return 1.0, 0.0, 0.0
    moved, inside = _sample(now, grid, refined)
    if _misfit(before, moved, inside, free) > _GAIN * misfits[0]:
        return 1.0, 0.0, 0.0
    inside *= free
    if likeness(before, moved, inside) < _LIKE or not _widespread(before, now, moved, inside):
        return 1.0, 0.0, 0.0
    zoom, x, y = (float(value) for value in refined)
    # The estimate is about the image's middle; the answer is about its corner.
    return zoom, x + (1 - zoom) * width / 2, y + (1 - zoom) * height / 2


def _widespread(before: FloatArray, now: FloatArray, moved: FloatArray, free: FloatArray) -> bool:
    """Whether the motion explains most parts of the frame better, not just one large thing."""
    gain = cell_sums((np.abs(now - before) - np.abs(moved - before)) * free)
    noise = 0.01 * cell_sums(free)
    return bool((gain > noise).sum() >= _VOTES * max(int((gain < -noise).sum()), 1))


def cell_sums(values: FloatArray) -> FloatArray:
    """Sums (cells,) of ``values`` (h, w) over a grid of cells."""
    rows, columns = (np.arange(CELLS) * side // CELLS for side in values.shape)
    sums: FloatArray = np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1)
    return sums.ravel()


def likeness(first: FloatArray, second: FloatArray, weight: FloatArray | float = 1.0) -> float:
    """Normalised correlation in [-1, 1] of two normalised images (h, w); 1 if both are flat."""
    own = float((first**2 * weight).sum()), float((second**2 * weight).sum())
    if max(own) < 1e-3 * first.size:
        return 1.0
    return float((first * second * weight).sum()) / max((own[0] * own[1]) ** 0.5, 1e-9)


def _mask(shape: tuple[int, ...], boxes: FloatArray, size: tuple[int, int]) -> FloatArray:
    """1 where no box (grown by a tenth) lies, else 0."""
    free = np.ones(shape, np.float32)
    scale = np.array([shape[1] / size[0], shape[0] / size[1]] * 2, np.float32)
    margin = 0.1 * (boxes[:, 2:] - boxes[:, :2])
    grown = np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1) * scale
    for x1, y1, x2, y2 in np.clip(grown, 0, None).astype(int):
        free[y1 : y2 + 1, x1 : x2 + 1] = 0
    return free


def _box_mean(gray: FloatArray) -> FloatArray:
    """Mean over ``_WINDOW`` square windows, edges repeated."""
    half = _WINDOW // 2
    for axis in (0, 1):
        total = np.cumsum(_padded(gray, half + 1, half, axis), axis=axis, dtype=np.float32)
        late, early = [slice(None)] * 2, [slice(None)] * 2
        late[axis], early[axis] = slice(_WINDOW, None), slice(None, -_WINDOW)
        gray = (total[tuple(late)] - total[tuple(early)]) / np.float32(_WINDOW)
    return gray


def _padded(gray: FloatArray, before: int, after: int, axis: int) -> FloatArray:
    """``gray`` (h, w) with its edges repeated along ``axis``: NumPy's own takes long."""
    side = gray.shape[axis]
    at = np.arange(-before, side + after)
    return gray.take(np.minimum(np.maximum(at, 0), side - 1), axis)


def _phase_shifts(before: FloatArray, now: FloatArray, free: FloatArray) -> list[tuple[int, int]]:
    """Whole-pixel shifts (x, y) at the strongest peaks of the phase correlation."""
    height, width = now.shape
    window = _hann(height, width) * free
    first, second = (np.fft.rfft2(gray * window) for gray in (before, now))
    cross = second * np.conj(first)
    cross /= np.sqrt(np.abs(cross)) + 1e-3  # half whitened: steadier under blur than full
    surface = np.fft.irfft2(cross, s=(height, width))
    shifts = []
    for _ in range(_PEAKS):
        y, x = divmod(int(surface.argmax()), width)
        shifts.append((x - width * (x > width // 2), y - height * (y > height // 2)))
        rows, columns = (np.arange(-2, 3) + y) % height, (np.arange(-2, 3) + x) % width
        surface[np.ix_(rows, columns)] = -np.inf
    return shifts


@lru_cache(maxsize=4)
def _hann(height: int, width: int) -> FloatArray:
    """A window (h, w) that falls off to the borders."""
    window: FloatArray = np.outer(np.hanning(height), np.hanning(width)).astype(np.float32)
    return window


def _sample(
    gray: FloatArray, grid: tuple[FloatArray, FloatArray], p: NDArray[np.float64]
) -> tuple[FloatArray, FloatArray]:
    """``gray`` at ``p[0] * grid + p[1:]`` (bilinear, separable); the mask of what lies inside."""
    inside = []
    for axis, coordinates in ((1, grid[0]), (0, grid[1])):
        side = gray.shape[axis]
        at = coordinates * np.float32(p[0]) + np.float32(p[2 - axis] + side / 2 - 0.5)
        inside.append((at >= 0) & (at <= side - 1))
        low = np.minimum(np.maximum(np.floor(at), 0), side - 2).astype(np.intp)
        part = np.minimum(np.maximum(at - low, 0), 1).astype(np.float32)
        part = part[None] if axis == 1 else part[:, None]
        base = gray.take(low, axis)
        gray = base + (gray.take(low + 1, axis) - base) * part
    return gray, np.outer(inside[1], inside[0]).astype(np.float32)


def _misfit(before: FloatArray, moved: FloatArray, inside: FloatArray, free: FloatArray) -> float:
    """Mean absolute difference, large values cut, over what both frames show."""
    weight = free * inside
    total = float(weight.sum())
    if total < 0.25 * float(free.sum()):
        return np.inf
    return float((np.minimum(np.abs(moved - before), _CUT) * weight).sum()) / total


def _refine(
    before: FloatArray,
    now: FloatArray,
    free: FloatArray,
    grid: tuple[FloatArray, FloatArray],
    start: NDArray[np.float64],
) -> NDArray[np.float64] | None:
    """Robust Gauss-Newton from ``start``; None where there is no texture to hold on to."""
    slope_y, slope_x = np.gradient(before)
    turn = slope_x * grid[0] + slope_y * grid[1][:, None]
    slopes = np.stack([turn, slope_x, slope_y]).reshape(3, -1)
    if np.sqrt(np.average(slope_x**2 + slope_y**2, weights=free)) < _TEXTURE:
        return None
    p = start.copy()
    for _ in range(_STEPS):
        moved, inside = _sample(now, grid, p)
        error = (moved - before).ravel()
        weight = (free * inside).ravel()
        spread = float((np.abs(error) * weight).sum() / max(weight.sum(), 1)) + 0.02
        weight = weight / (1 + (error / spread) ** 2)
        weighted = slopes * weight
        normal = (weighted @ slopes.T).astype(np.float64)
        normal[np.diag_indices(3)] *= 1 + 1e-4
        step = np.linalg.lstsq(normal, (weighted @ error).astype(np.float64), rcond=None)[0]
        p -= step
        if not (0.7 < p[0] < 1.4) or not np.isfinite(p).all():
            return None
        if np.abs(step[1:]).max() < 0.01 and abs(step[0]) * now.shape[1] < 0.02:
            break
    return p

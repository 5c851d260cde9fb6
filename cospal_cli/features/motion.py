"""How a tubelet moves, in units that neither frame rate nor resolution change.

Lengths are in *heights*: the tubelet's own size (square root of its median box area), so that near
and far subjects compare; times in seconds; the camera's motion is taken out first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.boxes import area
from cospal_cli.core.middle import median
from cospal_cli.core.tubelets import Tubelet

WINDOW_S = 0.5  # speeds are slopes over this time: shorter ones measure the box's jitter
DEPTH = 1.5  # heights per second that a log size change of 1 per second counts as
_BORDER = 0.012  # of the frame's side: nearer to it a box's side is the border's


@dataclass(frozen=True)
class MotionCurves:
    """Curves of one tubelet at its own times (T,)."""

    times_s: NDArray[np.float64]
    velocity: FloatArray  # (T, 2) heights per second, right and down positive
    growth: FloatArray  # (T,) change of log size per second: positive when it comes closer
    inner: FloatArray  # (T,) mean change of the box's own pixels per second: limbs, mouths

    @property
    def speed(self) -> FloatArray:
        """(T,) heights per second."""
        return np.hypot(self.velocity[:, 0], self.velocity[:, 1])

    @property
    def pace(self) -> FloatArray:
        """(T,) how fast it moves across the frame or in depth, heights per second."""
        return np.maximum(self.speed, DEPTH * np.abs(self.growth))


def motion(tubelet: Tubelet, size: tuple[int, int]) -> MotionCurves:
    """Motion of ``tubelet`` in a frame of ``size`` (W, H)."""
    scale = float(np.sqrt(median(area(tubelet.boxes_xyxy)))) or 1.0
    path, log_size = _path(tubelet.boxes_xyxy, size)
    place = path / scale
    if tubelet.camera_xy is not None:
        place = place - tubelet.camera_xy / scale
    rates = slopes(tubelet.times_s, np.column_stack([place, log_size]))
    return MotionCurves(
        tubelet.times_s,
        rates[:, :2].astype(np.float32),
        rates[:, 2].astype(np.float32),
        _inner(tubelet),
    )


def _path(
    boxes: FloatArray, size: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Place (T, 2) in pixels and log size (T,), each from 0, following only sides in the frame.

    A side on the frame's border is the frame's, not the subject's: someone who walks out of the
    picture neither stops nor shrinks.
    """
    limits = np.array([0, 0, *size], np.float64)
    inside = np.abs(boxes - limits) > _BORDER * np.array([*size, *size])
    free = inside[1:] & inside[:-1]  # (T-1, 4)
    steps = np.where(free, np.diff(boxes.astype(np.float64), axis=0), 0).reshape(-1, 2, 2)
    moved = steps.sum(axis=1) / np.maximum(free.reshape(-1, 2, 2).sum(axis=1), 1)
    sides = np.log(np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-3).astype(np.float64))
    whole = free[:, :2] & free[:, 2:]
    grown = np.where(whole, np.diff(sides, axis=0), 0).sum(axis=1) / np.maximum(
        whole.sum(axis=1), 1
    )
    start = np.zeros((1, 2))
    return np.vstack([start, np.cumsum(moved, axis=0)]), np.append(0.0, np.cumsum(grown))


def slopes(times: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least-squares slope of each column of ``values`` (T, V) over a centred window of time."""
    if len(times) < 2:
        return np.zeros_like(values, dtype=np.float64)
    half = max(WINDOW_S / 2, float(median(np.diff(times))))
    low = np.searchsorted(times, times - half - 1e-6)
    high = np.searchsorted(times, times + half + 1e-6)
    t = times - times[0]
    columns = np.column_stack([np.ones_like(t), t, t * t, values, values * t[:, None]])
    sums = np.vstack([np.zeros(columns.shape[1]), np.cumsum(columns, axis=0)])
    window = sums[high] - sums[low]
    n, st, stt = window[:, 0], window[:, 1], window[:, 2]
    width = values.shape[1]
    sv, svt = window[:, 3 : 3 + width], window[:, 3 + width :]
    spread = n * stt - st * st
    slope = n[:, None] * svt - st[:, None] * sv
    return np.divide(slope, spread[:, None], out=np.zeros_like(slope), where=spread[:, None] > 1e-9)


def _inner(tubelet: Tubelet) -> FloatArray:
    """Mean absolute change of the thumbnail per second, at every frame of the tubelet."""
    if tubelet.colours is None or len(tubelet.colours) < 2:
        return np.zeros(len(tubelet), np.float32)
    seen = tubelet.times_s[tubelet.observed]
    thumbs = tubelet.colours.thumbs.astype(np.float32) / 255
    thumbs -= thumbs.mean(axis=(1, 2), keepdims=True)  # exposure changes are not motion
    change = np.abs(np.diff(thumbs, axis=0)).mean(axis=(1, 2)) / np.maximum(np.diff(seen), 1e-3)
    middle = (seen[1:] + seen[:-1]) / 2
    return np.interp(tubelet.times_s, middle, change).astype(np.float32)

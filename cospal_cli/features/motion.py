"""How a tubelet moves, in units that neither frame rate nor resolution change.

Lengths are in *heights*: the tubelet's own size (square root of its median box area), so that near
and far subjects compare; times in seconds; the camera's motion is taken out first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cospal_cli.boxes import area, centres
from cospal_cli.types import FloatArray, Tubelet

WINDOW_S = 0.5  # speeds are slopes over this time: shorter ones measure the box's jitter


@dataclass(frozen=True)
class Motion:
    """Curves of one tubelet, all (T,) at its own times unless said."""

    times_s: NDArray[np.float64]
    velocity: FloatArray  # (T, 2) heights per second, right and down positive
    growth: FloatArray  # change of log size per second: positive when it comes closer
    inner: FloatArray  # mean change of the box's own pixels per second, 0..1: limbs, mouths
    edge: FloatArray  # (T, 4) whether left, top, right, bottom sides lie on the frame's border

    @property
    def speed(self) -> FloatArray:
        """(T,) heights per second."""
        return np.hypot(self.velocity[:, 0], self.velocity[:, 1])


def motion(tubelet: Tubelet, size: tuple[int, int]) -> Motion:
    """Motion of ``tubelet`` in a frame of ``size`` (W, H)."""
    boxes, times = tubelet.boxes_xyxy, tubelet.times_s
    scale = float(np.sqrt(np.median(area(boxes)))) or 1.0
    place = centres(boxes) / scale
    if tubelet.camera_xy is not None:
        place = place - tubelet.camera_xy / scale
    log_size = np.log(np.maximum(np.sqrt(area(boxes)), 1e-3))
    slopes = _slopes(times, np.column_stack([place, log_size]))
    margin = 0.012 * np.array([*size, *size], np.float32)
    limits = np.array([0, 0, *size], np.float32)
    return Motion(
        times,
        slopes[:, :2].astype(np.float32),
        slopes[:, 2].astype(np.float32),
        _inner(tubelet),
        (np.abs(boxes - limits) < margin).astype(np.float32),
    )


def _slopes(times: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least-squares slope of each column of ``values`` (T, V) over a centred window of time."""
    if len(times) < 2:
        return np.zeros_like(values, dtype=np.float64)
    half = max(WINDOW_S / 2, float(np.median(np.diff(times))))
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
    if tubelet.looks is None or len(tubelet.looks) < 2:
        return np.zeros(len(tubelet), np.float32)
    seen = tubelet.times_s[tubelet.observed]
    thumbs = tubelet.looks.thumbs.astype(np.float32) / 255
    thumbs -= thumbs.mean(axis=(1, 2), keepdims=True)  # exposure changes are not motion
    change = np.abs(np.diff(thumbs, axis=0)).mean(axis=(1, 2)) / np.maximum(np.diff(seen), 1e-3)
    middle = (seen[1:] + seen[:-1]) / 2
    return np.interp(tubelet.times_s, middle, change).astype(np.float32)

"""A video encoder's maps inside each tubelet's box: what it makes of that object, over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.clips import Clips, FeatureMaps
from cospal_cli.core.tubelets import Tubelet

LEAST = 1e-3  # side of the smallest box, as a share of the frame
_AT_ONCE = 32  # maps in float32 at a time


def with_clips(
    tubelets: Sequence[Tubelet], size: tuple[int, int], maps: FeatureMaps
) -> tuple[Tubelet, ...]:
    """Each with its clips: one for every step of ``maps`` that shares time with it, the mean over
    the cells of its box then. ``size`` (W, H): of the frame, in the boxes' pixels."""
    return tuple(replace(one, clips=_pooled(one, size, maps)) for one in tubelets)


def _pooled(tubelet: Tubelet, size: tuple[int, int], maps: FeatureMaps) -> Clips:
    rows = _steps(maps.spans_s, tubelet.times_s)
    middles = maps.spans_s[rows].mean(axis=1)
    columns = tubelet.boxes_xyxy.T
    boxes = np.stack([np.interp(middles, tubelet.times_s, one) for one in columns], axis=1)
    shares = boxes / [*size, *size]
    weights = cell_weights(shares, maps.values.shape[1:3])
    parts = []
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        cells = maps.values[part].astype(np.float32).reshape(len(part), -1, maps.values.shape[-1])
        own = weights[start : start + _AT_ONCE].reshape(len(part), 1, -1)
        parts.append((own @ cells)[:, 0].astype(np.float16))
    return Clips(np.concatenate(parts), maps.spans_s[rows])


def _steps(spans_s: NDArray[np.float64], times_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """The steps that share time with a tubelet; the nearest where there is none."""
    rows = np.flatnonzero((spans_s[:, 0] <= times_s[-1]) & (spans_s[:, 1] > times_s[0]))
    if len(rows):
        return rows
    away = np.abs(spans_s.mean(axis=1) - times_s[[0, -1]].mean())
    return np.array([away.argmin()])


def cell_weights(boxes: NDArray[np.float64], grid: tuple[int, int]) -> FloatArray:
    """(N, h, w), each summing to 1: how much of a box lies in each cell of a ``grid`` (h, w).

    ``boxes`` (N, 4): xyxy as shares of the frame. What lies beyond the frame does not count; a box
    wholly beyond it, or without area, takes the cell nearest to it.
    """
    low = boxes[:, :2].clip(0, 1 - LEAST)
    high = np.maximum(boxes[:, 2:].clip(0, 1), low + LEAST)
    across = _along(low[:, 0], high[:, 0], grid[1])
    down = _along(low[:, 1], high[:, 1], grid[0])
    area = down[:, :, None] * across[:, None, :]
    weights: FloatArray = (area / area.sum(axis=(1, 2), keepdims=True)).astype(np.float32)
    return weights


def _along(low: NDArray[np.float64], high: NDArray[np.float64], cells: int) -> NDArray[np.float64]:
    """(N, cells): what each of ``cells`` even parts of 0..1 shares with ``low`` to ``high``."""
    edges = np.linspace(0, 1, cells + 1)
    shared = np.minimum(high[:, None], edges[1:]) - np.maximum(low[:, None], edges[:-1])
    found: NDArray[np.float64] = shared.clip(0)
    return found

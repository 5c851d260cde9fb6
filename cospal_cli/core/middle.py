"""Median and quantiles as NumPy computes them, without what its own import, and cost for short
arrays."""

from __future__ import annotations

from typing import Any

import numpy as np


def median(values: Any, axis: int | None = None) -> Any:
    """``np.median`` of finite numbers; ValueError for none."""
    rows = np.asarray(values)
    rows = np.sort(rows.ravel() if axis is None else rows, axis=-1 if axis is None else axis)
    at = -1 if axis is None else axis
    count = rows.shape[at]
    if not count:
        raise ValueError("values: expected numbers, found none")
    return np.take(rows, range((count - 1) // 2, count // 2 + 1), axis=at).mean(axis=at)


def quantile(values: Any, share: float) -> float:
    """``np.quantile`` of finite numbers, all axes together; ValueError for none."""
    rows = np.sort(np.ravel(values))
    if not len(rows):
        raise ValueError("values: expected numbers, found none")
    kind = rows.dtype.type if rows.dtype.kind == "f" else np.float64
    at = (len(rows) - 1) * share
    low = int(at)
    part = at - low
    first, second = kind(rows[low]), kind(rows[min(low + 1, len(rows) - 1)])
    between = float(second - first)
    exact = float(first) + between * part if part < 0.5 else float(second) - between * (1 - part)
    return float(kind(exact))

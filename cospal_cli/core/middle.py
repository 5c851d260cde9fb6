"""The median as NumPy computes it, without what its own imports and costs for short arrays."""

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

"""One-to-one assignment of rows to columns at least cost (Jonker-Volgenant, package ``lap``)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import IntArray


def assign(cost: NDArray[np.floating], limit: float) -> tuple[IntArray, IntArray]:
    """Rows and columns (M,) of the cheapest matching of ``cost`` (A, B), no pair above ``limit``.

    Leaving a row and a column alone costs ``limit``, so an expensive pair is given up for a cheap
    one. Infinite entries are forbidden pairs.
    """
    if cost.size == 0 or not (cost <= limit).any():
        return np.empty(0, np.int64), np.empty(0, np.int64)
    import lap

    finite = np.where(cost <= limit, cost, 2 * abs(limit) + 1).astype(np.float64)
    _, columns, _ = lap.lapjv(finite, extend_cost=True, cost_limit=limit)
    rows = np.flatnonzero(columns >= 0)
    columns = columns[rows].astype(np.int64)
    kept = cost[rows, columns] <= limit
    return rows[kept], columns[kept]

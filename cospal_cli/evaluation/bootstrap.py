"""Intervals of means by resampling whole videos: sentences about one video go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
_CELLS = 4_000_000  # draws x videos held at once


class Interval(NamedTuple):
    """A mean and the interval that holds ``LEVEL`` of its resampled values; None: not drawn."""

    mean: float
    low: float | None
    high: float | None


def intervals(
    columns: Mapping[str, NDArray[np.float64]],
    clusters: Sequence[str],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Interval]:
    """The mean of every column (S,) with its percentile interval; NaN for no sample.

    Each draw takes as many clusters as there are, with replacement, and all samples (S) of those
    taken. The same input gives the same numbers. ``resamples`` 0: means alone.
    """
    if not len(clusters):
        return {name: Interval(float("nan"), None, None) for name in columns}
    values = np.stack(list(columns.values()), axis=1)
    _, cluster_of = np.unique(np.asarray(clusters), return_inverse=True)
    sizes = np.bincount(cluster_of).astype(np.float64)
    sums = np.zeros((len(sizes), values.shape[1]))
    np.add.at(sums, cluster_of, values)
    low = high = [None] * values.shape[1]
    if resamples:
        drawn = _drawn(sums, sizes, resamples, np.random.default_rng(seed))
        edge = 50 * (1 - LEVEL)
        low, high = np.percentile(drawn, [edge, 100 - edge], axis=0).tolist()
    means = values.mean(axis=0).tolist()
    return {name: Interval(*all3) for name, *all3 in zip(columns, means, low, high, strict=True)}


def _drawn(
    sums: NDArray[np.float64],
    sizes: NDArray[np.float64],
    resamples: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Resampled means (R, M) of clusters with the given sums (C, M) and sizes (C,)."""
    count = len(sizes)
    step = max(1, _CELLS // count)
    parts = []
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        times = rng.multinomial(count, np.full(count, 1 / count), size=rows)
        parts.append((times @ sums) / (times @ sizes)[:, None])
    return np.concatenate(parts)

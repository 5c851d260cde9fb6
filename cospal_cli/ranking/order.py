"""From the curves of sub-phrases to one segment: in the sentence's order, or in none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Curves = NDArray[np.floating]  # (J, T) log odds of each sub-phrase in each bin
Bins = tuple[int, int]  # half-open


def in_order(curves: Curves) -> Bins:
    """From the first sub-phrase's first bin to the last one's last, on the likeliest path.

    Viterbi over background, sub-phrase 1, gap, sub-phrase 2, ..., background: a sub-phrase's bins
    score its curve, all others 0, and each sub-phrase has at least one bin. ``curves`` needs as
    many bins as sub-phrases; ValueError otherwise.
    """
    count, bins = curves.shape
    if not 0 < count <= bins:
        raise ValueError(f"curves: expected 1 to {bins} sub-phrases, found {count}")
    states = 2 * count + 1
    gains = np.zeros((states, bins))
    gains[1::2] = curves
    best = np.full(states, -np.inf)
    best[:2] = gains[:2, 0]
    came_from = np.zeros((bins, states), np.int64)
    number = np.arange(states)
    skips = (number % 2 == 1) & (number > 1)  # from sub-phrase to sub-phrase without a gap
    for at in range(1, bins):
        stay, step, skip = best, _shifted(best, 1), np.where(skips, _shifted(best, 2), -np.inf)
        ways = np.stack([stay, step, skip])
        chosen = ways.argmax(axis=0)
        came_from[at] = number - chosen
        best = ways[chosen, number] + gains[:, at]
    state = states - 1 if best[-1] >= best[-2] else states - 2
    path = [state]
    for at in range(bins - 1, 0, -1):
        state = int(came_from[at, state])
        path.append(state)
    inside = np.flatnonzero([0 < one < states - 1 for one in reversed(path)])
    return int(inside[0]), int(inside[-1]) + 1


def hull(curves: Curves) -> Bins:
    """From the earliest start to the latest end of each curve's stretch of the largest sum."""
    stretches = [best_stretch(row) for row in curves]
    return min(start for start, _ in stretches), max(end for _, end in stretches)


def best_stretch(curve: NDArray[np.floating]) -> Bins:
    """The stretch of at least one bin whose sum is largest, the earliest where several are."""
    sums = np.concatenate([[0.0], np.cumsum(curve, dtype=np.float64)])
    lowest = np.minimum.accumulate(sums[:-1])
    end = int((sums[1:] - lowest).argmax())
    return int(sums[: end + 1].argmin()), end + 1


def _shifted(values: NDArray[np.float64], by: int) -> NDArray[np.float64]:
    return np.concatenate([np.full(by, -np.inf), values[:-by]])

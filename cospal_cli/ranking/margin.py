"""How sure an answer is: its lead over the other tubelets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cospal_cli.ranking.terms import Scores


def confidence(total: Scores, order: NDArray[np.intp], rank: int) -> float:
    """How far the answer is ahead of the best other tubelet: 0 (a tie or behind) towards 1."""
    if len(order) == 1:
        return 1.0
    best_other = total[order[0 if rank else 1]]
    return float(max(0.0, np.tanh((total[order[rank]] - best_other) / 2)))

"""Words that only an image-text model can judge, by contrast and as far as its lead is clear."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.ranking.candidates import Candidate

Contrast = tuple[str, str]
OddsOf = Callable[[Candidate, Sequence[Contrast]], FloatArray]  # log odds (W,), as ``Contrasts``

_LEAST = 0.2  # chance of a word that the model speaks against
_CLEAR = 0.15  # lead of the best candidate's chance over the next, from which it counts
_TEMPER = 0.5  # of the model's log odds: it is surer than it is right


def open_term(
    candidates: Sequence[Candidate], words: Mapping[str, Contrast], odds_of: OddsOf
) -> NDArray[np.float64]:
    """Sum (K,) over the words of log chance; a word without a clear lead says nothing."""
    total = np.zeros(len(candidates))
    if not words or len(candidates) < 2:
        return total
    odds = np.array([odds_of(candidate, list(words.values())) for candidate in candidates])
    for chances in (1 / (1 + np.exp(-np.clip(_TEMPER * odds, -30, 30)))).T:
        second, best = np.sort(chances)[-2:]
        if best - second >= _CLEAR:
            total += np.log(_LEAST + (1 - _LEAST) * chances)
    return total

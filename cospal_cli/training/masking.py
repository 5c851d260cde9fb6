"""Which words of a sentence are hidden, to be reconstructed from the video."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHARE = 1 / 3
CONTENT_WEIGHT, OTHER_WEIGHT = 2.0, 1.0  # logits of being drawn


def hidden_words(
    content: NDArray[np.bool_], ids: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """A third of the words (N,), at least one, drawn without replacement.

    Chance of each: softmax of 2 for nouns, verbs, adjectives and adverbs, 1 for others. Words of
    one id (0: none) are one word: where CRG joins a global and a local query, a hidden word must
    not stand in the other one.
    """
    places = np.arange(len(ids))
    _, first, group = np.unique(
        np.where(ids > 0, ids, -1 - places), return_index=True, return_inverse=True
    )
    chances = np.exp(np.where(content[first], CONTENT_WEIGHT, OTHER_WEIGHT))
    count = max(1, int(len(first) * SHARE))
    drawn = rng.choice(len(first), count, replace=False, p=chances / chances.sum())
    return np.isin(group, drawn)

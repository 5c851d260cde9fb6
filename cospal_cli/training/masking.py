"""Which words of a sentence are hidden, for the video to tell them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHARE = 1 / 3
CONTENT_WEIGHT, OTHER_WEIGHT = 2.0, 1.0  # logits of being drawn


def draw(content: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """A third of the words (N,), at least one, drawn without replacement.

    Chance of each: softmax of 2 for nouns, verbs, adjectives and adverbs, 1 for others.
    """
    chances = np.exp(np.where(content, CONTENT_WEIGHT, OTHER_WEIGHT))
    count = max(1, int(len(content) * SHARE))
    hidden = np.zeros(len(content), bool)
    hidden[rng.choice(len(content), count, replace=False, p=chances / chances.sum())] = True
    return hidden

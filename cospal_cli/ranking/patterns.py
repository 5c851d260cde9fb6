"""Striped, checked, dotted, printed, plain: what the sentence says, by the clothes' texture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.colours import REGIONS
from cospal_cli.core.query import Attribute, Query
from cospal_cli.features.texture import PATTERNS
from cospal_cli.language.lexicon.dress import ACCESSORY, PATTERN
from cospal_cli.ranking.candidates import Candidate

PatternsOf = Callable[[Candidate], FloatArray]  # chances (R, P), as ``Textures.patterns``

_FLOOR = 0.1  # chance of a pattern that does not show: far away, or turned from the camera


def patterns_said(query: Query) -> list[tuple[Attribute, bool]]:
    """The attributes that texture can judge, and whether the sentence denies them."""
    both = ((query.attributes, False), (query.excluded.attributes, True))
    return [(a, no) for attributes, no in both for a in attributes if _judged(a)]


def pattern_term(
    candidates: Sequence[Candidate], query: Query, patterns_of: PatternsOf
) -> NDArray[np.float64]:
    """Sum (K,) over the patterns of log chance, denied ones as 1 - p."""
    total = np.zeros(len(candidates))
    for attribute, denied in patterns_said(query):
        region, kind = REGIONS.index(attribute.region), PATTERNS.index(PATTERN[attribute.word])
        for at, candidate in enumerate(candidates):
            chance = float(patterns_of(candidate)[region, kind])
            total[at] += np.log(_FLOOR + (1 - _FLOOR) * (1 - chance if denied else chance))
    return total


def _judged(attribute: Attribute) -> bool:
    """Caps and ties fill too little of their region."""
    known = attribute.word in PATTERN and attribute.garment not in ACCESSORY
    return known and attribute.region in REGIONS

"""Little, big and tall, relative to rivals of the same class that stand as far away.

A child in front is larger in the picture than a man behind. Those whose feet are at one height are
about as far away, so that their sides can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.query import Attribute, Query
from cospal_cli.ranking.candidates import Candidate

_SIGNS = {
    **dict.fromkeys("small little tiny short child kid baby toddler infant".split(), -1),
    **dict.fromkeys("big large huge giant tall adult".split(), 1),
}
_DEPTH = 0.2  # of their height: feet that are apart by this are of two depths
_FEW = 0.3  # mean weight of the comparison from which a rival is one at all
_UNSURE = 0.12  # log of the ratio of sides that may be chance
_LEAST = 0.15


def sizes_said(query: Query) -> list[tuple[Attribute, int]]:
    """The words for size, -1 where small is meant (or big is denied)."""
    said = [(a, 1) for a in query.attributes] + [(a, -1) for a in query.excluded.attributes]
    return [
        (a, sign * _SIGNS[a.word])
        for a, sign in said
        if a.kind in ("size", "age") and a.word in _SIGNS and not a.garment
    ]


def size_term(
    candidates: Sequence[Candidate], query: Query, rivals: Sequence[Candidate]
) -> NDArray[np.float64]:
    """Sum (K,) over the words of log chance; 0 for those without a rival at their depth."""
    total = np.zeros(len(candidates))
    for at, candidate in enumerate(candidates):
        leads = [lead for rival in rivals if (lead := _lead(candidate, rival)) is not None]
        for _, sign in sizes_said(query) if leads else ():
            chance = 1 / (1 + np.exp(-sign * float(np.median(leads)) / _UNSURE))
            total[at] += np.log(_LEAST + (1 - _LEAST) * chance)
    return total


def _lead(candidate: Candidate, rival: Candidate) -> float | None:
    """Log of how many times larger the candidate is, while both are as far away; None: never."""
    if candidate.tubelet.id == rival.tubelet.id or rival.echo or candidate.echo:
        return None
    frames = candidate.tubelet.frame_indices, rival.tubelet.frame_indices
    _, rows, others = np.intersect1d(*frames, assume_unique=True, return_indices=True)
    own, other = candidate.tubelet.boxes_xyxy[rows], rival.tubelet.boxes_xyxy[others]
    sides = _side(own), _side(other)
    height = np.sqrt(sides[0] * sides[1])
    weight = np.exp(-(((own[:, 3] - other[:, 3]) / (_DEPTH * height)) ** 2))
    if not len(rows) or weight.mean() < _FEW:
        return None
    return float((weight * np.log(sides[0] / sides[1])).sum() / weight.sum())


def _side(boxes: FloatArray) -> FloatArray:
    """The longer side (T,)."""
    longest: FloatArray = np.maximum((boxes[:, 2:] - boxes[:, :2]).max(axis=1), 1.0)
    return longest

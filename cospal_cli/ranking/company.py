"""Who is near what: "the man next to the car", "the girl with the umbrella", "without a dog".

The sentence's other things are found among the tubelets by their classes; what exactly the
preposition says is left open, since holding, riding, facing and standing beside all mean being
near.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.boxes import iou
from cospal_cli.core.middle import median
from cospal_cli.core.query import Query
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.terms import Scores, class_shares

_SEEN = 0.5  # class share from which a tubelet counts as the thing
_SAME = 0.6  # boxes that overlap more are the subject itself, detected twice
_LEAST = 0.25  # of a thing's nearness: boxes do not tell all
APART = float(np.log(_LEAST))  # the term of a thing that is nowhere near
_REACH = 0.3  # of the subject's size: the gap at which nearness has fallen to a third


def seen(
    wanted: Mapping[str, float], everything: Sequence[Candidate], classes: Sequence[str]
) -> bool:
    """Whether any tubelet is such a thing."""
    return bool((class_shares(everything, wanted, classes) >= _SEEN).any())


def company_term(
    candidates: Sequence[Candidate],
    everything: Sequence[Candidate],
    query: Query,
    classes: Sequence[str],
) -> Scores:
    """Sum (K,) over the query's other things of the log nearness of the best such tubelet.

    Things without a class, or without a tubelet, count for nothing. Of those that the query
    excludes, nearness counts against.
    """
    total = np.zeros(len(candidates))
    others = [(wanted, False) for wanted in query.context.values()]
    others += [(wanted, True) for wanted in query.excluded.context.values()]
    for wanted, denied in others:
        shares = class_shares(everything, wanted, classes) if wanted else np.zeros(0)
        things = [(everything[i], shares[i]) for i in np.flatnonzero(shares >= _SEEN).tolist()]
        if things and candidates:
            near = [max(share * _nearness(c, thing) for thing, share in things) for c in candidates]
            best = 1 - np.array(near) if denied else np.array(near)
            total += np.log(_LEAST + (1 - _LEAST) * best)
    return total


def _nearness(subject: Candidate, thing: Candidate) -> float:
    """0..1: how near ``thing`` is in the nearest half of the time that both are there."""
    own, other = subject.tubelet, thing.tubelet
    _, rows, other_rows = np.intersect1d(
        own.frame_indices, other.frame_indices, assume_unique=True, return_indices=True
    )
    if own.id == other.id or not len(rows):
        return 0.0
    boxes, others = own.boxes_xyxy[rows], other.boxes_xyxy[other_rows]
    if median(iou(boxes, others)) > _SAME:
        return 0.0
    near = np.exp(-_gaps(boxes, others) / _REACH)
    return float(np.sort(near)[len(near) // 2 :].mean())


def _gaps(boxes: FloatArray, others: FloatArray) -> FloatArray:
    """Free space between two boxes, in the first one's size (square root of its area); 0: touch."""
    apart = np.maximum(boxes[:, :2] - others[:, 2:], others[:, :2] - boxes[:, 2:])
    sides = boxes[:, 2:] - boxes[:, :2]
    size = np.sqrt(np.maximum(sides.prod(axis=1), 1e-6))
    return np.hypot(*np.maximum(apart, 0).T) / size

"""How the candidates stand to the sentence's other things, judged over the time that both are seen.

A judge is the chance (T,) in every shared frame that a subject's box stands so to a thing's box; a
relation holds as well as in the better half of that time. Of several like things, the best: of the
colour that the sentence says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.boxes import centres, iou
from cospal_cli.core.middle import median, quantile
from cospal_cli.core.query import Query, Relation
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.terms import MOVING, Scores, class_shares, colour_share

_SEEN = 0.5  # class share from which a tubelet counts as the thing
_SAME = 0.6  # boxes that overlap more are the subject itself, detected twice
_LEAST = 0.15  # chance of a relation that the boxes speak against: boxes are not bodies
_REACH = 1.5  # sizes of the subject over which "left of" and "behind" fade


class _Pair:
    """Subject and thing in the frames that show both."""

    def __init__(self, subject: Candidate, thing: Candidate) -> None:
        _, rows, others = np.intersect1d(
            subject.tubelet.frame_indices,
            thing.tubelet.frame_indices,
            assume_unique=True,
            return_indices=True,
        )
        self.own, self.other = subject.tubelet.boxes_xyxy[rows], thing.tubelet.boxes_xyxy[others]
        self.times_s = subject.tubelet.times_s[rows]
        self.velocity = thing.motion.velocity[others]  # of the thing, its heights per second
        self.away = centres(self.own) - centres(self.other)
        self.sides = (_sides(self.own) + _sides(self.other)) / 2

    def __len__(self) -> int:
        return len(self.own)

    @property
    def gap(self) -> FloatArray:
        """Free space between the boxes (T,), in sizes of the subject."""
        apart = np.maximum(self.own[:, :2] - self.other[:, 2:], self.other[:, :2] - self.own[:, 2:])
        size = np.sqrt(np.maximum(_sides(self.own).prod(axis=1), 1e-6))
        gap: FloatArray = np.hypot(*np.maximum(apart, 0).T) / size
        return gap


Judge = Callable[[_Pair], FloatArray]


def relation_term(
    candidates: Sequence[Candidate],
    everything: Sequence[Candidate],
    query: Query,
    classes: Sequence[str],
) -> Scores:
    """Sum (K,) over the relations of log chance; 0 for those whose thing is not there.

    What is held is held by one: chances are relative to the best of ``everything`` like it.
    """
    total = np.zeros(len(candidates))
    for relation in query.relations:
        things = _things(everything, relation, classes)
        if things and candidates:
            total += np.log(_LEAST + (1 - _LEAST) * _chances(candidates, things, relation))
    return total


def judged(everything: Sequence[Candidate], query: Query, classes: Sequence[str]) -> list[Relation]:
    """The relations whose thing was found."""
    return [r for r in query.relations if _things(everything, r, classes)]


def order_term(
    candidates: Sequence[Candidate], query: Query, rivals: Sequence[Candidate]
) -> Scores:
    """Log chance (K,) of being "second from the left" among the ``rivals`` of the moment."""
    total = np.zeros(len(candidates))
    if query.order is None or len(rivals) < 2:
        return total
    place, side = query.order
    for at, candidate in enumerate(candidates):
        ranks = _places(candidate, rivals, 1 if side == "left" else -1)
        total[at] = np.log(0.1 + 0.9 * _better_half(np.exp(-1.5 * np.abs(ranks - place))))
    return total


def _places(candidate: Candidate, rivals: Sequence[Candidate], sign: int) -> FloatArray:
    """The place (T,) from one side, 1 for the first, in the frames with most rivals."""
    ranks = np.ones(len(candidate.tubelet))
    seen = np.zeros(len(candidate.tubelet))
    own = centres(candidate.tubelet.boxes_xyxy)[:, 0]
    for rival in rivals:
        if rival.tubelet.id == candidate.tubelet.id or rival.echo:
            continue
        frames = candidate.tubelet.frame_indices, rival.tubelet.frame_indices
        _, rows, others = np.intersect1d(*frames, assume_unique=True, return_indices=True)
        ranks[rows] += sign * centres(rival.tubelet.boxes_xyxy)[others, 0] < sign * own[rows]
        seen[rows] += 1
    return ranks[seen >= max(quantile(seen, 0.5), 1)].astype(np.float32)


def _things(
    everything: Sequence[Candidate], relation: Relation, classes: Sequence[str]
) -> list[tuple[Candidate, float]]:
    """Tubelets that may be the relation's thing, the best of weight 1."""
    if not relation.classes or not everything:
        return []
    weights = class_shares(everything, relation.classes, classes)
    weights[weights < _SEEN] = 0
    for attribute in relation.attributes:
        weights *= [0.1 + 0.9 * colour_share(c.colours, attribute) for c in everything]
    best = weights.max()
    return [(c, w / best) for c, w in zip(everything, weights.tolist(), strict=True) if w > 0]


def _chances(
    candidates: Sequence[Candidate], things: Sequence[tuple[Candidate, float]], relation: Relation
) -> Scores:
    if relation.kind == "between":
        return np.array([_between(c, things) for c in candidates])
    judge = _JUDGES[relation.kind]
    table = np.array([[w * _over_time(judge, c, t) for t, w in things] for c in candidates])
    if relation.kind in ("hold", "closest"):
        table /= np.maximum(table.max(axis=0), 0.3)
    return np.asarray(table.max(axis=1), np.float64)


def _over_time(judge: Judge, subject: Candidate, thing: Candidate) -> float:
    if subject.tubelet.id == thing.tubelet.id:
        return 0.0
    pair = _Pair(subject, thing)
    if not len(pair) or median(iou(pair.own, pair.other)) > _SAME:
        return 0.0
    return _better_half(judge(pair))


def _better_half(chances: FloatArray) -> float:
    return float(np.sort(chances)[len(chances) // 2 :].mean()) if len(chances) else 0.0


def _between(subject: Candidate, things: Sequence[tuple[Candidate, float]]) -> float:
    """One thing on the left and another on the right."""
    left, right = (
        [w * _over_time(_beside(0, sign), subject, thing) for thing, w in things]
        for sign in (1, -1)
    )
    pairs = [a * b for i, a in enumerate(left) for j, b in enumerate(right) if i != j]
    return max(pairs, default=0.0)


def _beside(axis: int, sign: int) -> Judge:
    """The subject on one side of the thing along an axis: +1 right or below."""

    def judge(pair: _Pair) -> FloatArray:
        off = sign * pair.away[:, axis] / np.maximum(pair.sides[:, axis], 1e-6)
        near = 0.4 + 0.6 * np.exp(-pair.gap / _REACH)
        return _sigmoid((off - 0.25) / 0.1) * near

    return judge


def _depth(sign: int) -> Judge:
    """Behind (-1) or in front of (+1): by the feet or, of a thing that moves, by its way."""

    def judge(pair: _Pair) -> FloatArray:
        height = np.minimum(_sides(pair.own)[:, 1], _sides(pair.other)[:, 1])
        feet = sign * (pair.own[:, 3] - pair.other[:, 3]) / np.maximum(height, 1e-6)
        speed = np.hypot(*pair.velocity.T)
        heading = pair.velocity / np.maximum(speed, 1e-6)[:, None]
        ahead = sign * (pair.away * heading).sum(axis=1) / np.maximum(pair.sides[:, 0], 1e-6)
        moving = _sigmoid((speed - MOVING) / 0.1)
        chance = np.maximum(_sigmoid((feet - 0.02) / 0.04), moving * _sigmoid((ahead - 0.4) / 0.15))
        return chance * np.exp(-pair.gap / _REACH)

    return judge


def _supported(pair: _Pair) -> FloatArray:
    """On it: the lower half of the subject in the thing, or the thing under its middle."""
    lower = pair.own.copy()
    lower[:, 1] = pair.own[:, 1:4:2].mean(axis=1)
    trunk = pair.own.copy()
    trunk[:, 1] += 0.25 * _sides(pair.own)[:, 1]
    return np.maximum(_inside(lower, pair.other), _inside(pair.other, trunk))


def _held(pair: _Pair) -> FloatArray:
    """The thing in the subject's box, which is larger."""
    margin = 0.08 * np.tile(_sides(pair.own), 2) * np.array([-1, -1, 1, 1], np.float32)
    smaller = _sides(pair.other).prod(axis=1) < _sides(pair.own).prod(axis=1)
    return _inside(pair.other, pair.own + margin) * np.where(smaller, 1.0, 0.5)


def _touching(pair: _Pair) -> FloatArray:
    """The boxes share part of the smaller."""
    shared = np.maximum(_inside(pair.own, pair.other), _inside(pair.other, pair.own))
    return _sigmoid((shared - 0.12) / 0.04)


def _approach(sign: int) -> Judge:
    """The gap grows (+1) or closes (-1) by the subject's own size, over the whole time."""

    def judge(pair: _Pair) -> FloatArray:
        size = np.sqrt(np.maximum(_sides(pair.own).prod(axis=1), 1e-6))
        apart = np.hypot(*pair.away.T) / size
        edge = max(len(apart) // 5, 1)
        change = sign * float(median(apart[-edge:]) - median(apart[:edge]))
        return np.full(len(pair), _sigmoid(np.array((change - 0.4) / 0.2)), np.float32)

    return judge


def _inside(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Share (T,) of the boxes ``part`` that lies in ``whole``."""
    sides = np.minimum(part[:, 2:], whole[:, 2:]) - np.maximum(part[:, :2], whole[:, :2])
    area = np.maximum(_sides(part).prod(axis=1), 1e-6)
    share: FloatArray = np.clip(sides, 0, None).prod(axis=1) / area
    return share


def _sides(boxes: FloatArray) -> FloatArray:
    return np.maximum(boxes[:, 2:] - boxes[:, :2], 0)


def _sigmoid(values: NDArray[np.floating]) -> FloatArray:
    chances: FloatArray = (1 / (1 + np.exp(-np.clip(values, -30, 30)))).astype(np.float32)
    return chances


_JUDGES: dict[str, Judge] = {
    "left": _beside(0, -1),
    "right": _beside(0, 1),
    "above": _beside(1, -1),
    "below": _beside(1, 1),
    "behind": _depth(-1),
    "front": _depth(1),
    "on": _supported,
    "in": lambda pair: _inside(pair.own, pair.other),
    "hold": _held,
    "touch": _touching,
    "near": lambda pair: np.exp(-pair.gap / 0.3),
    "closest": lambda pair: np.exp(-pair.gap / 0.3),
    "toward": _approach(-1),
    "away": _approach(1),
}

"""The zero-shot score's terms: log evidence (K,) of each candidate for one aspect of the query.

Each is a pure function of candidates and query, bounded below, and 0 (no evidence either way) where
the query says nothing about that aspect. What the query excludes counts as 1 - p.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.colours import NAMES, REGIONS
from cospal_cli.core.middle import median, quantile
from cospal_cli.core.query import Action, Attribute, Query
from cospal_cli.ranking.candidates import Candidate

Scores = NDArray[np.float64]
AppearanceOf = Callable[[Candidate], NDArray[np.float32]]  # mean ImageNet-1k probabilities (1000,)

MOVING = 0.35  # heights per second above which a subject moves: a slow walk is about 0.8
# Beyond these a subject is not noticed more: seconds in view, and mean detection score.
_NOTICED_S, _NOTICED_SCORE = 2.5, 0.6
_ECHO = -0.7  # a part stands behind its whole, unless the sentence speaks for it
_SPREAD = 0.15  # rivals nearer to each other than this are not at opposite ends
_APPEARANCE_FLOOR = 0.02
_SMALL, _SMALL_FULL = ("accessory",), 0.2  # a tie, a cap: the share that it fills of its region
_SHARE_FULL = 0.6  # share of a region that a garment's colour fills when it is plainly there


def class_shares(
    candidates: Sequence[Candidate], classes: Mapping[str, float], names: Sequence[str]
) -> Scores:
    """Best weighted class score (K,) relative to the tubelet's own best class, 0..1."""
    if not classes or not candidates:
        return np.ones(len(candidates))
    weights = np.array([classes.get(name, 0.0) for name in names])
    scores = np.array([c.tubelet.label_scores for c in candidates], np.float64)
    return (scores * weights).max(axis=1) / np.maximum(scores.max(axis=1), 1e-6)


def class_term(candidates: Sequence[Candidate], query: Query, names: Sequence[str]) -> Scores:
    """Whether the detector found the subject's class."""
    if not query.classes:
        return np.zeros(len(candidates))
    return np.log(0.02 + class_shares(candidates, query.classes, names))


def referral_scores(candidates: Sequence[Candidate]) -> Scores | None:
    """The prompted detector's mean score (K,) of the referral over each tubelet's observations.

    None unless every tubelet has one.
    """
    rows = [c.tubelet.referral for c in candidates]
    scored = [row for row in rows if row is not None]
    return np.array([row.mean() for row in scored]) if scored and len(scored) == len(rows) else None


def referral_term(candidates: Sequence[Candidate]) -> Scores | None:
    """How well the detector finds that the whole referral fits; None if it was not prompted."""
    scores = referral_scores(candidates)
    return None if scores is None else np.log(0.02 + scores)


def colour_term(candidates: Sequence[Candidate], query: Query) -> Scores:
    """Sum over colour attributes of the log share of the colour in the attribute's region."""
    if not candidates:
        return np.zeros(0)
    named = colour_shares(candidates, query.attributes)
    denied = 1 - colour_shares(candidates, query.excluded.attributes)
    return np.asarray(np.log(0.05 + np.hstack([named, denied])).sum(axis=1))


def colour_shares(candidates: Sequence[Candidate], attributes: Sequence[Attribute]) -> Scores:
    """How plainly each candidate shows each colour among ``attributes`` (K, colours), 0..1."""
    small = small_things(attributes)
    columns = [
        [
            colour_share(c.colours, a, _SMALL_FULL if a.garment in small else _SHARE_FULL)
            for c in candidates
        ]
        for a in attributes
        if a.values
    ]
    return np.array(columns, np.float64).reshape(-1, len(candidates)).T


def small_things(attributes: Sequence[Attribute]) -> set[str]:
    """What is worn and fills little of its region: a tie, a cap."""
    return {a.word for a in attributes if a.kind in _SMALL}


def position_term(
    candidates: Sequence[Candidate], query: Query, rivals: NDArray[np.bool_]
) -> Scores:
    """Positions in the frame, half absolute and half by rank among the ``rivals`` (K,)."""
    total = np.zeros(len(candidates))
    if not candidates:
        return total
    for word, weight, denied in said_positions(query):
        values = np.array([POSITIONS[word](c) for c in candidates])
        pool = values[rivals] if rivals.any() else values
        total += weight * position_log(values, pool.min(), pool.max(), denied)
    return total


def said_positions(query: Query) -> list[tuple[str, float, bool]]:
    """Those of ``POSITIONS`` that the query says, with weights, and whether it denies them."""
    every = []
    for said, denied in ((query, False), (query.excluded, True)):
        words = [*((word, 1.0) for word in said.positions), *_sizes(said.attributes)]
        every += [(word, weight, denied) for word, weight in words if word in POSITIONS]
    return every


def position_log(values: Scores, low: Scores, high: Scores, denied: bool) -> Scores:
    """Log evidence of ``values`` (0..1) of a position, of which the rivals' extremes are ``low``
    and ``high``: half the value itself, half its place between them."""
    place = np.clip(0.5 + (values - (high + low) / 2) / np.maximum(high - low, _SPREAD), 0, 1)
    ranked = (values + place) / 2
    return np.asarray(np.log(0.1 + 0.9 * (1 - ranked if denied else ranked)))


def action_term(candidates: Sequence[Candidate], query: Query) -> Scores:
    """Mean over the verbs of how well the tubelet's motion fits, counted at most twice."""
    denied = query.excluded.actions
    count = len(query.actions) + len(denied)
    if not count or not candidates:
        return np.zeros(len(candidates))
    rows = [
        [
            *(a.weight * _action_log(c, a) for a in query.actions),
            *(a.weight * against(_action_log(c, a)) for a in denied),
        ]
        for c in candidates
    ]
    return np.asarray(np.array(rows).mean(axis=1) * min(count, 2))


def appearance_log(
    probabilities: NDArray[np.float32], classes: Mapping[int, float], denied: bool = False
) -> float:
    """Log evidence (ImageNet-1k ``probabilities``) that a thing is worn or carried, or is not.

    The classifier's p of a garment is small even where it is worn, so that 1 - p would say nothing:
    p / (floor + p) is taken for the chance that it is there.
    """
    index = np.fromiter(classes, int)
    weights = np.fromiter(classes.values(), float)
    chance = min(1.0, float(probabilities[index] @ weights))
    return float(
        np.log(
            _APPEARANCE_FLOOR / (_APPEARANCE_FLOOR + chance)
            if denied
            else _APPEARANCE_FLOOR + chance
        )
    )


def prior_term(candidates: Sequence[Candidate], rivals: NDArray[np.bool_]) -> Scores:
    """Sentences mean what a viewer notices: large, long and plainly visible subjects."""
    if not candidates:
        return np.zeros(0)
    size, length, score = np.array(
        [(c.size, c.length_s, c.tubelet.scores[c.tubelet.observed].mean()) for c in candidates]
    ).T
    reference = size[rivals].max() if rivals.any() else size.max()
    echo = np.array([c.echo for c in candidates])
    return prior(size / reference, length, score, echo)


def prior(share: Scores, length: Scores, score: Scores, echo: Scores) -> Scores:
    """Log evidence of a size, as a ``share`` of the largest rival's, seconds in view, a mean
    detection score, and of being an echo."""
    return np.asarray(
        _ECHO * echo
        + 0.8 * np.log(0.05 + np.minimum(share, 1))
        + 0.8 * np.log(0.05 + np.minimum(length / _NOTICED_S, 1))
        + 1.0 * np.log(0.05 + np.minimum(score / _NOTICED_SCORE, 1))
    )


def colour_share(colours: FloatArray, attribute: Attribute, full: float = _SHARE_FULL) -> Scores:
    """How much of the attribute's region has its colour (0..1), of ``colours`` (..., R, C): 1 from
    the share ``full`` of it."""
    weights = np.array([attribute.values.get(name, 0.0) for name in NAMES])
    share = colours[..., REGIONS.index(attribute.region), :] @ weights
    if attribute.region == "whole":  # "in white": a coat over dark trousers counts too
        share = np.maximum(share, 0.8 * (colours[..., REGIONS.index("upper"), :] @ weights))
    return np.asarray(np.minimum(share / full, 1.0))


POSITIONS: Mapping[str, Callable[[Any], Any]] = {
    "left": lambda c: 1 - c.centre[0],
    "right": lambda c: c.centre[0],
    "middle": lambda c: 1 - 2 * abs(c.centre[0] - 0.5),
    "top": lambda c: 1 - c.centre[1],
    "bottom": lambda c: c.centre[1],
    "front": lambda c: np.minimum(1.0, c.size * 1.5),
    "back": lambda c: 1 - np.minimum(1.0, c.size * 1.5),
    "largest": lambda c: np.minimum(1.0, c.size * 1.5),
    "smallest": lambda c: 1 - np.minimum(1.0, c.size * 1.5),
    "tallest": lambda c: c.height,
    "first": lambda c: 1 - c.start,
    "last": lambda c: c.start,
}  # each 0..1, of a ``Candidate`` or of arrays of its fields
_SIZE_WORDS = {
    "small": "smallest", "little": "smallest", "tiny": "smallest", "short": "smallest",
    "big": "largest", "large": "largest", "huge": "largest", "giant": "largest", "tall": "tallest",
    "child": "smallest", "kid": "smallest", "baby": "smallest", "toddler": "smallest",
    "infant": "smallest", "adult": "largest",
}  # fmt: skip
_SIZE_WEIGHT = 0.5  # sizes are relative to more than what is in the picture


def _sizes(attributes: Sequence[Attribute]) -> list[tuple[str, float]]:
    words = [a.word for a in attributes if a.kind in ("size", "age")]
    return [(_SIZE_WORDS[word], _SIZE_WEIGHT) for word in words if word in _SIZE_WORDS]


def _action_log(candidate: Candidate, action: Action) -> float:
    """Log evidence of one verb; the mean over its kind and its directions."""
    parts = [_KINDS[action.kind](candidate)] if action.kind in _KINDS else []
    parts += [_DIRECTIONS[d](candidate) for d in action.directions if d in _DIRECTIONS]
    if action.speed and parts:
        fast = _sigmoid((_pace(candidate) - 1.6) / 0.4)
        parts.append(fast if action.speed == "fast" else 1 - fast)
    return float(np.mean(np.log(0.08 + 0.92 * np.array(parts)))) if parts else 0.0


def against(log: Any) -> Any:
    """Log evidence that a verb is not meant, of that for it; of arrays too."""
    return np.log(0.08 + 0.92 * (1 - np.exp(log)))


def _sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(value, -30, 30))))


def _pace(candidate: Candidate) -> float:
    """Upper quartile of how fast it moves, across the frame or towards the camera."""
    return float(quantile(candidate.motion.pace, 0.75))


def _travel(candidate: Candidate, axis: int, sign: int) -> float:
    """Evidence of a net displacement along an axis, camera motion taken out."""
    velocity = candidate.motion.velocity[:, axis] * sign
    steps = np.gradient(candidate.motion.times_s) if len(velocity) > 1 else np.zeros(1)
    path = np.cumsum(velocity * steps)
    rise = float((path - np.minimum.accumulate(path)).max())  # best stretch, not only end to end
    net = float(path[-1])
    return _sigmoid((0.5 * rise + 0.5 * net - 0.4) / 0.25)


def _still(candidate: Candidate) -> float:
    return 1 - _sigmoid((float(median(candidate.motion.speed)) - MOVING) / 0.1)


def _growth(candidate: Candidate, sign: int) -> float:
    return _sigmoid((float(quantile(sign * candidate.motion.growth, 0.75)) - 0.12) / 0.06)


def _seen_moving(candidate: Candidate) -> float:
    return _sigmoid((_pace(candidate) - MOVING) / 0.1)


def _either(*chances: float) -> float:
    return 1 - float(np.prod([1 - c for c in chances]))


_KINDS = {
    "move": _seen_moving,
    "still": _still,
    "jump": lambda c: _sigmoid((float(quantile(np.abs(c.motion.velocity[:, 1]), 0.9)) - 0.6) / 0.2),
    "limb": lambda c: 0.4 + 0.5 * _sigmoid((float(np.mean(c.motion.inner)) - 0.5) / 0.2),
    "talk": lambda c: 0.4 + 0.5 * _still(c),
}
_DIRECTIONS = {
    "left": lambda c: _travel(c, 0, -1),
    "right": lambda c: _travel(c, 0, 1),
    "up": lambda c: _travel(c, 1, -1),
    "down": lambda c: _travel(c, 1, 1),
    "in": lambda c: 0.85 if c.enters else 0.25,
    "out": lambda c: 0.85 if c.leaves else 0.25,
    "to": lambda c: 0.7 if c.enters else 0.5,
    "away": lambda c: _either(0.7 * c.leaves, 0.7 * _growth(c, -1), 0.15),
    "closer": lambda c: _either(0.8 * _growth(c, 1), 0.4 * c.enters, 0.1),
    "front": lambda c: _either(0.8 * _growth(c, 1), 0.2),
}

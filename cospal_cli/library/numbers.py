"""The few numbers of each tubelet by which a search chooses the videos that it opens.

About half a kilobyte a tubelet, in half precision: class scores, colours, place, size, time, how
well each elementary action fits, and the likeliest appearance classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.brief import brief
from cospal_cli.core.colours import NAMES, REGIONS
from cospal_cli.core.query import Action, Query
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.terms import Scores, action_term

VERSION = 1  # of what is below; counted up when it changes, so that catalogues are made anew
PLACE = ("x", "y", "size", "height", "start", "length_s", "score", "echo")
KINDS = ("move", "still", "jump", "limb", "talk")
DIRECTIONS = ("left", "right", "up", "down", "in", "out", "to", "away", "closer", "front")
ACTIONS = (*KINDS, *DIRECTIONS, "fast")
LIKELIEST = 16  # appearance classes of a tubelet that are kept
COLOURS = len(REGIONS) * len(NAMES)
FIXED = COLOURS + len(PLACE) + len(ACTIONS) + 2 * LIKELIEST  # columns before the class scores

Half = NDArray[np.float16]


@dataclass(frozen=True)
class TubeletNumbers:
    """Those of N tubelets whose detector knows L classes."""

    rows: Half  # (N, FIXED + L)

    __repr__ = brief

    def __len__(self) -> int:
        return len(self.rows)

    def labels(self, columns: Sequence[int]) -> FloatArray:
        """Scores (N, len(columns)) of some classes."""
        return self.rows[:, [FIXED + column for column in columns]].astype(np.float32)

    def best_label(self) -> FloatArray:
        """(N,) the score of each tubelet's own best class."""
        return self.rows[:, FIXED:].max(axis=1).astype(np.float32)

    def colours(self) -> FloatArray:
        """(N, R, C) the share of each colour name in each region."""
        shares = self.rows[:, :COLOURS].astype(np.float32)
        return shares.reshape(-1, len(REGIONS), len(NAMES))

    def place(self, name: str) -> Scores:
        """(N,) one of ``PLACE``."""
        return self.rows[:, COLOURS + PLACE.index(name)].astype(np.float64)

    def action(self, name: str) -> Scores:
        """(N,) log evidence of one of ``ACTIONS``."""
        return self.rows[:, COLOURS + len(PLACE) + ACTIONS.index(name)].astype(np.float64)

    def shown(self, classes: Mapping[int, float]) -> FloatArray:
        """(N,) weighted probability of appearance classes, as far as they are likely ones."""
        start = COLOURS + len(PLACE) + len(ACTIONS)
        ids = self.rows[:, start : start + LIKELIEST]
        chances = self.rows[:, start + LIKELIEST : start + 2 * LIKELIEST].astype(np.float32)
        total = np.zeros(len(self.rows), np.float32)
        for number, weight in classes.items():
            total += weight * np.where(ids == number, chances, 0).sum(axis=1)
        return np.minimum(total, 1)


def numbers_of(
    candidates: Sequence[Candidate], shown: Mapping[int, FloatArray], classes: int
) -> TubeletNumbers:
    """Of one video's ``candidates``; ``shown``: what is known of their appearance, by tubelet."""
    if not candidates:
        return TubeletNumbers(np.zeros((0, FIXED + classes), np.float16))
    columns = [
        np.stack([c.colours.ravel() for c in candidates]),
        np.array([_place(c) for c in candidates]),
        _actions(candidates),
        np.stack([_likeliest(shown.get(c.tubelet.id)) for c in candidates]),
        np.stack([c.tubelet.label_scores for c in candidates]),
    ]
    return TubeletNumbers(np.concatenate(columns, axis=1).astype(np.float16))


def _place(candidate: Candidate) -> tuple[float, ...]:
    tubelet = candidate.tubelet
    return (
        float(candidate.centre[0]),
        float(candidate.centre[1]),
        candidate.size,
        candidate.height,
        candidate.start,
        min(candidate.length_s, 60_000.0),
        float(tubelet.scores[tubelet.observed].mean()),
        float(candidate.echo),
    )


def _actions(candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    """Log evidence (K, A) of each of ``ACTIONS`` alone."""
    logs = [action_term(candidates, _said(kind=kind)) for kind in KINDS]
    logs += [action_term(candidates, _said(direction=one)) for one in DIRECTIONS]
    both = action_term(candidates, _said(kind="move", speed="fast"))  # the mean of the two
    return np.stack([*logs, 2 * both - logs[0]], axis=1)


def _said(kind: str = "", direction: str = "", speed: str = "") -> Query:
    action = Action("", kind, (direction,) if direction else (), speed)
    return Query("", "", "", {}, actions=(action,))


def _likeliest(chances: FloatArray | None) -> FloatArray:
    """(2 x LIKELIEST,): class numbers, then their probabilities; -1 and 0 where not known."""
    if chances is None:
        return np.concatenate([np.full(LIKELIEST, -1), np.zeros(LIKELIEST)]).astype(np.float32)
    best = np.argsort(-chances)[:LIKELIEST]
    return np.concatenate([best, chances[best]]).astype(np.float32)

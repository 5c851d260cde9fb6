"""The first stage of a search: which videos are worth opening, by the catalogue's numbers alone.

The evidence is that of ``ranking.zero_shot``, for all tubelets of all videos at once. It is the
same but for half precision and for two terms of which the numbers say too little: company is taken
as best where such a thing is in the video, and appearance counts the likeliest classes only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import IntArray
from cospal_cli.core.brief import brief
from cospal_cli.core.query import Action, Query
from cospal_cli.library.catalogue import CatalogueEntry
from cospal_cli.library.numbers import DIRECTIONS, KINDS, TubeletNumbers
from cospal_cli.ranking import terms
from cospal_cli.ranking.terms import Scores
from cospal_cli.settings import GroundConfig

_NO_CLASS = 0.28  # as in ``zero_shot``: less is another thing
_SEEN = 0.5  # as in ``company``
_APPEARANCE_FLOOR = 0.02
_ABSENT = np.log(0.25)  # company that is nowhere in the video: as the worst that is


@dataclass(frozen=True)
class Table:
    """The numbers of every tubelet of V videos whose detectors know the same L classes."""

    classes: tuple[str, ...]
    entries: tuple[int, ...]  # (V,) positions in the catalogue
    numbers: TubeletNumbers  # (N,)
    video: IntArray  # (N,) positions in ``entries``, rising

    __repr__ = brief


def tables(entries: Sequence[CatalogueEntry]) -> list[Table]:
    """The ``entries``, with their numbers, by what their detectors know. InputError where they
    are damaged."""
    groups: dict[str, list[int]] = {}
    for at, entry in enumerate(entries):
        groups.setdefault(entry.classes, []).append(at)
    made = []
    for known, own in groups.items():
        rows = [entries[at].read_numbers().rows for at in own]
        video = np.repeat(np.arange(len(own)), [len(one) for one in rows])
        numbers = TubeletNumbers(np.concatenate(rows))
        made.append(Table(tuple(json.loads(known)), tuple(own), numbers, video))
    return made


def best(table: Table, query: Query, config: GroundConfig) -> Scores:
    """The evidence (V,) of the best tubelet of each video, in nats; -inf where none is of the
    subject's class."""
    found = np.full(len(table.entries), -np.inf)
    rows, logs = evidence(table, query, config)
    np.maximum.at(found, table.video[rows], logs)
    return found


def evidence(table: Table, query: Query, config: GroundConfig) -> tuple[NDArray[np.intp], Scores]:
    """The rows of the tubelets of the subject's class (M,), and the evidence of each, in nats."""
    share = _shares(table, query.classes)
    rows = np.flatnonzero(share >= _NO_CLASS)
    if not len(rows):
        return rows, np.zeros(0)
    kept = _Kept(TubeletNumbers(table.numbers.rows[rows]), share[rows], table.video[rows])
    total = config.class_weight * (np.log(0.02 + kept.share) if query.classes else 0.0)
    total = total + config.colour_weight * _colours(kept, query)
    total += config.position_weight * _positions(kept, query)
    total += config.action_weight * _actions(kept.numbers, query)
    total += config.prior_weight * _prior(kept)
    total += config.company_weight * _company(table, kept, query)
    total += config.appearance_weight * _appearance(kept.numbers, query)
    return rows, total


class _Kept:
    """The tubelets of the subject's class, video by video."""

    def __init__(self, numbers: TubeletNumbers, share: Scores, video: IntArray) -> None:
        self.numbers, self.share, self.video = numbers, share, video
        self._starts = np.flatnonzero(np.diff(video, prepend=-1))
        self._lengths = np.diff(self._starts, append=len(video))
        self.rivals = share >= 0.5 * self.extreme(np.maximum, share)

    def extreme(self, of: np.ufunc, values: Scores) -> Scores:
        """(M,) the largest or smallest of the ``values`` in each tubelet's own video."""
        return np.repeat(of.reduceat(values, self._starts), self._lengths)

    def limits(self, values: Scores) -> tuple[Scores, Scores]:
        """The smallest and largest of the rivals' values in each one's video."""
        low = self.extreme(np.minimum, np.where(self.rivals, values, np.inf))
        return low, self.extreme(np.maximum, np.where(self.rivals, values, -np.inf))


def _shares(table: Table, wanted: Mapping[str, float]) -> Scores:
    """See ``terms.class_shares``."""
    if not wanted:
        return np.ones(len(table.numbers))
    named = [at for at, name in enumerate(table.classes) if wanted.get(name)]
    if not named:
        return np.zeros(len(table.numbers))
    weights = np.array([wanted[table.classes[at]] for at in named])
    scores = (table.numbers.labels(named) * weights).max(axis=1)
    return np.asarray(scores / np.maximum(table.numbers.best_label(), 1e-6))


def _colours(kept: _Kept, query: Query) -> Scores:
    total = np.zeros(len(kept.video))
    for said, denied in ((query.attributes, False), (query.excluded.attributes, True)):
        for attribute in said:
            if attribute.values:
                share = terms.colour_share(kept.numbers.colours(), attribute)
                total += np.log(0.05 + (1 - share if denied else share))
    return total


def _positions(kept: _Kept, query: Query) -> Scores:
    place = kept.numbers.place
    columns = SimpleNamespace(
        centre=(place("x"), place("y")), size=place("size"), height=place("height"),
        start=place("start"),
    )  # fmt: skip
    total = np.zeros(len(kept.video))
    for word, weight, denied in terms.said_positions(query):
        values = terms.POSITIONS[word](columns)
        total += weight * terms.position_log(values, *kept.limits(values), denied)
    return total


def _actions(numbers: TubeletNumbers, query: Query) -> Scores:
    said, denied = query.actions, query.excluded.actions
    logs = [one.weight * _action(numbers, one) for one in said]
    logs += [one.weight * terms.against(_action(numbers, one)) for one in denied]
    return np.mean(logs, axis=0) * min(len(logs), 2) if logs else np.zeros(len(numbers))


def _action(numbers: TubeletNumbers, action: Action) -> Scores:
    names = [action.kind] if action.kind in KINDS else []
    names += [one for one in action.directions if one in DIRECTIONS]
    logs = [numbers.action(name) for name in names]
    if action.speed and logs:
        fast = numbers.action("fast")
        logs.append(fast if action.speed == "fast" else np.log(1.08 - np.exp(fast)))
    return np.mean(logs, axis=0) if logs else np.zeros(len(numbers))


def _prior(kept: _Kept) -> Scores:
    place = kept.numbers.place
    _, reference = kept.limits(place("size"))
    share = place("size") / np.maximum(reference, 1e-6)
    return terms.prior(share, place("length_s"), place("score"), place("echo"))


def _company(table: Table, kept: _Kept, query: Query) -> Scores:
    """The best that company can be: 0 where the thing is in the video."""
    total = np.zeros(len(table.entries))
    for wanted in query.context.values():
        if wanted:
            there = np.zeros(len(table.entries), bool)
            there[table.video[_shares(table, wanted) >= _SEEN]] = True
            total += np.where(there, 0, _ABSENT)
    return total[kept.video]


def _appearance(numbers: TubeletNumbers, query: Query) -> Scores:
    total = np.zeros(len(numbers))
    for classes in query.appearance.values():
        total += np.log(_APPEARANCE_FLOOR + numbers.shown(classes))
    for classes in query.excluded.appearance.values():
        total += np.log(_APPEARANCE_FLOOR / (_APPEARANCE_FLOOR + numbers.shown(classes)))
    return total

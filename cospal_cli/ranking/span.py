"""From when to when: the part of a tubelet that the sentence's verbs describe.

Only movement and direction verbs trim. Hands, talk and posture leave no curve that beats the whole
tubelet here: before and after the movements of the sentence they get a fixed time each, and where
the sentence begins or ends with something that lasts (standing, talking), that side stays whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cospal_cli.core.middle import median
from cospal_cli.core.observation import TimeSpan
from cospal_cli.core.query import Action, Query
from cospal_cli.core.tubelets import Tubelet
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.moments import Moment, moment
from cospal_cli.ranking.terms import class_shares

_ACTION_S = 1.5  # what an action of the hands takes, next to a movement
_PAD_S = 0.15  # the slope's window blunts the moment's borders
_SNAP_S = 0.5  # a moment that ends this close to the tubelet's own end lasts until that end
_MIN_S = 0.6  # shorter bursts are not a moment
_WORTH = 0.85  # a trim that keeps more than this share of the tubelet is left out
_SEEN = 0.5  # class share from which a tubelet counts as a thing that the sentence names


def span(
    candidate: Candidate,
    query: Query,
    everything: Sequence[Candidate] = (),
    classes: Sequence[str] = (),
) -> TimeSpan:
    """Half-open [start, end) in seconds inside the tubelet's own extent.

    ``everything``: all candidates of the video, among them the sentence's other things, found by
    the detector's ``classes``.
    """
    start, end = extent(candidate.tubelet)
    if not query.actions:
        return TimeSpan(start, end)
    things = named_things(query, everything, classes)
    moments = [moment(candidate, action, things) for action in query.actions]
    before = _lead(moments, query.actions)
    after = _lead(moments[::-1], query.actions[::-1])
    low = before[0][0] - _PAD_S - before[1] if before else start
    high = after[0][1] + _PAD_S + after[1] if after else end
    low = start if low < start + _SNAP_S else low
    high = end if high > end - _SNAP_S else high
    trimmed = _MIN_S <= high - low <= _WORTH * (end - start)
    return TimeSpan(low, high) if trimmed else TimeSpan(start, end)


def _lead(
    moments: Sequence[Moment | None], actions: Sequence[Action]
) -> tuple[Moment, float] | None:
    """The first moment and the seconds that the actions before it take; None: they last."""
    before = 0.0
    for found, action in zip(moments, actions, strict=True):
        if found:
            return found, before
        if action.kind in ("still", "talk"):
            return None
        before += _ACTION_S
    return None


def extent(tubelet: Tubelet) -> TimeSpan:
    """The tubelet's whole time: half a sampling step beyond its first and last observation."""
    times = tubelet.times_s
    half = float(median(np.diff(times))) / 2 if len(times) > 1 else 0.05
    return TimeSpan(max(float(times[0]) - half, 0.0), float(times[-1]) + half)


def named_things(
    query: Query, everything: Sequence[Candidate], classes: Sequence[str]
) -> list[Candidate]:
    """The candidates that may be what the sentence names beside the subject."""
    found: dict[int, Candidate] = {}
    for wanted in filter(None, query.context.values()):
        shares = class_shares(everything, wanted, classes)
        found |= {at: everything[at] for at in np.flatnonzero(shares >= _SEEN).tolist()}
    return list(found.values())

"""From when to when: the part of a tubelet that the sentence's verbs describe.

Each verb with a curve of log odds has its stretch; several follow one another in the sentence's
order. Verbs without one (talk, play) and those that do not rise above noise get a fixed time before
and after; where the sentence begins or ends with what lasts (standing, talking), that side stays
whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.middle import median
from cospal_cli.core.observation import TimeSpan
from cospal_cli.core.query import Action, Query
from cospal_cli.core.tubelets import Tubelet
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.moments import action_curve
from cospal_cli.ranking.odds import Curve, usual_step
from cospal_cli.ranking.order import hull, in_order
from cospal_cli.ranking.terms import class_shares

_ACTION_S = 1.5  # what an action of the hands takes, next to a movement
_SNAP_S = 0.5  # a moment that ends this close to the tubelet's own end lasts until that end
_MIN_S = 0.6  # shorter bursts are not a moment
_WORTH = 0.85  # a trim that keeps more than this share of the tubelet is left out
_SENT = frozenset(["launch", "catch"])  # where nothing is named, what they are done to is a ball
_BALLS = ("sports ball", "frisbee")
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
    sent = any(action.signature in _SENT for action in query.actions)
    if sent and not things and classes:
        things = _of_classes(dict.fromkeys(_BALLS, 1.0), everything, classes)
    curves = [action_curve(candidate, action, things) for action in query.actions]
    shown = [curve for curve in curves if curve is not None]
    if not shown:
        return TimeSpan(start, end)
    first, last = _stretch(np.stack(shown), candidate.tubelet)
    before, after = _lead(curves, query.actions), _lead(curves[::-1], query.actions[::-1])
    low = start if before is None else first - before
    high = end if after is None else last + after
    low = start if low < start + _SNAP_S else low
    high = end if high > end - _SNAP_S else high
    trimmed = _MIN_S <= high - low <= _WORTH * (end - start)
    return TimeSpan(low, high) if trimmed else TimeSpan(start, end)


def _stretch(curves: NDArray[np.float64], tubelet: Tubelet) -> tuple[float, float]:
    """First and last time of the likeliest stretch in which the actions follow one another.

    Where one of them does not show in the sentence's order, all of them in any.
    """
    times = tubelet.times_s
    nats = curves[: len(times)] * np.gradient(times)
    low, high = in_order(nats)
    if (nats[:, low:high].max(axis=1) <= 0).any():
        low, high = hull(nats)
    half = usual_step(times) / 2
    return float(times[low]) - half, float(times[high - 1]) + half


def _lead(curves: Sequence[Curve | None], actions: Sequence[Action]) -> float | None:
    """The seconds that the actions before the first with a curve take; None: they last."""
    before = 0.0
    for curve, action in zip(curves, actions, strict=True):
        if curve is not None:
            return before
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
        found |= {one.tubelet.id: one for one in _of_classes(wanted, everything, classes)}
    return list(found.values())


def _of_classes(
    wanted: Mapping[str, float], everything: Sequence[Candidate], classes: Sequence[str]
) -> list[Candidate]:
    shares = class_shares(everything, wanted, classes)
    return [everything[at] for at in np.flatnonzero(shares >= _SEEN).tolist()]

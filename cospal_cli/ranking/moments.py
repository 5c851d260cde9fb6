"""When an action shows: the curve of its signature, or of movement where it has none.

Movement shows as pace or as speed along the direction named, coming to a thing as the distance to
it, and going out as movement up to where the subject is lost at the frame's border.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.boxes import area, centres
from cospal_cli.core.middle import median, quantile
from cospal_cli.core.query import Action
from cospal_cli.core.tubelets import Tubelet
from cospal_cli.features.motion import slopes
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.odds import RATE, Curve, highest, samples
from cospal_cli.ranking.signatures import curve
from cospal_cli.ranking.terms import MOVING

_BRISK = 1.5  # heights per second: faster peaks do not make the rest of a movement slow
_APART = -100 * RATE  # a movement is one stretch
_BLUNT_S = 0.1  # the slope's window blunts a movement's ends
_JOIN_S = 0.8  # pauses shorter than this do not end a movement
_NEARING = 1.0  # heights per second from which getting nearer to a thing tells more than pace
_GONE_S = 0.4  # not seen for this long, after the frame's border: out of the picture
_BORDER = 0.02  # of the frame's side
_GOING_S = 1.0  # who is at the border has moved towards it so shortly before

_ARRIVING = frozenset({"in", "closer", "to"})
_LEAVING = frozenset({"out", "away"})
_AXES = {"left": (0, -1), "right": (0, 1), "up": (1, -1), "down": (1, 1)}


def action_curve(
    candidate: Candidate, action: Action, things: Sequence[Candidate] = ()
) -> Curve | None:
    """Log odds (T,), nats per second, that ``action`` is going on; None without a clear moment.

    ``things`` are what the sentence names beside the subject.
    """
    found = curve(action.signature, candidate, things) if action.signature else None
    return movement(candidate, action, things) if found is None else found


def movement(
    candidate: Candidate, action: Action, things: Sequence[Candidate] = ()
) -> Curve | None:
    """The same by movement alone, of verbs that move the whole subject.

    Of several movements an arrival is the first and a departure the last; else each counts by its
    strength.
    """
    if action.kind not in ("move", "jump") or len(candidate.tubelet) < 3:
        return None
    times, drive = candidate.tubelet.times_s, _drive(candidate, action)
    nearing = _nearing(candidate.tubelet, things) if "to" in action.directions else None
    if nearing is not None:
        drive = nearing
    gone = _gone(candidate)
    if "out" in action.directions and gone is not None:
        drive = np.where(times <= gone, drive, 0.0)
    peak = min(quantile(drive, 0.95), _BRISK)
    spans = stretches(drive > max(0.3 * peak, 0.5 * MOVING), times)
    if peak < MOVING or not spans:
        return None
    strength = np.array([drive[low:high].sum() for low, high in spans])
    share = strength / strength.max()
    strong = np.flatnonzero(share > 0.3)
    leaving = bool(_LEAVING.intersection(action.directions))
    if leaving and gone is not None and abs(times[spans[-1][1] - 1] - gone) < _GOING_S:
        strong = np.append(strong, len(spans) - 1)  # the last steps, however few
    if _ARRIVING.intersection(action.directions) and nearing is None:
        strong, share[strong[0]] = strong[:1], 1.0
    elif leaving:
        strong, share[strong[-1]] = strong[-1:], 1.0
    found = np.full(len(times), _APART)
    more = samples(times, _BLUNT_S)
    for at in strong:
        low, high = spans[at]
        found[max(low - more, 0) : high + more] = RATE * share[at]
    return found


def stretches(on: NDArray[np.bool_], times_s: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Half-open index ranges where ``on`` (T,) holds, joined over pauses below ``_JOIN_S``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8)))
    spans: list[tuple[int, int]] = []
    for low, high in edges.reshape(-1, 2).tolist():
        if spans and times_s[low] - times_s[spans[-1][1] - 1] < _JOIN_S:
            spans[-1] = (spans[-1][0], high)
        else:
            spans.append((low, high))
    return spans


def _drive(candidate: Candidate, action: Action) -> Curve:
    """How strongly a movement shows."""
    motion = candidate.motion
    for direction in action.directions:
        if direction in _AXES:
            axis, sign = _AXES[direction]
            return (sign * motion.velocity[:, axis]).astype(np.float64)
    return motion.pace.astype(np.float64)


def _nearing(tubelet: Tubelet, things: Sequence[Candidate]) -> Curve | None:
    """How fast the subject gets nearer to one of ``things``, the one that it comes to fastest.

    None where it comes fast to none of them: most steps to a table are slow, or across the view.
    """
    size = float(np.sqrt(median(area(tubelet.boxes_xyxy)))) or 1.0
    best, fastest = None, _NEARING
    for thing in things:
        other, times = thing.tubelet, tubelet.times_s
        there = (times >= other.times_s[0] - 0.05) & (times <= other.times_s[-1] + 0.05)
        if other.id == tubelet.id or there.mean() < 0.5:
            continue
        places = [np.interp(times, other.times_s, along) for along in centres(other.boxes_xyxy).T]
        gap = np.hypot(*(centres(tubelet.boxes_xyxy) - np.stack(places, 1)).T) / size
        nearing = np.where(there, -slopes(times, gap[:, None])[:, 0], 0.0)
        if (peak := quantile(nearing, 0.95)) >= fastest:
            best, fastest = nearing, peak
    return best


def _gone(candidate: Candidate) -> float | None:
    """When the subject first goes over the frame's border for some time, or for good."""
    times, seen = candidate.tubelet.times_s, np.flatnonzero(candidate.tubelet.observed)
    away = np.append(np.diff(times[seen]), _GONE_S if candidate.leaves else 0.0) >= _GONE_S
    gone = seen[_outward(candidate)[seen] & away]
    return float(times[gone[0]]) if len(gone) else None


def _outward(candidate: Candidate) -> NDArray[np.bool_]:
    """Where (T,) the box is at a side of the frame, and has just moved towards it."""
    tubelet, (width, height) = candidate.tubelet, candidate.frame
    limits = np.array([0, 0, width, height], np.float32)
    reach = _BORDER * np.array([width, height, width, height], np.float32)
    at_border = np.abs(tubelet.boxes_xyxy - limits) < reach
    velocity = candidate.motion.velocity.astype(np.float64)
    ways = np.concatenate([-velocity, velocity], axis=1)
    before = samples(tubelet.times_s, _GOING_S)
    moved = np.stack([highest(way, before, 0) for way in ways.T], axis=1) > 0.5 * MOVING
    return np.asarray((at_border & moved).any(axis=1))

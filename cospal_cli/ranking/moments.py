"""When an action shows: for each verb the stretch of a tubelet's life that it means, or none.

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
from cospal_cli.ranking.terms import MOVING

Curve = NDArray[np.float64]  # (T,) heights per second, at the tubelet's own times
Moment = tuple[float, float]  # first and last time, in seconds

_BRISK = 1.5  # heights per second: faster peaks do not make the rest of a movement slow
_JOIN_S = 0.8  # pauses shorter than this do not end a movement
_STAYS_S = 0.5  # who came to a thing is still coming that long after the last step
_NEARING = 1.0  # heights per second from which getting nearer to a thing tells more than pace
_GONE_S = 0.4  # not seen for this long, after the frame's border: out of the picture
_BORDER = 0.02  # of the frame's side

_ARRIVING = frozenset({"in", "closer", "to"})
_LEAVING = frozenset({"out", "away"})
_AXES = {"left": (0, -1), "right": (0, 1), "up": (1, -1), "down": (1, 1)}


def moment(candidate: Candidate, action: Action, things: Sequence[Candidate] = ()) -> Moment | None:
    """The stretch that ``action`` means, or None without a clear one.

    ``things`` are what the sentence names beside the subject. Of several movements an arrival is
    the first and a departure the last; else the strongest.
    """
    if action.kind not in ("move", "jump") or len(candidate.tubelet) < 3:
        return None
    times, drive = candidate.tubelet.times_s, _drive(candidate, action)
    nearing = _nearing(candidate.tubelet, things) if "to" in action.directions else None
    if nearing is not None:
        drive = nearing
    if "out" in action.directions:
        drive = np.where(times <= _last_seen(candidate), drive, 0.0)
    peak = min(quantile(drive, 0.95), _BRISK)
    spans = stretches(drive > max(0.3 * peak, 0.5 * MOVING), times)
    strength = np.array([drive[low:high].sum() for low, high in spans])
    if peak < MOVING or not spans:
        return None
    strong = np.flatnonzero(strength > 0.3 * strength.max())
    if _ARRIVING.intersection(action.directions) and nearing is None:
        low, high = spans[strong[0]]
    elif _LEAVING.intersection(action.directions):
        low, high = spans[strong[-1]]
    else:
        low, high = spans[int(strength.argmax())]
    stays = _STAYS_S if "to" in action.directions else 0.0
    return float(times[low]), float(times[high - 1]) + stays


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


def _last_seen(candidate: Candidate) -> float:
    """When the subject is first lost at the frame's border; its last time where it never is."""
    tubelet = candidate.tubelet
    seen = np.flatnonzero(tubelet.observed)
    limits = np.array([0, 0, *candidate.frame], np.float32)
    reach = _BORDER * np.array([*candidate.frame, *candidate.frame], np.float32)
    at_border = (np.abs(tubelet.boxes_xyxy[seen[:-1]] - limits) < reach).any(axis=1)
    lost = at_border & (np.diff(tubelet.times_s[seen]) >= _GONE_S)
    last = seen[int(lost.argmax())] if lost.any() else -1
    return float(tubelet.times_s[last])

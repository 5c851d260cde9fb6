"""From when to when: the part of a tubelet that the sentence's verbs speak of.

Only movement and direction verbs trim. Hands, talk and posture leave no curve that beats the whole
tubelet here, and a verb between others does not bound the moment: a movement at the start of the
sentence trims the start, one at its end trims the end.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cospal_cli.ground.candidates import Candidate
from cospal_cli.ground.terms import MOVING
from cospal_cli.types import Action, Query

_PAD_S = 0.15  # the slope's window blunts the moment's borders
_MIN_S = 0.6  # shorter bursts are no moment
_WORTH = 0.85  # a trim that keeps more than this share of the tubelet is not made


def span(candidate: Candidate, query: Query) -> tuple[float, float]:
    """Half-open [start, end) in seconds inside the tubelet's own extent."""
    start, end = extent(candidate)
    actions = query.actions
    if not actions:
        return start, end
    moments = [_moment(candidate, action) for action in (actions[0], actions[-1])]
    low = moments[0][0] - _PAD_S if moments[0] else start
    high = moments[1][1] + _PAD_S if moments[1] else end
    low, high = max(low, start), min(high, end)
    trimmed = high - low
    return (low, high) if _MIN_S <= trimmed <= _WORTH * (end - start) else (start, end)


def extent(candidate: Candidate) -> tuple[float, float]:
    """The tubelet's whole time: half a sampling step beyond its first and last observation."""
    times = candidate.tubelet.times_s
    half = float(np.median(np.diff(times))) / 2 if len(times) > 1 else 0.05
    return max(float(times[0]) - half, 0.0), float(times[-1]) + half


def _moment(candidate: Candidate, action: Action) -> tuple[float, float] | None:
    """The stretch of time with the most of the action's own motion, or None without a clear one."""
    drive = _drive(candidate, action)
    if drive is None or len(drive) < 3:
        return None
    peak = float(np.quantile(drive, 0.95))
    if peak < MOVING:
        return None
    low, high = best_stretch(drive - max(0.35 * peak, 0.6 * MOVING))
    times = candidate.motion.times_s
    return float(times[low]), float(times[high - 1])


def _drive(candidate: Candidate, action: Action) -> NDArray[np.float64] | None:
    """How strongly the action shows at each time (T,), heights per second; None: it never does."""
    motion = candidate.motion
    pace = np.maximum(motion.speed, 1.5 * np.abs(motion.growth))
    toward = {
        "left": -motion.velocity[:, 0],
        "right": motion.velocity[:, 0],
        "up": -motion.velocity[:, 1],
        "down": motion.velocity[:, 1],
    }
    if action.kind not in ("move", "jump") and not set(action.directions) & {"in", "out", "away"}:
        return None
    for direction in action.directions:
        if direction in toward:
            return toward[direction].astype(np.float64)
    return pace.astype(np.float64)


def best_stretch(gain: NDArray[np.float64]) -> tuple[int, int]:
    """Half-open index range of the contiguous stretch with the largest sum (Kadane)."""
    total = np.concatenate([[0.0], np.cumsum(gain)])
    behind = np.minimum.accumulate(total)
    high = int(np.argmax(total - behind))
    return int(np.argmin(total[: high + 1])), max(high, 1)

"""Curves of log odds: how measured values become evidence per moment, in nats per second.

A curve says at each of a tubelet's times how much likelier the picture there is where an action is
going on than where it is not. It is bounded, so that no single box decides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.middle import median

Curve = NDArray[np.float64]  # (T,) at the tubelet's own times

RATE = 3.0  # nats per second that a plain sign gives, for or against


def odds(values: Curve, even: float, plain: float) -> Curve:
    """Log odds (T,) of ``values``: 0 at ``even``, ``RATE`` from ``plain`` on, straight between.

    ``plain`` below ``even``: small values speak for it.
    """
    return RATE * np.clip((values - even) / (plain - even), -1.0, 1.0)


def samples(times_s: Curve, seconds: float) -> int:
    """How many samples (1 at least) ``seconds`` are at the usual step of ``times_s``."""
    return max(round(seconds / usual_step(times_s)), 1)


def usual_step(times_s: Curve) -> float:
    """The median step in seconds; .1 for a single time."""
    return float(median(np.diff(times_s))) if len(times_s) > 1 else 0.1


def highest(values: Curve, back: int, ahead: int) -> Curve:
    """The largest of ``values`` from ``back`` samples before to ``ahead`` samples after each."""
    return _windows(values, back, ahead).max(axis=1)


def mean(values: Curve, back: int, ahead: int) -> Curve:
    """Likewise the mean; the ends repeat."""
    return _windows(values, back, ahead).mean(axis=1)


def usual(values: Curve, reach: int, share: float) -> Curve:
    """Likewise the quantile ``share``, over ``reach`` samples to both sides."""
    rows = np.sort(_windows(values, reach, reach), axis=1)
    return rows[:, round((rows.shape[1] - 1) * share)]


def _windows(values: Curve, back: int, ahead: int) -> NDArray[np.float64]:
    padded = np.pad(np.asarray(values, np.float64), (back, ahead), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, back + ahead + 1)

"""From when to when, as trained heads see it: their proposals made into one segment."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.observation import TimeSpan
from cospal_cli.core.types import GroundingScores, Timeline
from cospal_cli.ranking.prediction import HeadScores

MIDDLE = TimeSpan(0.15, 0.85)  # shares of the video


def segment(prediction: HeadScores, rule: str, timeline: Timeline) -> tuple[TimeSpan, float]:
    """Seconds of the video, half-open, and the log score of the proposal that they come from.

    ``rule``: best, vote, hull or blind, see ``GroundConfig.segment``.
    """
    (low, high), score = RULES[rule](prediction)
    start, length = float(timeline.times_s[0]), timeline.end_s - float(timeline.times_s[0])
    low, high = np.clip([low, high], 0.0, 1.0).tolist()
    return TimeSpan(start + low * length, start + high * length), float(np.log(max(score, 1e-12)))


def _best(prediction: HeadScores) -> tuple[TimeSpan, float]:
    """The proposal from which the sentence is told best."""
    return _row(prediction.scores, int(prediction.scores.proposal_scores.argmax()))


def _vote(prediction: HeadScores) -> tuple[TimeSpan, float]:
    """The proposal that overlaps the others most; the better told one where several do."""
    votes = overlaps(prediction.scores.proposals).sum(axis=1)
    tied = np.flatnonzero(votes >= votes.max() - 1e-6)
    return _row(prediction.scores, int(tied[prediction.scores.proposal_scores[tied].argmax()]))


def _hull(prediction: HeadScores) -> tuple[TimeSpan, float]:
    """From the earliest start to the latest end of the sub-phrases' best proposals."""
    if not prediction.parts:
        return _best(prediction)
    rows = [_row(part, int(part.proposal_scores.argmax())) for part in prediction.parts]
    starts, ends = zip(*(span for span, _ in rows), strict=True)
    return TimeSpan(min(starts), max(ends)), min(score for _, score in rows)


def _blind(prediction: HeadScores) -> tuple[TimeSpan, float]:
    """The middle of the video, whatever the heads say: what a segment must beat to be one."""
    return MIDDLE, 1.0


RULES: dict[str, Callable[[HeadScores], tuple[TimeSpan, float]]] = {
    "best": _best,
    "vote": _vote,
    "hull": _hull,
    "blind": _blind,
}


def overlaps(spans: NDArray[np.floating]) -> NDArray[np.float64]:
    """IoU (P, P) of every pair of ``spans`` (P, 2); 0 for two without length."""
    low, high = np.asarray(spans, np.float64).T
    common = np.minimum.outer(high, high) - np.maximum.outer(low, low)
    common = np.maximum(common, 0)
    union = np.add.outer(high - low, high - low) - common
    return common / np.maximum(union, 1e-12)


def _row(scores: GroundingScores, at: int) -> tuple[TimeSpan, float]:
    low, high = scores.proposals[at].tolist()
    return TimeSpan(low, high), float(scores.proposal_scores[at])

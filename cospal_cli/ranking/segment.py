"""From when to when, by trained heads: one segment from their proposals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.frames import Timeline
from cospal_cli.core.grounding import GroundingScores
from cospal_cli.core.observation import TimeSpan
from cospal_cli.ranking.order import hull, in_order
from cospal_cli.ranking.prediction import HeadScores

MIDDLE = TimeSpan(0.15, 0.85)  # shares of the video


def segment(
    prediction: HeadScores,
    rule: str,
    timeline: Timeline,
    tubelet: int | None = None,
    bonus: FloatArray | None = None,
) -> tuple[TimeSpan, float]:
    """Seconds of the video, half-open, and a score in nats: of the proposal that they come from,
    or of the sub-phrases within.

    ``rule``: best, vote, hull or blind, see ``GroundConfig.segment``. Where heads give a curve for
    each tubelet, that of the row ``tubelet`` counts, or of the best; ``bonus`` (T,) is added to it.
    """
    if prediction.scores.curves is not None and rule != "blind":
        at = int(prediction.scores.tubelet_scores.argmax()) if tubelet is None else tubelet
        curves = prediction.scores.curves[at].T
        curves = curves if bonus is None else curves + bonus
        (low, high), nats = _from_curves(prediction, curves, rule)
    else:
        (low, high), score = RULES[rule](prediction)
        nats = float(np.log(max(score, 1e-12)))
    start, length = float(timeline.times_s[0]), timeline.end_s - float(timeline.times_s[0])
    low, high = np.clip([low, high], 0.0, 1.0).tolist()
    return TimeSpan(start + low * length, start + high * length), nats


def _from_curves(
    prediction: HeadScores, curves: NDArray[np.floating], rule: str
) -> tuple[TimeSpan, float]:
    """From the curves (J, T) of a tubelet; its whole time where no sub-phrase asks."""
    count, bins = len(prediction.acts), curves.shape[1]
    if not count:
        return TimeSpan(0.0, 1.0), 0.0
    rows = curves[:count]
    ordered = prediction.ordered and rule != "hull" and count <= bins
    start, end = in_order(rows) if ordered else hull(rows)
    inside = rows[:, start:end].max(axis=0)
    return TimeSpan(start / bins, end / bins), float(inside.mean())


def _best(prediction: HeadScores) -> tuple[TimeSpan, float]:
    """The proposal that reconstructs best; of sub-phrases, from the earliest to the latest."""
    return _hulled(prediction, lambda scores: int(_scores(scores).argmax()))


def _vote(prediction: HeadScores) -> tuple[TimeSpan, float]:
    """Likewise, the proposal that overlaps the others most."""
    return _hulled(prediction, _most_votes)


def _most_votes(scores: GroundingScores) -> int:
    """The row that overlaps the others most; the better reconstruction where several do."""
    votes = overlaps(_proposals(scores)).sum(axis=1)
    tied = np.flatnonzero(votes >= votes.max() - 1e-6)
    return int(tied[_scores(scores)[tied].argmax()])


def _hulled(
    prediction: HeadScores, choose: Callable[[GroundingScores], int]
) -> tuple[TimeSpan, float]:
    """From the earliest start to the latest end of what is chosen for each sub-phrase, where they
    were run, or for the query."""
    rows = [_row(part, choose(part)) for part in prediction.parts or (prediction.scores,)]
    starts, ends = zip(*(span for span, _ in rows), strict=True)
    return TimeSpan(min(starts), max(ends)), min(score for _, score in rows)


def _blind(prediction: HeadScores) -> tuple[TimeSpan, float]:
    """The middle of the video, whatever the heads predict: what segments must beat."""
    return MIDDLE, 1.0


RULES: dict[str, Callable[[HeadScores], tuple[TimeSpan, float]]] = {
    "best": _best,
    "vote": _vote,
    "hull": _best,  # for which the sub-phrases are run
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
    low, high = _proposals(scores)[at].tolist()
    return TimeSpan(low, high), float(_scores(scores)[at])


def _proposals(scores: GroundingScores) -> FloatArray:
    assert scores.proposals is not None  # of heads that reconstruct
    return scores.proposals


def _scores(scores: GroundingScores) -> FloatArray:
    assert scores.proposal_scores is not None
    return scores.proposal_scores

"""CoSPaL's prediction: the tubelet that its heads score highest, cut to their segment.

``why`` carries the logarithms of the tubelet's score and of the segment's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cospal_cli.core.observation import TimeSpan
from cospal_cli.core.query import Query
from cospal_cli.ranking import needs_heads
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.method import NOTHING, Ranked
from cospal_cli.ranking.segment import segment
from cospal_cli.ranking.span import extent
from cospal_cli.settings import GroundConfig


def rank(
    candidates: Sequence[Candidate], query: Query, evidence: Evidence, config: GroundConfig
) -> Ranked:
    """The candidates that the heads scored, by their scores. UsageError without a prediction."""
    if not candidates:
        return NOTHING
    if evidence.prediction is None:
        raise needs_heads("cospal")
    prediction = evidence.prediction
    row_of = {number: row for row, number in enumerate(prediction.ids)}
    candidates = [one for one in candidates if one.tubelet.id in row_of]
    if config.temporal_first:
        when, _ = segment(prediction, config.segment, evidence.timeline)
        candidates = [one for one in candidates if meets(one, when)] or candidates
    rows = [row_of[one.tubelet.id] for one in candidates]
    segments = [segment(prediction, config.segment, evidence.timeline, row) for row in rows]
    when_of = {one.tubelet.id: when for one, (when, _) in zip(candidates, segments, strict=True)}
    scores = prediction.scores.tubelet_scores[rows].astype(np.float64)
    scores /= max(float(scores.sum()), 1e-12)
    logs = np.log(np.maximum(scores, 1e-12))
    why = {"tubelet": logs, "segment": np.array([nats for _, nats in segments])}
    return Ranked(candidates, scores, lambda one: within(one, when_of[one.tubelet.id]), logs, why)


def meets(candidate: Candidate, when: TimeSpan) -> bool:
    """Whether the candidate is there at some time of the segment."""
    start, end = extent(candidate.tubelet)
    return start < when.end and when.start < end


def within(candidate: Candidate, when: TimeSpan) -> TimeSpan:
    """The part of the segment in which the candidate is there; all of it where that is none."""
    start, end = extent(candidate.tubelet)
    if not meets(candidate, when):
        return when
    return TimeSpan(max(start, when.start), min(end, when.end))

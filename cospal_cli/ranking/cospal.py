"""CoSPaL's answer: the tubelet that its heads score highest, cut to the segment that they predict.

``why`` carries the logarithms of the tubelet's score and of the segment's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cospal_cli.config import GroundConfig
from cospal_cli.core.errors import UsageError
from cospal_cli.core.observation import TimeSpan
from cospal_cli.core.types import Query, Tube
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.cut import cut
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.margin import confidence
from cospal_cli.ranking.segment import segment
from cospal_cli.ranking.span import extent


def ground(
    field: Sequence[Candidate], query: Query, evidence: Evidence, config: GroundConfig
) -> list[Tube]:
    """The ``config.top_k`` best tubes, best first; [] where the video has no tubelet.

    Only the heads' answer counts; candidates that they did not see are out. UsageError without
    an answer.
    """
    if not field:
        return []
    if evidence.answer is None:
        raise UsageError(
            "method 'cospal' needs trained heads", "give the folder of a checkpoint: --checkpoint"
        )
    score_of = dict(zip(evidence.answer.ids, evidence.answer.scores.tubelet_scores, strict=True))
    field = [one for one in field if one.tubelet.id in score_of]
    when, told = segment(evidence.answer, config.segment, evidence.timeline)
    if config.temporal_first:
        field = [one for one in field if meets(one, when)] or field
    scores = np.array([score_of[one.tubelet.id] for one in field], np.float64)
    scores /= max(float(scores.sum()), 1e-12)
    logs = np.log(np.maximum(scores, 1e-12))
    order = np.argsort(-scores, kind="stable")
    return [
        cut(
            field[i].tubelet,
            within(field[i], when),
            evidence.timeline,
            score=float(scores[i]),
            confidence=confidence(logs, order, rank),
            label=evidence.classes[int(field[i].tubelet.label_scores.argmax())],
            why={"tubelet": float(logs[i]), "segment": told},
        )
        for rank, i in enumerate(order[: config.top_k])
        if scores[i] >= config.min_score
    ]


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

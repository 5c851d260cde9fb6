"""The rules and the trained heads together: a weighted sum of their log odds.

    who    rules * zero-shot's evidence + heads * the logarithm of the heads' score
    when   each sub-phrase's curve + span where zero-shot's span lies, - span elsewhere

Their weights are fitted at the end of a training (``training/combine.py``) and lie in the
checkpoint; heads without them, and those that reconstruct, have each 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.observation import TimeSpan
from cospal_cli.core.query import Query
from cospal_cli.ranking import cospal, zero_shot
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.method import NOTHING, Ranked
from cospal_cli.ranking.segment import segment
from cospal_cli.settings import GroundConfig

EXCLUDED = 5.0  # nats below the least of the rules' candidates: what they leave out


def rank(
    candidates: Sequence[Candidate], query: Query, evidence: Evidence, config: GroundConfig
) -> Ranked:
    """The candidates that the heads scored, by both. UsageError without a prediction."""
    heads = cospal.rank(candidates, query, evidence, config)
    if not len(heads.candidates) or heads.logs is None or evidence.prediction is None:
        return NOTHING
    prediction, line = evidence.prediction, evidence.timeline
    weights = prediction.weights
    rules = zero_shot.rank(candidates, query, evidence, config)
    evidence_of = rule_logs(rules)
    least = min(evidence_of.values(), default=0.0) - EXCLUDED
    ids = [one.tubelet.id for one in heads.candidates]
    logs = np.array([evidence_of.get(number, least) for number in ids])
    if not evidence_of:
        logs[:] = 0.0  # the rules know nothing of such a subject
    terms = {"rules": weights.rules * logs, "heads": weights.heads * heads.logs}
    total = np.sum(list(terms.values()), axis=0)
    chance = np.exp(total - total.max())
    row_of = {number: row for row, number in enumerate(prediction.ids)}

    def span_of(candidate: Candidate) -> TimeSpan:
        curves = prediction.scores.curves
        if curves is None or candidate.tubelet.id not in evidence_of:
            return heads.span_of(candidate)
        times = (float(line.times_s[0]), line.end_s)
        bonus = weights.span * inside(rules.span_of(candidate), times, curves.shape[1])
        row = row_of[candidate.tubelet.id]
        when, _ = segment(prediction, config.segment, line, row, bonus)
        return cospal.within(candidate, when)

    return Ranked(heads.candidates, chance / chance.sum(), span_of, total, terms)


def rule_logs(rules: Ranked) -> dict[int, float]:
    """Zero-shot's evidence in nats by tubelet id."""
    if rules.logs is None:
        return {}
    return {
        one.tubelet.id: float(log) for one, log in zip(rules.candidates, rules.logs, strict=True)
    }


def inside(span: TimeSpan, times: tuple[float, float], bins: int) -> FloatArray:
    """(bins,): 1 where the middle of an even part of ``times`` lies in ``span``, else -1."""
    edges = np.linspace(*times, bins + 1)
    middles = np.array([(low + high) / 2 for low, high in pairwise(edges)])
    return np.where((middles >= span[0]) & (middles < span[1]), 1.0, -1.0).astype(np.float32)

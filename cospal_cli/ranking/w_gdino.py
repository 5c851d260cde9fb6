"""The baseline W-GDINO: the tubelet whose boxes the detector is surest of, for its whole life.

A tubelet's score is the mean over its frames of the detector's confidence for the query. A
detector that was not prompted with the sentence has none; the score of the subject's class takes
its place then, and ``why`` has "class" instead of "referral".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cospal_cli.core.query import Query
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.method import Ranked
from cospal_cli.ranking.span import extent
from cospal_cli.ranking.terms import Scores, referral_scores
from cospal_cli.settings import GroundConfig


def rank(
    candidates: Sequence[Candidate], query: Query, evidence: Evidence, config: GroundConfig
) -> Ranked:
    """The candidates by the detector's scores alone; those of score 0 are never returned."""
    referral = referral_scores(candidates)
    scores = _class_scores(candidates, query, evidence.classes) if referral is None else referral
    kept = np.flatnonzero(scores > 0).tolist()
    logs = np.log(np.maximum(scores[kept], 1e-12))
    return Ranked(
        [candidates[i] for i in kept],
        scores[kept],
        lambda candidate: extent(candidate.tubelet),
        logs,
        {"class" if referral is None else "referral": logs},
    )


def _class_scores(candidates: Sequence[Candidate], query: Query, classes: Sequence[str]) -> Scores:
    """Mean score (K,) of the subject's best class, or of the tubelet's own where it is unknown."""
    weights = np.array([query.classes.get(name, 0.0) for name in classes])
    if not query.classes:
        weights = np.ones(len(classes))
    return np.array(
        [(weights * c.tubelet.label_scores).max(initial=0) for c in candidates], np.float64
    )

"""The baseline W-GDINO: the tubelet whose boxes the detector is surest of, for its whole life.

A tubelet's score is the mean over its frames of the detector's confidence for the query. A
detector that was not prompted with the sentence has none; the score of the subject's class takes
its place then, and ``why`` says "class" instead of "referral".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cospal_cli.config import GroundConfig
from cospal_cli.core.types import Query, Tube
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.cut import cut
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.margin import confidence
from cospal_cli.ranking.span import extent
from cospal_cli.ranking.terms import Scores, referral_scores


def ground(
    field: Sequence[Candidate], query: Query, evidence: Evidence, config: GroundConfig
) -> list[Tube]:
    """The ``config.top_k`` best tubes, best first; tubelets of score 0 are never returned.

    Only the detector's scores count: neither looks nor the config's weights are used.
    """
    classes = evidence.classes
    referral = referral_scores(field)
    scores = _class_scores(field, query, classes) if referral is None else referral
    logs = np.log(np.maximum(scores, 1e-12))
    order = np.argsort(-scores, kind="stable")
    return [
        cut(
            field[i].tubelet,
            extent(field[i].tubelet),
            evidence.timeline,
            score=float(scores[i]),
            confidence=confidence(logs, order, rank),
            label=classes[int(field[i].tubelet.label_scores.argmax())],
            why={"class" if referral is None else "referral": float(logs[i])},
        )
        for rank, i in enumerate(order[: config.top_k])
        if scores[i] > max(config.min_score, 0.0)
    ]


def _class_scores(field: Sequence[Candidate], query: Query, classes: Sequence[str]) -> Scores:
    """Mean score (K,) of the subject's best class, or of the tubelet's own where it is unknown."""
    weights = np.array([query.classes.get(name, 0.0) for name in classes])
    if not query.classes:
        weights = np.ones(len(classes))
    return np.array([(weights * c.tubelet.label_scores).max(initial=0) for c in field], np.float64)

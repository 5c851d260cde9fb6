"""Zero-shot grounding: rank tubelets by what the sentence says of class, colour, place and motion.

    total = 1.5 log p(class) + 1.5 Σ log colour + 1.5 log position + log action
            + .8 Σ log company + .6 Σ log looks + prior

The weights are ``GroundConfig``'s. ``why`` carries each weighted term of the answer. Where the
detector was prompted with the sentence, its score of the referral takes the place of p(class).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cospal_cli.config import GroundConfig
from cospal_cli.core.types import Query, Tube
from cospal_cli.ranking import terms
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.company import company_term
from cospal_cli.ranking.cut import cut
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.margin import confidence
from cospal_cli.ranking.span import span

_RACE_NATS = 3.0  # candidates further behind the leader get no appearance evidence
_RACE_SIZE = 4
_LOOKS_FLOOR = 0.02
_NO_CLASS = 0.28  # of a tubelet's own best class: less is another thing, or the detector's noise


def ground(
    field: Sequence[Candidate], query: Query, evidence: Evidence, config: GroundConfig
) -> list[Tube]:
    """The ``config.top_k`` best tubes, best first; [] when nothing of its class is seen."""
    classes = evidence.classes
    # A prompted detector's classes are the sentence's own nouns, the subject first.
    prompted = terms.referral_scores(field) is not None
    share = terms.class_shares(field, {classes[0]: 1.0} if prompted else query.classes, classes)
    kept = np.flatnonzero(share >= _NO_CLASS)
    everything, share = list(field), share[kept]
    field = [everything[i] for i in kept]
    if not field:
        return []
    table = _terms(field, query, classes, config, share >= 0.5 * share.max())
    table["company"] = config.company_weight * company_term(field, everything, query, classes)
    if (query.looks or query.excluded.looks) and evidence.looks_of:
        looks = _looks(field, query, _total(table), evidence.looks_of)
        table["looks"] = config.looks_weight * looks
    total = _total(table)
    chance = np.exp(total - total.max())
    chance /= chance.sum()
    order = np.argsort(-total, kind="stable")
    return [
        cut(
            field[i].tubelet,
            span(field[i], query),
            evidence.timeline,
            score=float(chance[i]),
            confidence=confidence(total, order, rank),
            label=classes[int(field[i].tubelet.label_scores.argmax())],
            why={name: float(values[i]) for name, values in table.items()},
        )
        for rank, i in enumerate(order[: config.top_k])
        if chance[i] >= config.min_score
    ]


def _total(table: Mapping[str, terms.Scores]) -> terms.Scores:
    return np.sum(list(table.values()), axis=0)


def _terms(
    field: Sequence[Candidate],
    query: Query,
    classes: Sequence[str],
    config: GroundConfig,
    rivals: NDArray[np.bool_],
) -> dict[str, terms.Scores]:
    referral = terms.referral_term(field)
    named = terms.class_term(field, query, classes) if referral is None else referral
    return {
        "class" if referral is None else "referral": config.class_weight * named,
        "colour": config.colour_weight * terms.colour_term(field, query),
        "position": config.position_weight * terms.position_term(field, query, rivals),
        "action": config.action_weight * terms.action_term(field, query),
        "prior": config.prior_weight * terms.prior_term(field, rivals),
    }


def _looks(
    field: Sequence[Candidate], query: Query, total: terms.Scores, looks_of: terms.LooksOf
) -> terms.Scores:
    """Σ over words of log(floor + p); of those excluded, log(floor / (floor + p)).

    The classifier's p of a garment is small even where it is worn, so that 1 - p would say nothing:
    p / (floor + p) is taken for the chance that it is there. Candidates out of the race get the
    lowest for what is said, the race's worst for what is not.
    """
    race = [i for i in np.argsort(-total)[:_RACE_SIZE] if total[i] > total.max() - _RACE_NATS]
    seen = [looks_of(field[i]) for i in race]
    total = np.zeros(len(field))
    for classes in query.looks.values():
        chances = np.zeros(len(field))
        chances[race] = [_chance(probabilities, classes) for probabilities in seen]
        total += np.log(_LOOKS_FLOOR + chances)
    for classes in query.excluded.looks.values():
        found = [_chance(probabilities, classes) for probabilities in seen]
        chances = np.full(len(field), max(found))
        chances[race] = found
        total += np.log(_LOOKS_FLOOR / (_LOOKS_FLOOR + chances))
    return total


def _chance(probabilities: NDArray[np.float32], classes: Mapping[int, float]) -> float:
    index = np.fromiter(classes, int)
    weights = np.fromiter(classes.values(), float)
    return min(1.0, float(probabilities[index] @ weights))

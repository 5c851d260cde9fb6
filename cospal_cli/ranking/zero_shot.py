"""Zero-shot grounding: rank tubelets by the class, colour, place and motion in the sentence.

    total = 1.5 log p(class) + 1.5 Σ log colour + 1.5 log position + log action
            + .8 Σ log company + 1.5 (Σ log relation + log order)
            + Σ log pattern + .6 Σ log appearance + prior

The weights are ``GroundConfig``'s. ``why`` carries each weighted term of the tube. Where the
detector was prompted with the sentence, its score of the referral takes the place of p(class).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.query import Query
from cospal_cli.language.contrasts import contrasts
from cospal_cli.ranking import terms
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.company import company_term
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.method import NOTHING, Ranked
from cospal_cli.ranking.open_words import open_term
from cospal_cli.ranking.patterns import pattern_term, patterns_said
from cospal_cli.ranking.relations import judged, order_term, relation_term
from cospal_cli.ranking.sizes import size_term, sizes_said
from cospal_cli.ranking.span import span
from cospal_cli.settings import GroundConfig

_CLOSE_NATS = 3.0  # candidates further behind the leader get no appearance evidence
_LEADERS = 4
_NO_CLASS = 0.28  # of a tubelet's own best class: less is another thing, or the detector's noise


def rank(
    candidates: Sequence[Candidate], query: Query, evidence: Evidence, config: GroundConfig
) -> Ranked:
    """The candidates of the subject's class by their share of the evidence."""
    classes = evidence.classes
    # A prompted detector's classes are the sentence's own nouns, the subject first.
    prompted = terms.referral_scores(candidates) is not None
    named = {classes[0]: 1.0} if prompted else query.classes
    share = terms.class_shares(candidates, named, classes)
    kept = np.flatnonzero(share >= _NO_CLASS)
    if not len(kept):
        return NOTHING
    everything, share = list(candidates), share[kept]
    candidates = [everything[i] for i in kept]
    rivals = share >= 0.5 * share.max()
    relation, query = _relations(candidates, everything, query, classes, rivals)
    table = _terms(candidates, query, classes, config, rivals)
    company = company_term(candidates, everything, query, classes)
    table["company"] = config.company_weight * company
    if sizes_said(query):
        pool = [c for c, rival in zip(candidates, rivals, strict=True) if rival]
        table["size"] = config.position_weight * size_term(candidates, query, pool)
    if query.relations or query.order:
        table["relation"] = config.relation_weight * relation
    if evidence.patterns_of and patterns_said(query):
        table["pattern"] = config.pattern_weight * pattern_term(
            candidates, query, evidence.patterns_of
        )
    if evidence.odds_of and (words := contrasts(query)):
        table["open"] = config.appearance_weight * open_term(candidates, words, evidence.odds_of)
    if (query.appearance or query.excluded.appearance) and evidence.appearance_of:
        appearance = _appearance(candidates, query, _total(table), evidence.appearance_of)
        # "looks" is its name in JSON files, as in 0.1.0.
        table["looks"] = config.appearance_weight * appearance
    total = _total(table)
    chance = np.exp(total - total.max())
    chance /= chance.sum()
    when = partial(span, query=query, everything=everything, classes=classes)
    return Ranked(candidates, chance, when, total, table)


def _relations(
    candidates: Sequence[Candidate],
    everything: Sequence[Candidate],
    query: Query,
    classes: Sequence[str],
    rivals: NDArray[np.bool_],
) -> tuple[terms.Scores, Query]:
    """Log chance of the relations and the place in a row, and the query without the positions in
    the picture that they are meant by: "left of the car"."""
    pool = [c for c, rival in zip(candidates, rivals, strict=True) if rival]
    total = relation_term(candidates, everything, query, classes)
    total += order_term(candidates, query, pool)
    sides = {r.kind for r in judged(everything, query, classes)}
    sides |= {"front"} if "closest" in sides else set()
    if query.order and len(pool) > 1:
        sides.add(query.order[1])
    return total, replace(query, positions=tuple(p for p in query.positions if p not in sides))


def _total(table: Mapping[str, terms.Scores]) -> terms.Scores:
    return np.sum(list(table.values()), axis=0)


def _terms(
    candidates: Sequence[Candidate],
    query: Query,
    classes: Sequence[str],
    config: GroundConfig,
    rivals: NDArray[np.bool_],
) -> dict[str, terms.Scores]:
    referral = terms.referral_term(candidates)
    named = terms.class_term(candidates, query, classes) if referral is None else referral
    return {
        "class" if referral is None else "referral": config.class_weight * named,
        "colour": config.colour_weight * terms.colour_term(candidates, query),
        "position": config.position_weight * terms.position_term(candidates, query, rivals),
        "action": config.action_weight * terms.action_term(candidates, query),
        "prior": config.prior_weight * terms.prior_term(candidates, rivals),
    }


def _appearance(
    candidates: Sequence[Candidate],
    query: Query,
    total: terms.Scores,
    appearance_of: terms.AppearanceOf,
) -> terms.Scores:
    """Σ over words of ``terms.appearance_log``: candidates far behind get the lowest for what is
    said, the leaders' worst for what is not.
    """
    leaders = [i for i in np.argsort(-total)[:_LEADERS] if total[i] > total.max() - _CLOSE_NATS]
    appearances = [appearance_of(candidates[i]) for i in leaders]
    total = np.zeros(len(candidates))
    nothing = np.zeros_like(appearances[0])
    for classes in query.appearance.values():
        logs = np.full(len(candidates), terms.appearance_log(nothing, classes))
        logs[leaders] = [terms.appearance_log(seen, classes) for seen in appearances]
        total += logs
    for classes in query.excluded.appearance.values():
        denied = [terms.appearance_log(seen, classes, denied=True) for seen in appearances]
        logs = np.full(len(candidates), min(denied))
        logs[leaders] = denied
        total += logs
    return total

"""How likely a tubelet is what the sentence means: absolute, where a score compares tubelets.

A logistic of the zero-shot terms without their weights, fitted by ``tools/fit_match.py`` on right
tubelets and on each sentence's best tubelet in the videos of others; its numbers are in
``match.json``. It judges the tubelet, whichever method chose it. Where the detector was prompted
with the sentence, its own score of the referral is taken instead: it is absolute already.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.query import Action, Query
from cospal_cli.ranking import terms
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.company import APART, company_term, seen
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.relations import relation_term
from cospal_cli.settings import GroundConfig

NUMBERS = "match.json"
FITTED_FOR = "zero-shot"  # other methods return their best, however badly it matches
RISING = ("class", "colour", "action", "appearance", "company")  # more never lowers it
FALLING = ("unseen", "missing")  # colours that it does not show; things that the video does not
COUNTS = ("colours", "actions", "appearances")  # words behind a sum: a sum of more logs is lower
FEATURES = (*RISING, *FALLING, *COUNTS)
_MISFIT = 0.5  # of the tubelet's best class, where that is none of the sentence's: another thing
_NOTHING, _NOTHING_SMALL = 0.06, 0.03  # of where the colour would be; of small things, of heads
_SURE = 4  # times the classifier's chance: it is sure of a subject at a quarter
_ALIKE = 0.5  # of the best tubelet's match: less is another sort of subject, of several


@dataclass(frozen=True)
class Calibration:
    """The fitted numbers."""

    bias: float
    weights: NDArray[np.float64]  # (len(FEATURES),)
    least: float  # at most 5 % of the true answers it was fitted on were below

    def __call__(self, features: NDArray[np.float64]) -> terms.Scores:
        """Chances (K,) of features (K, len(FEATURES))."""
        return np.asarray(1 / (1 + np.exp(-np.clip(self.bias + features @ self.weights, -30, 30))))


@cache
def calibration() -> Calibration:
    """The numbers that come with the package."""
    text = resources.files("cospal_cli.ranking").joinpath(NUMBERS).read_text("utf-8")
    numbers = json.loads(text)
    weights = np.array([numbers["weights"][name] for name in FEATURES], np.float64)
    return Calibration(numbers["bias"], weights, numbers["least"])


def match(candidates: Sequence[Candidate], query: Query, evidence: Evidence) -> terms.Scores:
    """How likely each candidate (K,) is what the sentence means; 0 where it is another thing."""
    if not candidates:
        return np.zeros(0)
    referral = terms.referral_scores(candidates)
    if referral is not None:
        return np.clip(referral, 0, 1)
    chances = calibration()(features(candidates, query, evidence))
    return np.where(misfits(candidates, query, evidence.classes), 0.0, chances)


def misfits(
    candidates: Sequence[Candidate], query: Query, classes: Sequence[str]
) -> NDArray[np.bool_]:
    """Which candidates (K,) the detector takes for another sort of thing: a bear, not a man."""
    share = terms.class_shares(candidates, query.classes, classes)
    best = [classes[int(c.tubelet.label_scores.argmax())] for c in candidates]
    other = np.array([bool(query.classes) and name not in query.classes for name in best])
    return other & (share < _MISFIT)


def features(
    candidates: Sequence[Candidate], query: Query, evidence: Evidence
) -> NDArray[np.float64]:
    """What the logistic reads (K, len(FEATURES)): sums of logs over words, and their numbers."""
    everything = evidence.everything or candidates
    excluded = query.excluded
    things = [wanted for wanted in query.context.values() if wanted]
    missing = sum(not seen(wanted, everything, evidence.classes) for wanted in things)
    company = company_term(candidates, everything, query, evidence.classes)
    company += relation_term(candidates, everything, query, evidence.classes)
    seeing = evidence.appearance_of is not None
    columns: dict[str, terms.Scores | float] = {
        "class": _class(candidates, query, evidence),
        "colour": terms.colour_term(candidates, query),
        "unseen": _unseen(candidates, query),
        "colours": sum(bool(a.values) for a in (*query.attributes, *excluded.attributes)),
        "action": terms.action_term(candidates, query),
        "actions": min(2.0, sum(map(_judged, (*query.actions, *excluded.actions)))),
        "appearance": _appearance(candidates, query, evidence),
        "appearances": seeing * (len(query.appearance) + len(excluded.appearance)),
        "company": company + missing * APART,  # what is not there is not near
        "missing": missing,
    }
    return np.array([np.full(len(candidates), columns[name], np.float64) for name in FEATURES]).T


def least(config: GroundConfig, best: float) -> float:
    """The lowest match that is returned; ``best`` is that of the likeliest tubelet.

    Unless the user says it: as fitted, for the method that it was fitted for; and of several
    subjects that are meant, each must be about as likely as the best.
    """
    if config.min_match is not None:
        return config.min_match
    fitted = calibration().least if config.method == FITTED_FOR else 0.0
    return max(fitted, _ALIKE * best if config.all else 0.0)


def _unseen(candidates: Sequence[Candidate], query: Query) -> terms.Scores:
    """How many of the colours that are said each candidate shows next to nothing of."""
    shares = terms.colour_shares(candidates, query.attributes)
    small = terms.small_things(query.attributes)
    limits = [
        _NOTHING_SMALL if a.garment in small or a.region == "head" else _NOTHING
        for a in query.attributes
        if a.values
    ]
    return np.asarray((shares < np.array(limits)).sum(axis=1), np.float64)


def _class(candidates: Sequence[Candidate], query: Query, evidence: Evidence) -> terms.Scores:
    """The class's share; of a subject without a class, how sure the classifier is of it."""
    kinds = query.appearance.get(query.subject)
    if query.classes or kinds is None or evidence.appearance_of is None:
        return terms.class_term(candidates, query, evidence.classes)
    rows = [_SURE * evidence.appearance_of(one) for one in candidates]
    return np.array([terms.appearance_log(row, kinds) for row in rows], np.float64)


def _judged(action: Action) -> float:
    """How much a verb counts: nothing where its kind is unknown and it has no direction."""
    return action.weight if action.kind != "unknown" or action.directions else 0.0


def _appearance(candidates: Sequence[Candidate], query: Query, evidence: Evidence) -> terms.Scores:
    """Σ over words of the log of how likely the classifier finds them; 0 without any."""
    said, denied = query.appearance.values(), query.excluded.appearance.values()
    if not (said or denied) or evidence.appearance_of is None:
        return np.zeros(len(candidates))
    rows = [evidence.appearance_of(c) for c in candidates]
    logs = [
        sum(terms.appearance_log(row, classes) for classes in said)
        + sum(terms.appearance_log(row, classes, denied=True) for classes in denied)
        for row in rows
    ]
    return np.array(logs, np.float64)

"""What every ranking method is, and the one way from its result to tubes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from cospal_cli.core.observation import TimeSpan
from cospal_cli.core.query import Query
from cospal_cli.core.tube import Tube
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.cut import cut
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.match import least, match
from cospal_cli.ranking.terms import Scores
from cospal_cli.settings import GroundConfig


@dataclass(frozen=True)
class Ranked:
    """The result of a method: K candidates, how good each is, and its span if it is chosen."""

    candidates: Sequence[Candidate]
    scores: Scores  # (K,) in 0..1
    span_of: Callable[[Candidate], TimeSpan]
    logs: Scores | None = None  # (K,) nats; None: there are none
    why: Mapping[str, Scores] = field(default_factory=dict)  # (K,) each: the terms of ``logs``


NOTHING = Ranked((), np.zeros(0), lambda candidate: TimeSpan(0.0, 0.0))


class Method(Protocol):
    """A way to choose; one function a method."""

    def __call__(
        self,
        candidates: Sequence[Candidate],
        query: Query,
        evidence: Evidence,
        config: GroundConfig,
        /,
    ) -> Ranked:
        """The candidates that may be meant, in any order; ``NOTHING`` where none is."""


def tubes_of(ranked: Ranked, query: Query, evidence: Evidence, config: GroundConfig) -> list[Tube]:
    """The ``config.top_k`` best tubes, or all, that score and match as ``config`` says; best first.

    All: of the parts of a whole only the whole.
    """
    order = [int(at) for at in np.argsort(-ranked.scores, kind="stable")]
    if config.all:
        order = [at for n, at in enumerate(order) if n == 0 or not ranked.candidates[at].echo]
    else:
        order = order[: config.top_k]
    order = [at for at in order if ranked.scores[at] >= config.min_score]
    matches = match([ranked.candidates[at] for at in order], query, evidence)
    lowest = least(config, float(matches.max(initial=0)))
    return [
        _tube(ranked, at, float(fits), query, evidence)
        for at, fits in zip(order, matches, strict=True)
        if fits >= lowest
    ]


def closest(ranked: Ranked, query: Query, evidence: Evidence, config: GroundConfig) -> Tube | None:
    """The best tube, however badly it fits; None where there is no candidate."""
    anything = replace(config, top_k=1, all=False, min_score=0.0, min_match=0.0)
    return next(iter(tubes_of(ranked, query, evidence, anything)), None)


def _tube(ranked: Ranked, at: int, fits: float, query: Query, evidence: Evidence) -> Tube:
    candidate = ranked.candidates[at]
    detected = evidence.classes[int(candidate.tubelet.label_scores.argmax())]
    return cut(
        candidate.tubelet,
        ranked.span_of(candidate),
        evidence.timeline,
        score=float(ranked.scores[at]),
        match=fits,
        label=query.subject or detected,
        detected=detected,
        why={name: float(values[at]) for name, values in ranked.why.items()},
    )

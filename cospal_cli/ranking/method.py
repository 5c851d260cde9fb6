"""What every ranking method is, and the one way from its result to tubes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.observation import TimeSpan
from cospal_cli.core.types import Query, Tube
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.cut import cut
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.terms import Scores
from cospal_cli.settings import GroundConfig


@dataclass(frozen=True)
class Ranked:
    """The result of a method: K candidates, how good each is, and its span if it is chosen."""

    candidates: Sequence[Candidate]
    scores: Scores  # (K,) in 0..1
    span_of: Callable[[Candidate], TimeSpan]
    logs: Scores | None = None  # (K,) nats, from whose lead confidence follows; None: there is none
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
    """The ``config.top_k`` best tubes of at least ``config.min_score``, best first."""
    order = np.argsort(-ranked.scores, kind="stable")
    return [
        _tube(ranked, order, rank, query, evidence)
        for rank, at in enumerate(order[: config.top_k])
        if ranked.scores[at] >= config.min_score
    ]


def _tube(
    ranked: Ranked, order: NDArray[np.intp], rank: int, query: Query, evidence: Evidence
) -> Tube:
    at = int(order[rank])
    candidate = ranked.candidates[at]
    detected = evidence.classes[int(candidate.tubelet.label_scores.argmax())]
    return cut(
        candidate.tubelet,
        ranked.span_of(candidate),
        evidence.timeline,
        score=float(ranked.scores[at]),
        confidence=0.0 if ranked.logs is None else _confidence(ranked.logs, order, rank),
        label=query.subject or detected,
        detected=detected,
        why={name: float(values[at]) for name, values in ranked.why.items()},
    )


def _confidence(logs: Scores, order: NDArray[np.intp], rank: int) -> float:
    """How far the tube is ahead of the best other tubelet: 0 (a tie or behind) towards 1."""
    if len(order) == 1:
        return 1.0
    best_other = logs[order[0 if rank else 1]]
    return float(max(0.0, np.tanh((logs[order[rank]] - best_other) / 2)))

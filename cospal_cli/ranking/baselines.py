"""What an answer without understanding is worth: chance, and the largest subject."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np

from cospal_cli.config import GroundConfig
from cospal_cli.core.boxes import area
from cospal_cli.core.observation import TimeSpan
from cospal_cli.core.types import Query, Tube
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.cospal import within
from cospal_cli.ranking.cut import cut
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.span import extent
from cospal_cli.ranking.terms import Scores, class_shares

_OF_THE_CLASS = 0.5  # share of a tubelet's own best class from which it counts as the subject's


def random(
    field: Sequence[Candidate], query: Query, evidence: Evidence, config: GroundConfig
) -> list[Tube]:
    """Tubelets in random order, for their whole lives."""
    scores = _rng(query, evidence, config).random(len(field))
    return _ranked(field, scores, [extent(one.tubelet) for one in field], evidence, config)


def random_segment(
    field: Sequence[Candidate], query: Query, evidence: Evidence, config: GroundConfig
) -> list[Tube]:
    """Likewise, each cut to a segment of the video between two times drawn evenly."""
    rng = _rng(query, evidence, config)
    scores = rng.random(len(field))
    times = evidence.timeline.times_s[0], evidence.timeline.end_s
    drawn = np.sort(rng.uniform(*times, (len(field), 2)), axis=1).tolist()
    spans = [
        within(one, TimeSpan(low, high)) for one, (low, high) in zip(field, drawn, strict=True)
    ]
    return _ranked(field, scores, spans, evidence, config)


def largest(
    field: Sequence[Candidate], query: Query, evidence: Evidence, config: GroundConfig
) -> list[Tube]:
    """The tubelet of the subject's class with the largest mean area, for its whole life.

    Of any class where none is of the subject's.
    """
    areas = np.array([area(one.tubelet.boxes_xyxy).mean() for one in field], np.float64)
    ours = class_shares(field, query.classes, evidence.classes) >= _OF_THE_CLASS
    if ours.any():
        areas = np.where(ours, areas, 0)
    shares = areas / max(float(areas.sum()), 1e-12)
    return _ranked(field, shares, [extent(one.tubelet) for one in field], evidence, config)


def _rng(query: Query, evidence: Evidence, config: GroundConfig) -> np.random.Generator:
    """The same for the same video, sentence and seed, on every machine."""
    name = f"{query.text}\n{evidence.timeline.end_s:.3f}".encode("utf-8", "replace")
    return np.random.default_rng((config.seed, crc32(name), len(evidence.timeline.indices)))


def _ranked(
    field: Sequence[Candidate],
    scores: Scores,
    spans: Sequence[TimeSpan],
    evidence: Evidence,
    config: GroundConfig,
) -> list[Tube]:
    order = np.argsort(-scores, kind="stable")
    return [
        cut(
            field[i].tubelet,
            spans[i],
            evidence.timeline,
            score=float(scores[i]),
            label=evidence.classes[int(field[i].tubelet.label_scores.argmax())],
        )
        for i in order[: config.top_k]
        if scores[i] >= config.min_score
    ]

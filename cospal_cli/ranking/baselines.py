"""Baselines that understand nothing: chance, and the largest subject."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np

from cospal_cli.core.boxes import area
from cospal_cli.core.observation import TimeSpan
from cospal_cli.core.query import Query
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.cospal import within
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.method import Ranked
from cospal_cli.ranking.span import extent
from cospal_cli.ranking.terms import class_shares
from cospal_cli.settings import GroundConfig

_OF_THE_CLASS = 0.5  # share of a tubelet's own best class from which it counts as the subject's


def random(
    candidates: Sequence[Candidate], query: Query, evidence: Evidence, config: GroundConfig
) -> Ranked:
    """Tubelets in random order, for their whole lives."""
    scores = _rng(query, evidence, config).random(len(candidates))
    return Ranked(candidates, scores, _whole)


def random_segment(
    candidates: Sequence[Candidate], query: Query, evidence: Evidence, config: GroundConfig
) -> Ranked:
    """Likewise, each cut to a segment of the video between two times drawn evenly."""
    rng = _rng(query, evidence, config)
    scores = rng.random(len(candidates))
    times = evidence.timeline.times_s[0], evidence.timeline.end_s
    drawn = np.sort(rng.uniform(*times, (len(candidates), 2)), axis=1).tolist()
    spans = {one.tubelet.id: TimeSpan(*pair) for one, pair in zip(candidates, drawn, strict=True)}
    return Ranked(candidates, scores, lambda one: within(one, spans[one.tubelet.id]))


def largest(
    candidates: Sequence[Candidate], query: Query, evidence: Evidence, config: GroundConfig
) -> Ranked:
    """The tubelet of the subject's class with the largest mean area, for its whole life.

    Of any class where none is of the subject's.
    """
    areas = np.array([area(one.tubelet.boxes_xyxy).mean() for one in candidates], np.float64)
    ours = class_shares(candidates, query.classes, evidence.classes) >= _OF_THE_CLASS
    if ours.any():
        areas = np.where(ours, areas, 0)
    return Ranked(candidates, areas / max(float(areas.sum()), 1e-12), _whole)


def _whole(candidate: Candidate) -> TimeSpan:
    return extent(candidate.tubelet)


def _rng(query: Query, evidence: Evidence, config: GroundConfig) -> np.random.Generator:
    """The same for the same video, sentence and seed, on every machine."""
    name = f"{query.text}\n{evidence.timeline.end_s:.3f}".encode("utf-8", "replace")
    return np.random.default_rng((config.seed, crc32(name), len(evidence.timeline.indices)))

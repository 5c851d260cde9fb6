"""Every method's answers to prepared samples, for evaluation: no video is opened."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from cospal_cli.config import Config
from cospal_cli.core import registry
from cospal_cli.core.errors import UsageError
from cospal_cli.core.progress import Progress, silent
from cospal_cli.core.types import Query, Timeline, Tube
from cospal_cli.evaluation.tubes import Prediction, Track
from cospal_cli.ranking import METHODS, TRAINED
from cospal_cli.ranking.answer import Answer, View, ask
from cospal_cli.ranking.candidates import Candidate, candidates
from cospal_cli.ranking.cut import cut
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.segment import Segment
from cospal_cli.ranking.span import extent
from cospal_cli.runtime import Runtime

if TYPE_CHECKING:
    from cospal_cli.datasets.prepared import Prepared, Sample
    from cospal_cli.features.cache import Stored

LOG = logging.getLogger("cospal")


def predictions(
    prepared: Prepared,
    samples: Sequence[Sample],
    method: str,
    config: Config,
    runtime: Runtime | None = None,
    progress: Progress = silent,
) -> Iterator[tuple[str, Prediction | None]]:
    """The id of each sample with the answer of ``method``, one of ``METHODS``; None: no tube.

    ``runtime`` runs the heads of a trained method; UsageError without it, or for another name.
    Pictures are not kept in prepared folders: no method sees what the classifier makes of them.
    """
    rank = registry.load("method", METHODS, method)
    trained = method in TRAINED
    if trained and runtime is None:
        raise UsageError(f"method {method!r} needs trained heads", "give --checkpoint DIR")
    heads = runtime if trained else None
    settings = replace(config.ground, method=method, top_k=1)
    last, scene = None, None
    for done, sample in enumerate(samples, 1):
        at = (sample.video, sample.prompt, sample.segment)
        if scene is None or last != at:  # sentences about one video follow one another
            last, scene = at, _Scene(prepared.scene(sample))
        answer = _answer(prepared, sample, scene.stored, heads, config) if heads else None
        evidence = Evidence(scene.stored.timeline, scene.stored.classes, answer=answer)
        query = Query(sample.text, sample.text, "", {}) if trained else _query(prepared, sample)
        tubes = rank(scene.field, query, evidence, settings) if query else []
        yield sample.id, scene.prediction(tubes[0]) if tubes else None
        progress(method, done, len(samples))


def _query(prepared: Prepared, sample: Sample) -> Query | None:
    """The parsed sentence; None where it is not one that can be understood."""
    try:
        return prepared.query(sample)
    except UsageError as error:
        LOG.warning("%s: %s", sample.id, error.message)
        return None


def _answer(
    prepared: Prepared, sample: Sample, stored: Stored, runtime: Runtime, config: Config
) -> Answer | None:
    vision = prepared.vision(sample)
    ids = tuple(one.id for one in stored.tubelets)  # in the order of the features
    view = View(ids, vision.tubelets, vision.tubelet_mask, vision.clips)
    return ask(runtime, view, prepared.phrases(sample), config.ground)


@dataclass(frozen=True)
class _Scene:
    """One stored video with what its sentences share."""

    stored: Stored

    @cached_property
    def field(self) -> list[Candidate]:
        size = (self.stored.info.width, self.stored.info.height)
        return candidates(self.stored.tubelets, size, self.stored.timeline)

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """Every tubelet through its whole life."""
        return tuple(_track(one, extent(one), self.stored.timeline) for one in self.field)

    def prediction(self, tube: Tube) -> Prediction:
        """``tube`` with the tubelet that it was cut from, and all that there were."""
        at = next(n for n, one in enumerate(self.field) if one.tubelet.id == tube.id)
        answer = _as_track(tube)
        whole = self.tracks[at]
        inside = whole.span[0] <= answer.span[0] and answer.span[1] <= whole.span[1]
        return Prediction(whole, answer.span, self.tracks, None if inside else answer)


def _track(candidate: Candidate, span_s: Segment, timeline: Timeline) -> Track:
    return _as_track(cut(candidate.tubelet, span_s, timeline, score=0.0))


def _as_track(tube: Tube) -> Track:
    return Track(tube.frame_indices, tube.boxes_xyxy.astype(np.float64))

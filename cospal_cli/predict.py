"""Every method's predictions for prepared samples, for evaluation: no video is opened."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from cospal_cli.core.errors import UsageError
from cospal_cli.core.observation import Observation
from cospal_cli.core.progress import Progress, silent
from cospal_cli.core.query import Query
from cospal_cli.core.tube import Tube
from cospal_cli.evaluation.tubes import Prediction, Track
from cospal_cli.grounder import Grounder
from cospal_cli.ranking import TRAINED, needs_heads
from cospal_cli.ranking.cut import cut
from cospal_cli.ranking.heads import Heads
from cospal_cli.ranking.span import extent
from cospal_cli.runtime import Runtime
from cospal_cli.settings import Config

if TYPE_CHECKING:
    from cospal_cli.prepared.folder import Prepared, Sample

LOG = logging.getLogger("cospal")


def predictions(
    prepared: Prepared,
    samples: Sequence[Sample],
    method: str,
    config: Config,
    runtime: Runtime | None = None,
    progress: Progress = silent,
) -> Iterator[tuple[str, Prediction | None]]:
    """The id of each sample with the prediction of ``method``, one of ``METHODS``; None: no tube.

    ``runtime`` runs the heads of a trained method; UsageError without it, or for another name.
    Pictures are not kept in prepared folders: no method gets the appearance of a tubelet.
    """
    trained = method in TRAINED
    if trained and runtime is None:
        raise needs_heads(method)
    ground = replace(config.ground, method=method, top_k=1, min_match=0.0, all=False)
    heads = Heads(runtime) if trained and runtime is not None else None
    grounder = Grounder(replace(config, ground=ground), heads=heads)
    last, video = None, None
    for done, sample in enumerate(samples, 1):
        at = (sample.video, sample.prompt, sample.segment)
        if video is None or last != at:  # sentences about one video follow one another
            last, video = at, _StoredTracks(prepared.observation(sample))
        yield sample.id, _prediction(grounder, prepared, sample, video)
        progress(method, done, len(samples))


def _prediction(
    grounder: Grounder, prepared: Prepared, sample: Sample, video: _StoredTracks
) -> Prediction | None:
    if grounder.heads is None:
        query = _query(prepared, sample)
        result = grounder.answer(video.observation, query) if query else None
    else:  # the heads get the stored word vectors
        query = _query(prepared, sample) or Query(sample.text, sample.text, "", {})
        ids = tuple(one.id for one in video.observation.tubelets)  # in the order of the features
        features = replace(prepared.features(sample), ids=ids)
        result = grounder.answer(video.observation, query, features, prepared.phrases(sample))
    return video.prediction(result.tubes[0]) if result and result.tubes else None


def _query(prepared: Prepared, sample: Sample) -> Query | None:
    """The parsed sentence; None where it is not one that can be understood."""
    try:
        return prepared.query(sample)
    except UsageError as error:
        LOG.warning("%s: %s", sample.id, error.message)
        return None


@dataclass(frozen=True)
class _StoredTracks:
    """One stored video with what its sentences share."""

    observation: Observation

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """Every tubelet over its whole life."""
        line = self.observation.timeline
        return tuple(
            _as_track(cut(one, extent(one), line, score=0)) for one in self.observation.tubelets
        )

    def prediction(self, tube: Tube) -> Prediction:
        """``tube`` with the tubelet that it was cut from, and all the others."""
        at = next(n for n, one in enumerate(self.observation.tubelets) if one.id == tube.id)
        predicted = _as_track(tube)
        whole = self.tracks[at]
        inside = whole.span[0] <= predicted.span[0] and predicted.span[1] <= whole.span[1]
        return Prediction(whole, predicted.span, self.tracks, None if inside else predicted)


def _as_track(tube: Tube) -> Track:
    return Track(tube.frame_indices, tube.boxes_xyxy.astype(np.float64))

"""One video of a data set: detected, tracked, described and encoded into one file.

What runs in worker processes: models are opened once a process and serve one video after another.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cospal_cli import detect
from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.errors import CospalError, InputError
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.observation import FrameSpan, Observation
from cospal_cli.core.vocabulary import COCO
from cospal_cli.detect import Detector
from cospal_cli.features.appearance import Appearance, AppearanceClassifier
from cospal_cli.features.clips import VideoEncoder, open_video_encoder
from cospal_cli.features.tubelets import DIM, ShownOf, select, tubelet_features
from cospal_cli.grounder import Grounder
from cospal_cli.prepared.videos import Searched, write
from cospal_cli.settings import AppearanceConfig, ClipsConfig, Config, DetectorConfig, FileConfig

View = tuple[str, FrameSpan | None]  # a prompt ("": none) and the part searched (None: all)
FILE = "file"  # the detector that reads detections from a file


@dataclass(frozen=True)
class VideoJob:
    """A video to observe. Picklable."""

    video: Path
    name: str  # as seen from the data folder
    target: Path  # the file to write
    views: tuple[View, ...]  # what its records ask for, each once
    detections: Path | None  # its boxes, where they come from a file
    key: JsonDict  # the sources of the file: see ``prepared.videos.key``

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class VideoDone:
    """A file that was written, or why nothing more can be."""

    seconds: float = 0.0
    stop: CospalError | None = None  # no fault of the video: the next would fail too

    def __reduce__(self) -> Any:
        # An exception that is sent to another process would lose its hint.
        stop = self.stop and (type(self.stop), self.stop.message, self.stop.hint)
        return _done, (self.seconds, stop)


def _done(seconds: float, stop: Any) -> VideoDone:
    return VideoDone(seconds, stop and stop[0](*stop[1:]))


def process(job: VideoJob, config: Config) -> VideoDone:
    """Observe one video and write its file. InputError where the video cannot be read."""
    try:
        return _observe(job, config)
    except InputError:
        raise
    except CospalError as error:
        return VideoDone(stop=error)


def forget() -> None:
    """Close the models of this process."""
    detector.cache_clear()
    encoder.cache_clear()
    classifier.cache_clear()


@cache
def detector(config: DetectorConfig) -> Detector:
    """The detector of this process."""
    return detect.open_detector(config)


@cache
def encoder(config: ClipsConfig) -> VideoEncoder:
    """The video encoder of this process."""
    return open_video_encoder(config)


@cache
def classifier() -> AppearanceClassifier:
    """The classifier of this process: one thread, since others detect meanwhile."""
    return AppearanceClassifier(AppearanceConfig(threads=1))


def _classify(images: Sequence[NDArray[np.uint8]]) -> tuple[FloatArray, FloatArray]:
    return classifier().classify(images)  # opened when first needed


def _observe(job: VideoJob, config: Config) -> VideoDone:
    began = time.monotonic()
    scenes: dict[str, Observation] = {}
    views: list[Searched] = []
    grounder = _grounder(job, config)
    clips = None
    for prompt in dict.fromkeys(prompt for prompt, _ in job.views):
        query = grounder.parse(prompt) if prompt else None
        observation = grounder.observe(job.video, query, clips=clips)
        clips = observation.clips
        scenes[prompt] = observation = replace(
            observation, info=replace(observation.info, path=job.name)
        )
        segments = [segment for own, segment in job.views if own == prompt]
        shown = Appearance(observation.crops, config.appearance.crops, _classify)
        views += [
            _searched(observation, prompt, segment, config, shown.features) for segment in segments
        ]
    assert clips is not None  # there is a view, and the grounder has an encoder
    write(job.target, scenes, views, clips, job.key)
    return VideoDone(time.monotonic() - began)


def _grounder(job: VideoJob, config: Config) -> Grounder:
    """With this process's models; detections from a file are opened anew for each video."""
    if job.detections is None:
        return Grounder(config, detector(config.detector), encoder=encoder(config.clips))
    own = replace(config.detector, name=FILE, file=FileConfig(str(job.detections)))
    return Grounder(config, detect.open_detector(own), encoder=encoder(config.clips))


def _searched(
    observation: Observation,
    prompt: str,
    segment: FrameSpan | None,
    config: Config,
    shown_of: ShownOf,
) -> Searched:
    """The features of what a record searches; none where the video ends before that part."""
    try:
        part = observation if segment is None else observation.within(segment)
    except InputError:
        empty = np.zeros((0, config.features.frames, DIM), np.float32)
        return Searched(prompt, segment, empty, np.zeros(empty.shape[:2], bool))
    best = select(part.tubelets, config.features.max_tubelets)
    values, mask = tubelet_features(
        best, part.size, *part.span_s, config.features, part.classes, COCO, shown_of
    )
    return Searched(prompt, segment, values, mask)

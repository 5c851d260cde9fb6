"""One video watched for training: detected, tracked, described and encoded into one file.

What runs in worker processes: models are opened once a process and serve one video after another.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cospal_cli import detect, pipeline
from cospal_cli.config import ClipsConfig, Config, DetectorConfig
from cospal_cli.core.coco import CLASSES
from cospal_cli.core.errors import CospalError, InputError
from cospal_cli.detect import Detector
from cospal_cli.features.cache import Segment, Stored, write
from cospal_cli.features.cache import View as Features
from cospal_cli.features.clips import VideoEncoder, open_video_encoder
from cospal_cli.features.tubelets import DIM, tubelet_features
from cospal_cli.language.parser.parse import parse

View = tuple[str, Segment | None]  # a prompt ("": none) and the part searched (None: all)
FILE = "file"  # the detector that reads detections made elsewhere
_SPEED = "device precision threads batch compile".split()  # change no feature's meaning


@dataclass(frozen=True)
class Job:
    """A video to watch. Picklable."""

    video: Path
    name: str  # as seen from the data folder
    target: Path  # the file to write
    views: tuple[View, ...]  # what its records ask for, each once
    detections: Path | None  # its boxes, where they were made elsewhere
    key: dict[str, Any]  # what the file will be made of

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Made:
    """A file that was written, or why nothing more can be."""

    seconds: float = 0.0
    stop: CospalError | None = None  # no fault of the video: the next would fail alike

    def __reduce__(self) -> Any:
        # An exception that is sent to another process would lose its hint.
        stop = self.stop and (type(self.stop), self.stop.message, self.stop.hint)
        return _made, (self.seconds, stop)


def _made(seconds: float, stop: Any) -> Made:
    return Made(seconds, stop and stop[0](*stop[1:]))


def settings_that_matter(config: Config) -> dict[str, dict[str, Any]]:
    """The settings on which the files of videos depend."""
    found = {name: asdict(getattr(config, name)) for name in ("video", "detector", "tracker")}
    found["clips"] = asdict(config.clips)
    for section in found.values():
        for name in (*_SPEED, "path", "strict", "max_pixels"):
            section.pop(name, None)
    chosen = config.features
    found["features"] = {"frames": chosen.frames, "max_tubelets": chosen.max_tubelets}
    return found


def make(job: Job, config: Config) -> Made:
    """Watch one video and write its file. InputError where the video cannot be read."""
    try:
        return _make(job, config)
    except InputError:
        raise
    except CospalError as error:
        return Made(stop=error)


def forget() -> None:
    """Close the models of this process."""
    detector.cache_clear()
    encoder.cache_clear()


@cache
def detector(config: DetectorConfig) -> Detector:
    """The detector of this process."""
    return detect.open_detector(config)


@cache
def encoder(config: ClipsConfig) -> VideoEncoder:
    """The video encoder of this process."""
    return open_video_encoder(config)


def _make(job: Job, config: Config) -> Made:
    began = time.monotonic()
    scenes, views = {}, []
    for prompt in dict.fromkeys(prompt for prompt, _ in job.views):
        scenes[prompt] = stored = _watch(job, prompt, config)
        segments = [segment for asked, segment in job.views if asked == prompt]
        views += [_view(stored, prompt, segment, config) for segment in segments]
    clips = pipeline.encode(job.video, config.video, encoder(config.clips))
    write(job.target, scenes, views, clips, job.key)
    return Made(time.monotonic() - began)


def _watch(job: Job, prompt: str, config: Config) -> Stored:
    """What one pass over the video leaves."""
    if job.detections is not None:  # opened anew: each video has its own file
        found = detect.open_detector(replace(config.detector, name=FILE, path=str(job.detections)))
    else:
        found = detector(config.detector)
    asked = found.ask(parse(prompt, config.language)) if found.prompted else found
    scene = pipeline.watch(job.video, config, asked)
    info = replace(scene.info, path=job.name)
    return Stored(info, scene.timeline, scene.tubelets, tuple(scene.classes))


def _view(stored: Stored, prompt: str, segment: Segment | None, config: Config) -> Features:
    """The features of what a record searches; none where the video ends before that part."""
    try:
        part = stored.within(segment, config.features.max_tubelets)
    except InputError:
        empty = np.zeros((0, config.features.frames, DIM), np.float32)
        return Features(prompt, segment, empty, np.zeros(empty.shape[:2], bool))
    size = (part.info.width, part.info.height)
    start_s = float(part.timeline.times_s[0])
    end_s = part.timeline.end_s
    values, mask = tubelet_features(
        part.tubelets, size, start_s, end_s, config.features, part.classes, CLASSES
    )
    return Features(prompt, segment, values, mask)

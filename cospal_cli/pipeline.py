"""Video → FrameBatch → Detections → Tubelet → Tube: the one place where the stages meet.

The first pass (``watch``) streams frames and keeps boxes, colours and a few small pictures; every
query is then answered from these (``ground_query``) in milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cospal_cli import track
from cospal_cli.config import Config, VideoConfig
from cospal_cli.core import registry
from cospal_cli.core.prefetch import ahead
from cospal_cli.core.progress import Progress, silent
from cospal_cli.core.types import Clips, FrameBatch, Query, Timeline, Tube, Tubelet, VideoInfo
from cospal_cli.core.unchanged import Unchanged
from cospal_cli.detect import Detector
from cospal_cli.features.appearance import AppearanceClassifier
from cospal_cli.features.clips import VideoEncoder
from cospal_cli.features.crops import CropKeeper
from cospal_cli.features.looks import look, smaller
from cospal_cli.ranking import METHODS
from cospal_cli.ranking.answer import Answer, View
from cospal_cli.ranking.candidates import Candidate, candidates
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.heads import Heads, view
from cospal_cli.video.reader import VideoReader


def never() -> bool:
    """The default of ``stopped``: run to the end."""
    return False


@dataclass(frozen=True)
class Scene:
    """All that one pass over a video leaves behind; answers any number of queries."""

    info: VideoInfo
    timeline: Timeline
    tubelets: list[Tubelet]
    classes: tuple[str, ...]  # the detector's
    crops: CropKeeper
    config: Config
    model: dict[str, str]  # id and sha256 of the detector
    interrupted: bool = False
    clips: Clips | None = None  # where trained heads are to be asked
    source: Unchanged | None = None  # the file as it was before the pass
    _seen: dict[int, tuple[NDArray[np.float32], ...]] = field(default_factory=dict)  # by tubelet

    @cached_property
    def candidates(self) -> list[Candidate]:
        """The tubelets with what ranking needs, computed on first use."""
        return candidates(self.tubelets, (self.info.width, self.info.height), self.timeline)

    @cached_property
    def view(self) -> View:
        """The video as trained heads see it, computed on first use. ValueError without clips."""
        if self.clips is None:
            raise ValueError("clips: expected those of the video, found None")
        return view(
            self.tubelets, self.info, self.timeline, self.classes, self.clips, self.config.features
        )

    @cached_property
    def _classifier(self) -> AppearanceClassifier:
        return AppearanceClassifier(self.config.appearance)

    def release(self) -> None:
        """Free the classifier, before memory is needed for something else."""
        self.__dict__.pop("_classifier", None)

    def looks_of(self, candidate: Candidate) -> NDArray[np.float32]:
        """Mean ImageNet-1k probabilities (1000,) of a tubelet: whole boxes and upper halves."""
        return self._appearance(candidate.tubelet)[0]

    def embedding_of(self, candidate: Candidate) -> NDArray[np.float32]:
        """Mean pooled features (1280,) of the same pictures, for training."""
        return self._appearance(candidate.tubelet)[1]

    def _appearance(self, tubelet: Tubelet) -> tuple[NDArray[np.float32], ...]:
        if tubelet.id not in self._seen:
            whole = self.crops.images(tubelet.track_ids, self.config.appearance.crops)
            halves = [image[: max(len(image) // 2, 1)] for image in whole]
            found = self._classifier.classify(whole + halves)
            self._seen[tubelet.id] = tuple(f.sum(axis=0) / max(len(f), 1) for f in found)
        return self._seen[tubelet.id]


def watch(
    path: Path,
    config: Config,
    detector: Detector,
    progress: Progress = silent,
    stopped: Callable[[], bool] = never,
) -> Scene:
    """First pass: detect, track and describe every object of the video.

    A prompted ``detector`` must have been asked (``Detector.ask``); the scene then answers that
    query alone. Raises InputError, WeightsError or DeviceError. When ``stopped()`` turns true the
    pass ends early and the scene says ``interrupted``.
    """
    side = max(config.video.work_side, detector.image_side)
    with VideoReader(path, replace(config.video, work_side=side)) as reader:
        size = (reader.info.width, reader.info.height)
        tracker = track.open_tracker(config.tracker, size, detector.classes)
        crops = CropKeeper()
        done, interrupted = 0, False
        with closing(ahead(_forward(reader.batches(detector.batch), detector))) as passes:
            for batch, outputs in passes:
                found = detector.decode(outputs, batch)
                for image, at, detections in zip(batch.images, batch.times_s, found, strict=True):
                    small = smaller(image, config.video.work_side)
                    looks = look(small, detections.boxes_xyxy, size)
                    ids = tracker.update(detections, float(at), looks, small)
                    crops.update(image, detections.boxes_xyxy, size, ids, float(at))
                done += len(batch)
                progress("watch", done, reader.expected_samples)
                if interrupted := stopped():
                    break
        timeline = reader.timeline
    return Scene(
        reader.info,
        timeline,
        tracker.finish(),
        detector.classes,
        crops,
        replace(config, detector=detector.config),
        {"id": detector.model_id, "sha256": detector.model_sha256},
        interrupted,
    )


def scenes(
    path: Path,
    config: Config,
    detector: Detector,
    queries: Sequence[Query],
    progress: Progress = silent,
    stopped: Callable[[], bool] = never,
    encoder: VideoEncoder | None = None,
) -> Iterator[tuple[Scene, Sequence[Query]]]:
    """What ``watch`` leaves, with the queries that it answers: one scene for all of them or, where
    the detector is prompted with the sentence, one for each. Ends early when ``stopped()``.

    With an ``encoder`` the scenes have the clips of what was watched, encoded once. InputError if
    the file was changed meanwhile.
    """
    clips, source = None, Unchanged.now(path)
    for group in [[query] for query in queries] if detector.prompted else [queries]:
        scene = watch(path, config, detector.ask(group[0]), progress, stopped)
        scene = replace(scene, source=source)
        if encoder is not None:
            if clips is None or scene.interrupted:
                clips = encode(path, watched(scene, config.video), encoder)
            scene = replace(scene, clips=clips)
        source.check(needed=False)
        yield scene, group
        if stopped():
            break


def watched(scene: Scene, config: VideoConfig) -> VideoConfig:
    """``config``, ending where the pass over the video was interrupted."""
    if not scene.interrupted:
        return config
    return replace(config, end=str(int(scene.timeline.indices[-1]) + 1), duration=None)


def encode(path: Path, config: VideoConfig, encoder: VideoEncoder) -> Clips:
    """What ``encoder`` says of the range of ``path`` that ``config`` names, at its own rate.

    Raises InputError or DeviceError.
    """
    encoder.reset()  # the video before may have failed midway
    wanted = replace(config, fps=encoder.fps, work_side=encoder.image_side)
    with (
        VideoReader(path, wanted) as reader,
        closing(ahead(reader.batches(encoder.batch))) as batches,
    ):
        for batch in batches:
            encoder.update(batch)
    return encoder.finish()


def consult(scene: Scene, query: Query, config: Config, heads: Heads | None) -> Answer | None:
    """What trained heads say of ``query`` in ``scene``; None without heads or without tubelets."""
    return None if heads is None else heads.answer(scene.view, query, config)


def ground_query(
    scene: Scene, query: Query, config: Config, answer: Answer | None = None
) -> list[Tube]:
    """The best tubes of ``query`` in ``scene``, best first; [] where nothing fits.

    ``answer``: what trained heads say, for the methods that go by it.
    """
    method = registry.load("method", METHODS, config.ground.method)
    looks_of = scene.looks_of if config.appearance.enabled else None
    evidence = Evidence(scene.timeline, scene.classes, looks_of, answer)
    tubes: list[Tube] = method(scene.candidates, query, evidence, config.ground)
    return tubes


def _forward(batches: Iterator[FrameBatch], detector: Detector) -> Iterator[tuple[FrameBatch, Any]]:
    """Each batch with the network's outputs. Reading and preparing, and the forward passes, run
    in a thread each; what follows runs in the caller's, so that the network never waits."""
    with closing(ahead((batch, detector.prepare(batch)) for batch in batches)) as prepared:
        for batch, pixels in prepared:
            yield batch, detector.run(pixels)

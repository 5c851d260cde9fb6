"""A video and sentences in, tubes out: the one place where the stages meet.

observe   Video → FrameBatch → Detections → Tubelet → Observation       one pass, no pixels kept
answer    Observation → GroundingInputs → GroundingScores → Tube        milliseconds
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cospal_cli import detect, track
from cospal_cli.backbones import models
from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.clips import Clips, FeatureMaps
from cospal_cli.core.observation import HeadFeatures, Observation
from cospal_cli.core.phrases import Phrases
from cospal_cli.core.prefetch import prefetch
from cospal_cli.core.progress import Progress, never, silent
from cospal_cli.core.query import Query
from cospal_cli.core.unchanged import Unchanged
from cospal_cli.detect.still import StillFrames
from cospal_cli.features.appearance import AppearanceClassifier
from cospal_cli.features.box_colours import box_colours, smaller
from cospal_cli.features.crops import CropKeeper
from cospal_cli.features.pooled import with_clips
from cospal_cli.language.contrasts import judged
from cospal_cli.language.parser.counts import of_several
from cospal_cli.language.parser.parse import parse
from cospal_cli.outputs.fingerprint import fingerprint
from cospal_cli.ranking import open_method
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.method import closest, tubes_of
from cospal_cli.ranking.shared import Shared
from cospal_cli.result import Result, models_of, observed_range
from cospal_cli.settings import Config, VideoConfig, argument, changed, current, override

if TYPE_CHECKING:
    from cospal_cli.core.tubelets import BoxColours, Detections
    from cospal_cli.features.clips import VideoEncoder
    from cospal_cli.features.image_text import ImageText
    from cospal_cli.ranking.heads import Heads
    from cospal_cli.video.sampling import Portion


class Grounder:
    """Models opened once, used for many videos and many sentences."""

    def __init__(
        self,
        config: Config,
        detector: detect.Detector | None = None,
        heads: Heads | None = None,
        encoder: VideoEncoder | None = None,
    ) -> None:
        """With models that are open already; ``encoder`` is that of the heads, if there are any.

        Without a ``detector`` only stored observations can be used, no video.
        """
        self.detector, self.heads = detector, heads
        self.config = config if detector is None else replace(config, detector=detector.config)
        self._encoder = heads.clips if heads else encoder
        self._method = open_method(config.ground.method)
        self._shared: Shared | None = None
        self._maps: tuple[Clips | None, FeatureMaps | None] = (None, None)  # the last video's

    @classmethod
    def open(
        cls,
        config: Config | None = None,
        *,
        checkpoint: Path | str | None = None,
        runtime: str = "auto",
        provider: str = "auto",
        stated: AbstractSet[str] = frozenset(),
        **settings: object,
    ) -> Grounder:
        """The models that ``config`` names (None: the defaults); those of trained heads where
        ``checkpoint`` is their folder, run by ``runtime`` and, of runtime onnx, ``provider`` (auto:
        as ``config.runtime`` says).

        ``settings`` change ``config`` and are named with two underscores for the point:
        ``video__fps=5``. With heads, what the user left open is as it was in their training; the
        rest are ``settings``, what differs from the defaults, and the dotted keys in ``stated``.
        Raises UsageError, WeightsError or DeviceError.
        """
        keys = {argument(name): value for name, value in settings.items()}
        config = override(config, keys)
        if config.appearance.image_text is not None:  # before a video is watched for nothing
            models.locate(config.appearance.image_text)
        if checkpoint is None:
            return cls(config, detect.open_detector(config.detector))
        from cospal_cli.ranking.heads import completed, open_heads

        path = Path(checkpoint)
        config = completed(config, changed(config) | current(keys) | stated, path)
        chosen = {"name": runtime, "provider": provider}
        named = {field: value for field, value in chosen.items() if value != "auto"}
        config = replace(config, runtime=replace(config.runtime, **named))
        detector = detect.open_detector(config.detector)
        return cls(config, detector, open_heads(path, config, detector))

    def ground(
        self,
        video: Path | str,
        queries: Sequence[Query | str],
        progress: Progress = silent,
        stopped: Callable[[], bool] = never,
    ) -> Iterator[Result]:
        """The result of each query, in order; fewer where ``stopped()`` ends them early."""
        parsed = [self.parse(query) for query in queries]
        for observation, group in self.observations(video, parsed, progress, stopped):
            yield from [self.answer(observation, query) for query in group]

    def observations(
        self,
        video: Path | str,
        queries: Sequence[Query],
        progress: Progress = silent,
        stopped: Callable[[], bool] = never,
    ) -> Iterator[tuple[Observation, Sequence[Query]]]:
        """Observations of the video with the queries that each is for: one pass for all of them or,
        where the detector is prompted with the sentence, one for each."""
        prompted = self.detector is not None and self.detector.prompted
        clips = None
        for group in [[query] for query in queries] if prompted else [queries]:
            observation = self.observe(video, group[0], progress, stopped, clips)
            clips = None if observation.interrupted else observation.clips
            yield observation, group
            if stopped():
                break
            observation.check_source(needed=False)  # a further pass must be over the same file

    def observe(
        self,
        video: Path | str,
        prompt: Query | None = None,
        progress: Progress = silent,
        stopped: Callable[[], bool] = never,
        clips: Clips | None = None,
    ) -> Observation:
        """One pass: detect, track and describe every object of the video, and encode its clips
        where trained heads want them (unless ``clips`` are those of the same range).

        ``prompt``: for a prompted detector, whose observation is for that query alone. When
        ``stopped()`` turns true the pass ends early and the observation says ``interrupted``.
        Raises InputError (also if the file was changed meanwhile), WeightsError or DeviceError.
        """
        source = Unchanged.now(Path(video))
        observation = replace(self._observe(Path(video), prompt, progress, stopped), source=source)
        if self._encoder is not None:
            part = observed_range(self.config.video, observation)
            known = None if observation.interrupted else clips
            observation = self._encoded(observation, video, part, self._encoder, known)
        observation.check_source(needed=False)
        return observation

    def _observe(
        self, video: Path, prompt: Query | None, progress: Progress, stopped: Callable[[], bool]
    ) -> Observation:
        if self.detector is None:
            raise ValueError("detector: expected one to observe a video with, found None")
        from cospal_cli.video.reader import VideoReader  # answering needs none of it

        detector = self.detector if prompt is None else self.detector.prompt(prompt)
        side = max(self.config.video.work_side, detector.image_side)
        with VideoReader(video, replace(self.config.video, work_side=side)) as reader:
            size = (reader.info.width, reader.info.height)
            watcher = Watcher(self.config, size, detector)
            done, interrupted = 0, False
            still = StillFrames(detector.config.still)
            portions = reader.portions(detector.batch, still.moved if still.change else None)
            with closing(prefetch(_forward(portions, detector))) as passes:
                for portion, outputs in passes:
                    watcher.update(portion, outputs)
                    done += len(portion)
                    progress("watch", done, reader.expected_samples)
                    if interrupted := stopped():
                        break
            timeline = reader.timeline
        tubelets = tuple(watcher.tracker.finish())  # before its ``moved`` is read
        return Observation(
            reader.info,
            timeline,
            tubelets,
            tuple(detector.classes),
            {"id": detector.model_id, "sha256": detector.model_sha256},
            watcher.crops.finish(watcher.tracker.moved),
            interrupted=interrupted,
        )

    def _encoded(
        self,
        observation: Observation,
        video: Path | str,
        part: VideoConfig,
        encoder: VideoEncoder,
        clips: Clips | None = None,
    ) -> Observation:
        """With the clips of ``part`` of the video, and each tubelet's own where they are pooled.

        ``clips``: those of the same part, where they are known. The last video's maps are kept for
        a detector that is prompted with one sentence after another.
        """
        pooled, (owner, maps) = encoder.config.pooled, self._maps
        if clips is None or (pooled and owner is not clips):
            found = clips_of(video, part, encoder)
            clips, maps = replace(found, maps=None), found.maps
        prompted = self.detector is not None and self.detector.prompted
        self._maps = (clips, maps) if prompted else (None, None)
        tubelets = observation.tubelets
        if pooled and maps is not None:
            tubelets = with_clips(tubelets, observation.size, maps)
        return replace(observation, tubelets=tubelets, clips=clips)

    def parse(self, query: Query | str) -> Query:
        """The sentence, parsed. UsageError where it cannot be."""
        parsed = query if isinstance(query, Query) else parse(query, self.config.language)
        return of_several(parsed) if self.config.ground.all else parsed

    def understood(self, queries: Sequence[Query]) -> list[Query]:
        """``queries`` with the words that are not used: by the rules, or by trained heads."""
        if self.heads is None:
            seen = self.config.appearance.image_text is not None
            return [judged(query) for query in queries] if seen else list(queries)
        return [self.heads.understood(query, self.config) for query in queries]

    def answer(
        self,
        observation: Observation,
        query: Query | str,
        features: HeadFeatures | None = None,
        phrases: Phrases | None = None,
    ) -> Result:
        """The best tubes of ``query`` in the ``observation``, best first; none where nothing fits.

        ``features`` and ``phrases``: the inputs of the heads, where they are stored.
        """
        query, shared, scores = self.parse(query), self._of(observation), None
        if self.heads is not None:
            head_features = shared.features if features is None else features
            scores = self.heads.predict(head_features, query, self.config, phrases)
        evidence = Evidence(
            observation.timeline,
            observation.classes,
            shared.appearance_of,
            shared.patterns_of,
            shared.odds_of,
            scores,
            shared.candidates,
        )
        ranked = self._method(shared.candidates, query, evidence, self.config.ground)
        tubes = tubes_of(ranked, query, evidence, self.config.ground)
        nearest = None if tubes else closest(ranked, query, evidence, self.config.ground)
        result = Result(query, tuple(tubes), observation, self.config, scores, self.heads)
        return replace(result, closest=nearest)

    def release(self, models: bool = True) -> None:
        """Free the memory that answering took, before it is needed for something else; that of
        ``models`` too, unless the next video is to be answered soon."""
        self._shared, self._maps = None, (None, None)
        if models:
            self.__dict__.pop("_classifier", None)
        self.__dict__.pop("_image_text", None)

    def within(self, start: str | None, end: str | None) -> Grounder:
        """One of the same models for another part of videos; None leaves a border as it is."""
        if start is None and end is None:
            return self
        own = self.config.video
        if end is not None:
            own = replace(own, end=end, duration=None)
        video = own if start is None else replace(own, start=start)
        return Grounder(replace(self.config, video=video), self.detector, self.heads, self._encoder)

    def fingerprint(self, video: Path, query: str) -> str:
        """That of the results of ``query`` about ``video`` as it is now: see ``Result``."""
        detector: dict[str, str] = {}
        if self.detector is not None:
            detector = {"id": self.detector.model_id, "sha256": self.detector.model_sha256}
        models = models_of(detector, self.heads)
        return fingerprint(video, Unchanged.now(video), query, self.config, models)

    @cached_property
    def _classifier(self) -> AppearanceClassifier:
        return AppearanceClassifier(self.config.appearance)

    @cached_property
    def _image_text(self) -> ImageText:
        from cospal_cli.features.image_text import ImageText

        return ImageText(self.config.appearance)

    def _classify(self, images: Sequence[NDArray[np.uint8]]) -> tuple[FloatArray, FloatArray]:
        return self._classifier.classify(images)  # opened when first needed

    def _of(self, observation: Observation) -> Shared:
        """What the queries about ``observation`` share; that of the last observation is kept."""
        if self._shared is None or self._shared.observation is not observation:
            used = self.config.appearance.image_text is not None
            opened = (lambda: self._image_text) if used else None
            self._shared = Shared(observation, self.config, self._classify, opened)
        return self._shared


def clips_of(video: Path | str, config: VideoConfig, encoder: VideoEncoder) -> Clips:
    """What ``encoder`` makes of the range of ``video`` that ``config`` names, at its own rate.

    Raises InputError or DeviceError.
    """
    from cospal_cli.video.reader import VideoReader

    encoder.reset()  # the video before may have failed midway
    if not encoder.fps:
        return encoder.finish()
    wanted = replace(config, fps=encoder.fps, work_side=encoder.image_side)
    with (
        VideoReader(Path(video), wanted) as reader,
        closing(prefetch(reader.batches(encoder.batch))) as batches,
    ):
        for batch in batches:
            encoder.update(batch)
    return encoder.finish()


class Watcher:
    """What becomes of the detector's outputs: boxes, their colours, tracks and pictures.

    Of a frame that did not move all of it is that of the frame before.
    """

    def __init__(self, config: Config, size: tuple[int, int], detector: detect.Detector) -> None:
        """``size``: (W, H) of the displayed frame."""
        self.tracker = track.open_tracker(config.tracker, size, detector.classes)
        self.crops = CropKeeper()
        self._detector, self._size, self._side = detector, size, config.video.work_side
        self._image: NDArray[np.uint8]
        self._small: NDArray[np.uint8]
        self._found: Detections
        self._colours: BoxColours

    def update(self, portion: Portion, outputs: object) -> None:
        """Take the next frames, and what the network made of those that moved."""
        batch = portion.batch
        if batch is not None:
            fresh = zip(batch.images, self._detector.decode(outputs, batch), strict=True)
        for index, time_s, moved in zip(
            portion.indices, portion.times_s, portion.moved, strict=True
        ):
            if moved:  # the first frame did
                self._image, self._found = next(fresh)
                self._small = smaller(self._image, self._side)
                self._colours = box_colours(self._small, self._found.boxes_xyxy, self._size)
            boxes = replace(self._found, frame_index=index)
            ids = self.tracker.update(boxes, time_s, self._colours, self._small)
            self.crops.update(self._image, boxes.boxes_xyxy, self._size, ids, time_s)


def _forward(
    portions: Iterator[Portion], detector: detect.Detector
) -> Iterator[tuple[Portion, object]]:
    """Each portion, and the network's outputs for its frames that moved.

    Reading and preparing, and the forward passes, run in a thread each; what follows runs in the
    caller's, so that the network never waits."""
    with closing(prefetch(_prepared(portions, detector))) as prepared:
        for portion, pixels in prepared:
            yield portion, None if portion.batch is None else detector.run(pixels)


def _prepared(
    portions: Iterator[Portion], detector: detect.Detector
) -> Iterator[tuple[Portion, object]]:
    for portion in portions:
        yield portion, None if portion.batch is None else detector.prepare(portion.batch)

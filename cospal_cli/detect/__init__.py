"""Frames in, boxes out: every detector by name, and what each of them offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from typing import Protocol

from cospal_cli.backbones import models
from cospal_cli.core.backends import DETECTORS as BACKENDS
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.query import Query
from cospal_cli.core.registry import load
from cospal_cli.core.tubelets import Detections
from cospal_cli.settings import DetectorConfig

DEFAULT_MODEL = "grounding-dino-tiny"


class Detector(Protocol):
    """A backend: built from a DetectorConfig, then run batch by batch, in three steps.

    The steps are apart so that a pipeline can run each in a thread of its own, and a benchmark can
    time the network alone.
    """

    classes: tuple[str, ...]  # what ``Detections.labels`` count in
    model_id: str  # what the results name as their source
    model_sha256: str
    config: DetectorConfig  # as given, the backend's own defaults filled in
    batch: int  # frames that one call should get
    image_side: int  # longer side (pixels) of the images it wants; 0: any
    prompted: bool  # whether its boxes depend on the sentence

    def prompt(self, query: Query) -> Detector:
        """This detector, on the same weights, prompted with ``query``; itself if not prompted.

        A prompted detector must be prompted before it is run; its ``classes`` are then the nouns
        of the sentence that it looks for, the subject's first.
        """

    def prepare(self, batch: FrameBatch) -> object:
        """What ``run`` takes for ``batch``: resized, normalised pixels."""

    def run(self, prepared: object) -> object:
        """The forward pass, nothing else."""

    def decode(self, outputs: object, batch: FrameBatch) -> list[Detections]:
        """One Detections per frame of ``batch``, in its order; boxes in displayed pixels."""


def resolve(config: DetectorConfig) -> tuple[DetectorConfig, str]:
    """``config`` with "auto" replaced by a backend's name, and one line that says why.

    The line is empty where ``config`` names a backend. Imports neither torch nor transformers.
    """
    if config.name != "auto":
        return config, ""
    missing = [package for package in ("torch", "transformers") if find_spec(package) is None]
    if missing:
        reason = f"{' and '.join(missing)} not installed"
    elif not models.available(config.model or DEFAULT_MODEL):
        reason = f"no weights of {config.model or DEFAULT_MODEL}"
    else:
        where = models.locate(config.model or DEFAULT_MODEL)
        return replace(config, name="grounding-dino"), f"detector: grounding-dino, from {where}"
    return replace(config, name="nanodet", model=None), f"detector: nanodet, embedded ({reason})"


_opener: Callable[[DetectorConfig], Detector] | None = None


def use_opener(opener: Callable[[DetectorConfig], Detector] | None) -> None:
    """Let ``opener`` open the detectors of this process, but those that read a file."""
    global _opener
    _opener = opener


def open_detector(config: DetectorConfig) -> Detector:
    """The detector that ``config`` names; UsageError lists the known ones."""
    config, _ = resolve(config)
    if _opener is not None and config.name != "file":
        return _opener(config)
    return open_own(config)


def open_own(config: DetectorConfig) -> Detector:
    """The detector itself, whatever ``use_opener`` says."""
    detector: Detector = load("detector", BACKENDS, config.name)(config)
    return detector


def detect(detector: Detector, batch: FrameBatch) -> list[Detections]:
    """All three steps at once."""
    return detector.decode(detector.run(detector.prepare(batch)), batch)

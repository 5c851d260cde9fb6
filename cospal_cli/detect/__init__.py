"""Frames in, boxes out: every detector by name, and what each of them offers."""

from __future__ import annotations

from typing import Any, Protocol

from cospal_cli.config import DetectorConfig
from cospal_cli.registry import load
from cospal_cli.types import Detections, FrameBatch

BACKENDS = {
    "nanodet": "cospal_cli.detect.nanodet:NanoDet",
    "file": "cospal_cli.detect.from_file:FromFile",
}


class Detector(Protocol):
    """A backend: built from a DetectorConfig, then asked batch by batch, in three steps.

    The steps are apart so that a pipeline can run each in a thread of its own, and a benchmark can
    time the network alone.
    """

    classes: tuple[str, ...]  # what ``Detections.labels`` count in
    model_id: str  # what the results name as their source
    model_sha256: str
    batch: int  # frames that one call should get

    def prepare(self, batch: FrameBatch) -> Any:
        """What ``run`` takes for ``batch``: resized, normalised pixels."""

    def run(self, prepared: Any) -> Any:
        """The forward pass, nothing else."""

    def decode(self, outputs: Any, batch: FrameBatch) -> list[Detections]:
        """One Detections per frame of ``batch``, in its order; boxes in displayed pixels."""


def open_detector(config: DetectorConfig) -> Detector:
    """The detector that ``config`` names; UsageError lists the known ones."""
    detector: Detector = load("detector", BACKENDS, config.name)(config)
    return detector


def detect(detector: Detector, batch: FrameBatch) -> list[Detections]:
    """All three steps at once."""
    return detector.decode(detector.run(detector.prepare(batch)), batch)

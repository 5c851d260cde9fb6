"""Frames in, boxes out: every detector by name, and what each of them offers."""

from __future__ import annotations

from typing import Protocol

from cospal_cli.config import DetectorConfig
from cospal_cli.registry import load
from cospal_cli.types import Detections, FrameBatch

BACKENDS = {
    "nanodet": "cospal_cli.detect.nanodet:NanoDet",
    "file": "cospal_cli.detect.from_file:FromFile",
}


class Detector(Protocol):
    """A backend: built from a DetectorConfig, then asked batch by batch."""

    classes: tuple[str, ...]  # what ``Detections.labels`` count in
    model_id: str  # what the results name as their source
    model_sha256: str

    def detect(self, batch: FrameBatch) -> list[Detections]:
        """One Detections per frame of ``batch``, in its order; boxes in displayed pixels."""


def open_detector(config: DetectorConfig) -> Detector:
    """The detector that ``config`` names; UsageError lists the known ones."""
    detector: Detector = load("detector", BACKENDS, config.name)(config)
    return detector

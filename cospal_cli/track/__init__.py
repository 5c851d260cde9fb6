"""Detections of each frame become tubelets: one object through time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import IntArray
from cospal_cli.core.backends import TRACKERS as BACKENDS
from cospal_cli.core.registry import load
from cospal_cli.core.tubelets import BoxColours, Detections, Tubelet
from cospal_cli.settings import TrackerConfig
from cospal_cli.track.moved import Moved


class Tracker(Protocol):
    """Made as ``Backend(config: TrackerConfig, size: (width, height), classes: names)``."""

    moved: list[Moved]  # after ``finish``: parts of its ids that ended up in another tubelet

    def update(
        self, detections: Detections, time_s: float, colours: BoxColours, image: NDArray[np.uint8]
    ) -> IntArray:
        """Take the next sampled frame; the track id (D,) of every detection, -1 for none.

        ``image`` is the very same array as before where nothing moved.
        """

    def finish(self) -> list[Tubelet]:
        """The tubelets of all frames so far: linked, gaps filled, smoothed."""


def open_tracker(config: TrackerConfig, size: tuple[int, int], classes: Sequence[str]) -> Tracker:
    """The tracker that ``config`` names; UsageError lists the known ones."""
    tracker: Tracker = load("tracker", BACKENDS, config.name)(config, size, classes)
    return tracker

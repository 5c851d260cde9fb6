"""ByteTrack with colours: place and colours share the cost, the same in both stages.

Sides change less than centres move.
"""

from __future__ import annotations

import numpy as np

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.tubelets import BoxColours, Detections
from cospal_cli.track.affinity import likenesses
from cospal_cli.track.state import Agility, Live
from cospal_cli.track.two_stage import TwoStageTracker

_LOOK_SHARE = 0.35  # of the cost that is appearance; the rest is place


class ByteTracker(TwoStageTracker):
    """Appearance is colours by region; the tracks' own usual likeness is the yardstick."""

    limits = (0.8, 0.45)
    agility = Agility(1.5, 0.375)

    def _describe(self, detections: Detections, colours: BoxColours) -> FloatArray:
        return colours.shares.astype(np.float32)

    def _alike(self, memory: FloatArray, seen: FloatArray) -> FloatArray:
        return likenesses(memory, seen)

    def _costs(
        self, live: Live, overlap: FloatArray, alike: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        # A thing whose colours hold still is not found again in other colours.
        alike = np.clip(2 * alike / np.maximum(live.usual, 0.3)[:, None] - 1, 0, 1)
        cost = 1 - (1 - _LOOK_SHARE) * overlap - _LOOK_SHARE * alike
        return cost, cost

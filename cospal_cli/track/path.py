"""The camera's way through the whole video: from its first sampled frame to every other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray, IntArray
from cospal_cli.track.camera import CameraMotion


@dataclass(frozen=True)
class CameraPath:
    """Maps points of the first sampled frame to those of frame n: ``p * zoom[n] + shift[n]``."""

    zoom: NDArray[np.float64]  # (N,)
    shift: NDArray[np.float64]  # (N, 2) displayed pixels

    @classmethod
    def of(cls, motions: Sequence[CameraMotion]) -> CameraPath:
        """From the motion of every frame since the one before (the first frame's is ignored)."""
        zooms, shifts = [1.0], [(0.0, 0.0)]
        for motion in motions[1:]:
            (x, y), (dx, dy) = shifts[-1], motion.shift
            zooms.append(zooms[-1] * motion.zoom)
            shifts.append((x * motion.zoom + dx, y * motion.zoom + dy))
        return cls(np.array(zooms), np.array(shifts))

    def to_world(self, frames: IntArray, boxes: FloatArray) -> FloatArray:
        """Boxes (m, 4) seen at ``frames`` (m,), with the camera's motion undone."""
        shift = np.tile(self.shift[frames], 2)
        return ((boxes - shift) / self.zoom[frames, None]).astype(np.float32)

    def to_frame(self, frames: IntArray, boxes: FloatArray) -> FloatArray:
        """The way back of ``to_world``."""
        shift = np.tile(self.shift[frames], 2)
        return (boxes * self.zoom[frames, None] + shift).astype(np.float32)

    def carried(self, frames: IntArray, points: FloatArray) -> FloatArray:
        """How far (m, 2) the camera alone has carried ``points`` (m, 2) of consecutive frames.

        It counts from the video's first frame, then adds what the camera does to the point at each
        step: a point that stays in the world has ``points - carried`` constant under a pan.
        """
        zoom, shift = self.zoom[frames, None], self.shift[frames]
        first = points[:1] - (points[:1] - shift[:1]) / zoom[:1]
        step_zoom = zoom[1:] / zoom[:-1]
        step_shift = shift[1:] - step_zoom * shift[:-1]
        steps = points[:-1] * (step_zoom - 1) + step_shift
        return np.cumsum(np.concatenate([first, steps]), axis=0).astype(np.float32)

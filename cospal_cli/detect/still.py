"""Frames that look like the last one the detector saw need no detector: its boxes stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.tubelets import Detections

_ACROSS = 80  # squares across the picture whose mean brightness is compared
_SQUARE = 8  # pixels that a square measures at least: in fewer, noise looks like motion
_AT_LEAST_S = 1.0  # the detector sees a frame at least this often, whatever it looks like


class StillFrames:
    """Which frames to look at, of one video in order, and what the others hold.

    A frame is looked at where the mean of any square differs by ``change`` (of 255) or more from
    the last frame that was: within the boxes something may move, and outside appear. Slow changes
    add up, since what is compared with does not follow them. With 0 every frame is looked at.
    """

    def __init__(self, change: float) -> None:
        self.change = change
        self._seen: NDArray[np.int16] | None = None
        self._seen_s = -np.inf
        self._last: Detections | None = None

    def moved(self, batch: FrameBatch) -> NDArray[np.bool_]:
        """Which frames (N,) of the next batch the detector must see."""
        if not self.change:
            return np.ones(len(batch), bool)
        at = zip(batch.images, batch.times_s.tolist(), strict=True)
        return np.array([self._look(image, time_s) for image, time_s in at], bool)

    def _look(self, image: NDArray[np.uint8], time_s: float) -> bool:
        squares = _squares(image)
        seen = self._seen
        if (
            seen is not None
            and time_s - self._seen_s < _AT_LEAST_S - 1e-6
            and int(np.abs(squares - seen).max()) < self.change
        ):
            return False
        self._seen, self._seen_s = squares, time_s
        return True

    def filled(
        self, batch: FrameBatch, moved: NDArray[np.bool_], found: Sequence[Detections]
    ) -> list[Detections]:
        """One Detections for each frame of ``batch``: ``found``, for those that moved, in order,
        and for each other frame those before it."""
        detections, fresh = [], iter(found)
        for index, new in zip(batch.indices.tolist(), moved.tolist(), strict=True):
            if new:
                self._last = next(fresh)
            assert self._last is not None  # the first frame is always looked at
            detections.append(replace(self._last, frame_index=index))
        return detections


def part(batch: FrameBatch, rows: NDArray[np.bool_]) -> FrameBatch:
    """The frames of ``batch`` where ``rows`` (N,) holds; itself where all do."""
    if rows.all():
        return batch
    return replace(
        batch, images=batch.images[rows], indices=batch.indices[rows], times_s=batch.times_s[rows]
    )


def _squares(image: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Mean brightness of squares of ``image`` (h, w, 3), by its green."""
    from PIL import Image

    side = max(_SQUARE, max(image.shape[:2]) // _ACROSS)
    green = Image.fromarray(np.ascontiguousarray(image[..., 1]))
    return np.asarray(green.reduce(side), np.int16)

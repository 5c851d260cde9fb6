"""Frames that look like the last one the detector saw need no detector: its boxes stay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_AT_LEAST_S = 1.0  # the detector sees a frame at least this often, whatever it looks like


class StillFrames:
    """Which frames to look at, of one video in order.

    A frame is looked at where the mean of any square differs by ``change`` (of 255) or more from
    the last frame that was: within the boxes something may move, and outside appear. Slow changes
    add up, since what is compared with does not follow them. With 0 every frame is looked at.
    """

    def __init__(self, change: float) -> None:
        self.change = change
        self._seen: NDArray[np.int16] | None = None
        self._seen_s = -np.inf

    def moved(self, squares: NDArray[np.uint8], time_s: float) -> bool:
        """Whether the detector must see the next frame, given the brightness (h, w) of its
        squares."""
        means, seen = squares.astype(np.int16), self._seen
        if (
            seen is not None
            and time_s - self._seen_s < _AT_LEAST_S - 1e-6
            and int(np.abs(means - seen).max()) < self.change
        ):
            return False
        self._seen, self._seen_s = means, time_s
        return True

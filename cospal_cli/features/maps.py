"""Feature maps of a video while it is read: what an encoder makes of each part of the frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray

MOST_BYTES = 2**27  # of a video's maps
FEWEST = 64  # maps kept however large they are


class MapKeeper:
    """The maps (h, w, D) of a video's steps, in float16, by the number of the step's first frame.

    Those of one step from several windows are averaged. Where they grow beyond ``MOST_BYTES``,
    two steps become one, and so on.
    """

    def __init__(self, step: int) -> None:
        """``step``: frames that one map stands for."""
        self.step = step
        self._found: dict[int, tuple[NDArray[np.float16], int]] = {}

    def add(self, first: int, values: FloatArray) -> None:
        """The map of the step that begins with frame ``first``."""
        self._mix(first, values, 1)
        if len(self._found) > max(FEWEST, MOST_BYTES // (2 * values.size)):
            self.step *= 2
            former, self._found = self._found, {}
            for at, (one, count) in former.items():
                self._mix(at, one, count)

    def finish(self, frames: int) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
        """The maps (S, h, w, D) that begin before frame ``frames``, and those beginnings (S,)."""
        firsts = sorted(first for first in self._found if first < frames)
        return np.stack([self._found[first][0] for first in firsts]), np.array(firsts)

    def _mix(self, first: int, values: NDArray[np.floating], count: int) -> None:
        at = first // self.step * self.step
        mean, before = self._found.get(at, (np.zeros(1, np.float16), 0))
        total = before + count
        share = np.float32(count / total)
        mixed = values if not before else mean + (values - mean.astype(np.float32)) * share
        limit = np.finfo(np.float16).max
        self._found[at] = np.clip(mixed, -limit, limit).astype(np.float16), total

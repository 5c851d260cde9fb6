"""The time line of everything that was decoded."""

from __future__ import annotations

from array import array
from fractions import Fraction

import numpy as np

from cospal_cli.core.frames import Timeline


class TimelineBuilder:
    """Collects 24 bytes per decoded frame, so that hours of video stay small."""

    def __init__(self, time_base: Fraction, start_pts: int, step: int) -> None:
        """``start_pts`` is the video's first; ``step`` the nominal ticks between frames."""
        self._tick_s = float(time_base)
        self._start_pts = start_pts
        self._step = step
        self._indices, self._pts, self._times = array("q"), array("q"), array("d")

    def __len__(self) -> int:
        return len(self._pts)

    def time_s(self, pts: int) -> float:
        """Seconds from the video's first frame."""
        return (pts - self._start_pts) * self._tick_s

    def add(self, index: int, pts: int) -> None:
        """Append one frame of the range."""
        self._indices.append(index)
        self._pts.append(pts)
        self._times.append(self.time_s(pts))

    def build(self, last_ticks: int, next_pts: int | None, warnings: tuple[str, ...]) -> Timeline:
        """The time line; it ends at ``next_pts``, or ``last_ticks`` (0: usual) after the last."""
        pts = np.array(self._pts, np.int64)
        end_s = 0.0
        if len(pts):
            # The header's rate may be nonsense: what was measured counts more.
            usual = int(np.median(np.diff(pts))) if len(pts) > 2 else self._step
            shown = last_ticks if 0 < last_ticks <= 10 * usual else usual
            end_s = self.time_s(int(pts[-1]) + shown if next_pts is None else next_pts)
        return Timeline(
            indices=np.array(self._indices, np.int64),
            pts=pts,
            times_s=np.array(self._times, np.float64),
            end_s=end_s,
            vfr=is_variable(pts),
            warnings=warnings,
        )


def is_variable(pts: np.ndarray) -> bool:
    """Whether steps differ by more than rounding to ticks explains: 33, 33, 34 ms do not."""
    if len(pts) < 3:
        return False
    steps = np.diff(pts)
    usual = float(np.median(steps))
    return bool((np.abs(steps - usual) > max(1.0, 0.1 * usual)).any())

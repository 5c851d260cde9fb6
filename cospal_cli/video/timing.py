"""True times from imperfect time stamps, and the time line of everything that was decoded."""

from __future__ import annotations

from array import array
from fractions import Fraction

import numpy as np

from cospal_cli.core.types import Timeline


class Clock:
    """Turns the decoder's time stamps into strictly increasing ones, one frame of look-ahead.

    A stamp is trusted when it lies after the previous frame's and the next one does not fall back
    behind it. Otherwise the frame is put where the nominal rate expects it, or halfway to the next
    stamp where there is less room. When stamps start again from an earlier value (joined
    recordings), the following ones are carried on from there.
    """

    def __init__(self, step: int) -> None:
        """``step``: ticks between frames at the nominal rate, at least 1."""
        self.step = max(1, step)
        self.estimated = 0  # frames whose own stamp was missing or could not be used
        self._last: int | None = None
        self._offset = 0

    def place(self, stamp: int | None, following: int | None) -> int:
        """The time stamp to use for a frame, given its own and the next frame's raw one."""
        value = self._trusted(stamp, following)
        if value is None:
            value = self._estimate(following)
            self.estimated += 1
            if stamp is not None and stamp <= value:
                self._offset = value - stamp
        self._last = value
        return value

    def _trusted(self, stamp: int | None, following: int | None) -> int | None:
        last = self._last
        if stamp is None:
            return None
        if last is None:
            return stamp
        if stamp > last:
            falls_back = following is not None and last < following < stamp
            self._offset = 0
            return None if falls_back else stamp
        if self._offset and stamp + self._offset > last:
            self.estimated += 1
            return stamp + self._offset
        return None

    def _estimate(self, following: int | None) -> int:
        if self._last is None:
            return following - self.step if following is not None else 0
        value = self._last + self.step
        if following is not None and following > self._last + 1:
            value = min(value, (self._last + following) // 2)
        return value


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

"""Sampling by time: which frames, and in what portions they are handed on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.frames import FrameBatch

LONGEST = 4  # times the size of a batch: frames in a row that a portion holds at most
Moved = Callable[[NDArray[np.uint8], float], bool]


class Grid:
    """Points in time at a steady rate; a frame is sampled where it is the first at or after one.

    A frame up to half a source frame early counts as at the point.
    """

    def __init__(self, source_fps: float, fps: float) -> None:
        self.every = source_fps <= fps  # frame is sampled
        self._early_s = 0.5 / source_fps
        self._fps = fps
        self._origin_s: float | None = None
        self._due = 0  # number of the next point

    def take(self, time_s: float) -> bool:
        """Whether the next frame, shown at ``time_s``, is sampled."""
        if self._origin_s is None:
            self._origin_s = time_s
        reached = self._reached(time_s)
        if not self.every and reached < self._due:
            return False
        self._due = int(reached) + 1
        return True

    def between(self, before_s: float, time_s: float) -> bool:
        """Whether a frame is sampled that follows another, by their times alone."""
        if self.every or self._origin_s is None:
            return True
        return int(self._reached(before_s)) != int(self._reached(time_s))

    def _reached(self, time_s: float) -> float:
        return (time_s - (self._origin_s or 0.0) + self._early_s) * self._fps


@dataclass(frozen=True)
class Portion:
    """Sampled frames (N) in a row, of which only those that ``moved`` have pixels."""

    indices: list[int]
    times_s: list[float]
    moved: list[bool]
    batch: FrameBatch | None  # of those that moved; None where none did

    def __len__(self) -> int:
        return len(self.indices)


@dataclass
class Gathering:
    """Frames on their way into a ``Portion`` of ``size`` images."""

    size: int
    shown: tuple[int, int]  # (W, H)
    indices: list[int] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    moved: list[bool] = field(default_factory=list)
    images: list[NDArray[np.uint8]] = field(default_factory=list)

    def add(self, index: int, time_s: float, image: NDArray[np.uint8] | None) -> None:
        """The next frame; without an ``image`` it did not move."""
        self.indices.append(index)
        self.times_s.append(time_s)
        self.moved.append(image is not None)
        if image is not None:
            self.images.append(image)

    @property
    def full(self) -> bool:
        """Whether the portion is to be handed on."""
        return len(self.images) == self.size or len(self.indices) == LONGEST * self.size

    def portion(self) -> Portion:
        """What was gathered."""
        moved, batch = np.array(self.moved, bool), None
        if self.images:
            indices, times_s = np.array(self.indices, np.int64), np.array(self.times_s)
            batch = FrameBatch(np.stack(self.images), indices[moved], times_s[moved], self.shown)
        return Portion(self.indices, self.times_s, self.moved, batch)

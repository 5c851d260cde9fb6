"""What a subject's own box shows of its posture: curves over a tubelet's life.

Lengths are in the tubelet's heights (its median), places in the world: the camera's way is taken
out. A lower side on the frame's border is the frame's, and says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.middle import median
from cospal_cli.features.motion import slopes
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.odds import Curve, highest, mean, odds, samples, usual, usual_step

_NEARBY_S = 3.0  # what is usual is judged by so much before and after
_BORDER = 0.012  # of the frame's height
_STEP_S = 0.2  # accelerations are over twice this time
_PARTS = 3  # of the thumbnail, from head to feet


@dataclass(frozen=True)
class Body:
    """Curves (T,) of one candidate."""

    candidate: Candidate

    @property
    def times_s(self) -> Curve:
        """The tubelet's times."""
        return self.candidate.tubelet.times_s

    def samples(self, seconds: float) -> int:
        """``seconds`` in samples of the tubelet."""
        return samples(self.times_s, seconds)

    @cached_property
    def low(self) -> Curve:
        """How much lower the upper side is, and the height less, than nearby while the feet stay.

        Both, since who comes nearer to the camera grows, and the upper side may sink meanwhile.
        """
        reach = self.samples(_NEARBY_S)
        top, feet = self._sides.T
        sunk = np.minimum(
            top - usual(top, reach, 0.25), usual(feet - top, reach, 0.75) - feet + top
        )
        return sunk - np.where(self._cut, 0.0, 0.5 * np.abs(feet - usual(feet, reach, 0.5)))

    @cached_property
    def rising(self) -> Curve:
        """Heights per second at which the upper side rises, more than the feet do."""
        up, feet = -slopes(self.times_s, self._sides).T
        return up - np.where(self._cut, 0.0, np.abs(feet))

    @cached_property
    def wide(self) -> Curve:
        """Log of the width against the usual nearby: arms held out, bending, lying."""
        boxes = self.candidate.tubelet.boxes_xyxy
        width = np.log(np.maximum(boxes[:, 2] - boxes[:, 0], 1.0).astype(np.float64))
        return width - usual(width, self.samples(_NEARBY_S), 0.3)

    @cached_property
    def thrust(self) -> Curve:
        """Vertical acceleration of head and feet together, heights per second squared, either way.

        Of someone 1.7 m tall who falls freely it is 5.8.
        """
        reach = self.samples(_STEP_S)
        padded = np.pad(self._sides, ((reach, reach), (0, 0)), mode="edge")
        bend = padded[2 * reach :] + padded[: -2 * reach] - 2 * self._sides
        top, feet = (bend / (reach * usual_step(self.times_s)) ** 2).T
        both = np.where(top * feet > 0, np.minimum(np.abs(top), np.abs(feet)), 0.0)
        between = self.samples(0.15)  # a hop's steps are shorter apart than its flight
        return highest(np.where(self._cut, np.abs(top), both), between, between)

    @cached_property
    def across(self) -> Curve:
        """Speed to either side, heights per second."""
        speed = np.abs(self.candidate.motion.velocity[:, 0]).astype(np.float64)
        return highest(speed, *[self.samples(_STEP_S)] * 2)

    def stir(self, *parts: int) -> Curve:
        """Change of pixels in ``parts`` (0 head, 1 middle, 2 legs), against its median."""
        reach = self.samples(0.25)
        change = mean(self._change[:, list(parts)].mean(axis=1), reach, reach)
        return change / (float(median(change)) + 0.05)

    @cached_property
    def busy(self) -> Curve:
        """Log odds (at most 0) against fine movements: it walks, is low or jumps."""
        quiet = [odds(self.across, 0.35, 0.2), odds(self.low, 0.12, 0.06)]
        return np.minimum(np.minimum.reduce([*quiet, odds(self.thrust, 4.0, 2.5)]), 0.0)

    @cached_property
    def _sides(self) -> NDArray[np.float64]:
        """Upper and lower side (T, 2) in the world."""
        tubelet = self.candidate.tubelet
        sides = tubelet.boxes_xyxy[:, 1::2].astype(np.float64)
        height = float(median(sides[:, 1] - sides[:, 0])) or 1.0
        camera = 0.0 if tubelet.camera_xy is None else tubelet.camera_xy[:, 1:]
        placed: NDArray[np.float64] = (sides - camera) / height
        return placed

    @cached_property
    def _cut(self) -> NDArray[np.bool_]:
        height = self.candidate.frame[1]
        return self.candidate.tubelet.boxes_xyxy[:, 3] > height * (1 - _BORDER)

    @cached_property
    def _change(self) -> NDArray[np.float64]:
        """Mean change (T, 3) of the thumbnail's thirds per second."""
        tubelet = self.candidate.tubelet
        if tubelet.colours is None or len(tubelet.colours) < 2:
            return np.zeros((len(tubelet), _PARTS))
        seen = tubelet.times_s[tubelet.observed]
        thumbs = tubelet.colours.thumbs.astype(np.float32) / 255
        thumbs -= thumbs.mean(axis=(1, 2), keepdims=True)  # exposure changes are not motion
        steps = np.abs(np.diff(thumbs, axis=0)) / np.maximum(np.diff(seen), 1e-3)[:, None, None]
        middle = (seen[1:] + seen[:-1]) / 2
        thirds = [part.mean(axis=(1, 2)) for part in np.array_split(steps, _PARTS, axis=1)]
        return np.stack([np.interp(tubelet.times_s, middle, one) for one in thirds], axis=1)

"""A subject beside one other thing, moment by moment: how near, how fast apart, what moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.boxes import area, centres, iou
from cospal_cli.core.middle import median
from cospal_cli.core.tubelets import Tubelet
from cospal_cli.features.motion import slopes
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.odds import Curve, mean, samples

_SAME = 0.6  # boxes that overlap more are the subject itself, detected twice
_MERGED_S = 2.5  # who is lost in an embrace is still there so long
_AROUND_S = 0.6  # "before" and "after" are so much
_SMALL = 0.35  # of the subject's area: what hands can move
_ALONE_S = 1.0  # a thing is lost for good where the subject is seen so much longer
_FLIGHT_S = 1.2  # and found again within this where it is thrown
_LEAST_S = 0.4  # seen together for less, nothing is said


@dataclass(frozen=True)
class Pair:
    """Curves (T,) at the subject's times. Lengths in its sizes (square root of its area)."""

    subject: Candidate
    thing: Tubelet

    @property
    def times_s(self) -> Curve:
        """The subject's times."""
        return self.subject.tubelet.times_s

    def samples(self, seconds: float) -> int:
        """``seconds`` in samples of the subject."""
        return samples(self.times_s, seconds)

    @cached_property
    def together(self) -> NDArray[np.bool_]:
        """When the thing is seen, or just lost or found where the two overlap."""
        own, times = self.thing.times_s, self.times_s
        seen = (times >= own[0] - 0.05) & (times <= own[-1] + 0.05)
        if not seen.any():
            return seen
        first, last = np.flatnonzero(seen)[[0, -1]]
        near = self._shared > 0.3
        lost = near[last] & (times > own[-1]) & (times < own[-1] + _MERGED_S)
        found = near[first] & (times < own[0]) & (times > own[0] - _MERGED_S)
        return seen | lost | found

    @property
    def usable(self) -> bool:
        """Whether the two are different things that are seen together for some time."""
        if self.subject.tubelet.id == self.thing.id:
            return False
        at = self.together
        if at.sum() < max(self.samples(_LEAST_S), 3):
            return False
        return float(median(iou(self._own[at], self._other[at]))) <= _SAME

    @property
    def small(self) -> bool:
        """Whether hands can move the thing."""
        sizes = area(self.thing.boxes_xyxy), area(self._own)
        return float(median(sizes[0])) < _SMALL * float(median(sizes[1]))

    @cached_property
    def lost_at(self) -> int | None:
        """The sample at which the thing is last seen, where the subject is seen on after it."""
        gone = self.thing.times_s[-1]
        if self.times_s[-1] - gone < _ALONE_S or gone < self.times_s[0]:
            return None
        return int(np.searchsorted(self.times_s, gone + 1e-6)) - 1

    @cached_property
    def gap(self) -> Curve:
        """Free space between the boxes, 0 where they touch; the last known where not seen."""
        own, other = self._own, self._other
        apart = np.maximum(own[:, :2] - other[:, 2:], other[:, :2] - own[:, 2:])
        return (np.hypot(*np.maximum(apart, 0).T) / self._size).astype(np.float64)

    @cached_property
    def shared(self) -> Curve:
        """Share of the smaller box that lies in the larger; 0 where the thing is not seen."""
        return np.where(self.together, self._shared, 0.0)

    @cached_property
    def parting(self) -> Curve:
        """How fast the centres part, sizes per second; below 0 they come together."""
        away = np.hypot(*(centres(self._own) - centres(self._other)).T) / self._size
        return np.where(self.together, slopes(self.times_s, away[:, None])[:, 0], 0.0)

    @cached_property
    def thing_velocity(self) -> NDArray[np.float64]:
        """Of the thing (T, 2) in the world, sizes of the subject per second; 0 where not seen."""
        place = centres(self._other).astype(np.float64)
        camera = self.subject.tubelet.camera_xy
        place = (place if camera is None else place - camera) / self._size
        return np.where(self.together[:, None], slopes(self.times_s, place), 0.0)

    @cached_property
    def starting(self) -> Curve:
        """How much faster the thing is just after than just before, sizes per second."""
        return self.change(np.hypot(*self.thing_velocity.T))

    def change(self, values: Curve) -> Curve:
        """Mean of ``values`` just after less that just before."""
        reach = self.samples(_AROUND_S)
        return mean(values, 0, reach) - mean(values, reach, 0)

    @cached_property
    def handled(self) -> NDArray[np.float64]:
        """How the thing moves (T, 2) both in the world and beside the subject's feet: the smaller.

        Nothing where it is only carried along, or passed by.
        """
        feet = np.stack([self._own[:, ::2].mean(axis=1), self._own[:, 3]], axis=1)
        beside = slopes(self.times_s, (centres(self._other) - feet) / self._size)
        moved = self.thing_velocity
        least = np.sign(moved) * np.minimum(np.abs(moved), np.abs(beside))
        return np.where((moved * beside > 0) & self.together[:, None], least, 0.0)

    def before(self, values: Curve) -> Curve:
        """Mean of ``values`` just before less the value now."""
        return mean(values, self.samples(_AROUND_S), 0) - values

    def after(self, values: Curve) -> Curve:
        """Mean of ``values`` just after less the value now."""
        return mean(values, 0, self.samples(_AROUND_S)) - values

    @cached_property
    def ahead(self) -> Curve:
        """Cosine between the subject's way and the direction to the thing."""
        way = self.subject.motion.velocity.astype(np.float64)
        return _cosine(way, (centres(self._other) - centres(self._own)).astype(np.float64))

    @cached_property
    def alike(self) -> Curve:
        """Cosine between the ways of the two."""
        return _cosine(self.subject.motion.velocity.astype(np.float64), self.thing_velocity)

    @cached_property
    def _own(self) -> NDArray[np.float32]:
        return self.subject.tubelet.boxes_xyxy

    @cached_property
    def _other(self) -> NDArray[np.float32]:
        other = self.thing
        sides = [np.interp(self.times_s, other.times_s, side) for side in other.boxes_xyxy.T]
        return np.stack(sides, axis=1).astype(np.float32)

    @cached_property
    def _size(self) -> float:
        return float(np.sqrt(median(area(self._own)))) or 1.0

    @cached_property
    def _shared(self) -> Curve:
        low = np.maximum(self._own[:, :2], self._other[:, :2])
        high = np.minimum(self._own[:, 2:], self._other[:, 2:])
        common = np.clip(high - low, 0, None).prod(axis=1)
        least = np.maximum(np.minimum(area(self._own), area(self._other)), 1e-6)
        return (common / least).astype(np.float64)


def pairs(subject: Candidate, things: Sequence[Candidate]) -> list[Pair]:
    """The subject beside each of ``things`` that is seen with it, pieces of a flight as one."""
    usable = [pair for thing in things if (pair := Pair(subject, thing.tubelet)).usable]
    large = [pair for pair in usable if not pair.small]
    flights: list[Tubelet] = []
    for one in sorted((p.thing for p in usable if p.small), key=lambda t: float(t.times_s[0])):
        for at, other in enumerate(flights):
            if 0 < one.times_s[0] - other.times_s[-1] <= _FLIGHT_S:
                flights[at] = _joined(other, one)
                break
        else:
            flights.append(one)
    return large + [Pair(subject, flight) for flight in flights]


def _joined(first: Tubelet, second: Tubelet) -> Tubelet:
    """Two pieces of one way."""
    return replace(
        first,
        frame_indices=np.concatenate([first.frame_indices, second.frame_indices]),
        times_s=np.concatenate([first.times_s, second.times_s]),
        boxes_xyxy=np.concatenate([first.boxes_xyxy, second.boxes_xyxy]),
        scores=np.concatenate([first.scores, second.scores]),
        observed=np.concatenate([first.observed, second.observed]),
        colours=None,
        camera_xy=None,
        referral=None,
        features=None,
    )


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> Curve:
    lengths = np.maximum(np.hypot(*a.T) * np.hypot(*b.T), 1e-9)
    return (a * b).sum(axis=1) / lengths

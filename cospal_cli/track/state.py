"""Live tracks as arrays: a constant-velocity Kalman filter of (cx, cy, w, h), in seconds.

Every coordinate is filtered alone, so a covariance is three numbers. They are relative to the
box's size, as the noise is: resolution and frame rate drop out, and gains are those of a filter
whose noise is a share of each side.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray, IntArray
from cospal_cli.track.camera import CameraMotion

_JITTER = 0.05  # standard deviation of an observed coordinate, box sizes
_SPEED = 2.5  # of a centre's unknown velocity, box sizes per second
_FORGET_S = 1.0  # time constant of the velocity while a track is lost
_USUAL = 0.7  # likeness expected of a new track
_APPEARANCE_S = 1.0  # time constant of the remembered appearance


class Agility(NamedTuple):
    """How freely boxes change their speed: roots of the acceleration's spectral density, in sizes
    per second^1.5, of their centre and of their sides."""

    centre: float
    sides: float


@dataclass
class Live:
    """Tracks being followed, one row each."""

    ids: IntArray  # (n,)
    kinds: IntArray  # (n,)
    shots: IntArray  # (n,)
    hits: IntArray  # (n,) observations so far
    seen_s: NDArray[np.float64]  # (n,) time of the last
    place: FloatArray  # (n, 4) centre x, y, width, height in displayed pixels
    speed: FloatArray  # (n, 4) of these per second
    spread: FloatArray  # (n, 2, 3) variance of place, covariance, variance of speed; centre, sides
    memory: FloatArray  # (n, ...) moving average of the appearance that the backend compares
    usual: FloatArray  # (n,) how alike the track's own observations are to ``memory``

    @classmethod
    def none(cls) -> Live:
        """No tracks."""
        ids, boxes = np.empty(0, np.int64), np.empty((0, 4), np.float32)
        return born(ids, ids, 0, 0.0, boxes, np.empty((0, 0), np.float32), Agility(1, 1))

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Live:
        """Some of the tracks, copied."""
        return Live(*(getattr(self, f.name)[rows] for f in fields(self)))

    def join(self, other: Live) -> Live:
        """These tracks and then the others; of no tracks, the shape of ``memory`` is open."""
        if not len(self) or not len(other):
            return self if len(self) else other
        names = (f.name for f in fields(self))
        return Live(*(np.concatenate([getattr(self, n), getattr(other, n)]) for n in names))

    @property
    def boxes(self) -> FloatArray:
        """Predicted or filtered boxes (n, 4) xyxy."""
        half = self.place[:, 2:] / 2
        return np.concatenate([self.place[:, :2] - half, self.place[:, :2] + half], axis=1)

    @property
    def doubt(self) -> FloatArray:
        """Standard deviation (n,) of the centre, box sizes."""
        deviation: FloatArray = np.sqrt(self.spread[:, 0, 0])
        return deviation

    def predict(self, step_s: float, time_s: float, motion: CameraMotion, agility: Agility) -> None:
        """Carry every track ``step_s`` on to ``time_s``, moved along with the camera."""
        self.place[:, :2] = motion.apply(self.place[:, :2])
        self.place[:, 2:] *= np.float32(motion.zoom)
        self.speed *= np.float32(motion.zoom)
        lost = self.seen_s < time_s - 1.5 * step_s
        self.speed[lost] *= np.float32(np.exp(-step_s / _FORGET_S))
        self.place += self.speed * np.float32(step_s)
        np.maximum(self.place[:, 2:], 2, out=self.place[:, 2:])
        push = np.array(agility, np.float32) ** 2
        p, dt = self.spread, np.float32(step_s)
        p[:, :, 0] += 2 * dt * p[:, :, 1] + dt**2 * p[:, :, 2] + push * dt**3 / 3
        p[:, :, 1] += dt * p[:, :, 2] + push * dt**2 / 2
        p[:, :, 2] += push * dt

    def correct(
        self,
        rows: IntArray,
        boxes: FloatArray,
        scores: FloatArray,
        seen: FloatArray,
        alike: FloatArray,
        time_s: float,
    ) -> None:
        """Take in one observation for each of ``rows`` (m,): its appearance ``seen`` (m, ...), and
        how ``alike`` (m,) they are to the track's memory."""
        if not len(rows):
            return
        noise = (_JITTER / np.clip(scores, 0.25, 1) ** 0.5)[:, None] ** 2
        p = self.spread[rows]
        gain = p[:, :, :2] / (p[:, :, :1] + noise[:, :, None])
        wide = np.repeat(gain, 2, axis=1)  # centre x, y and sides w, h
        error = _places(boxes) - self.place[rows]
        self.place[rows] += wide[:, :, 0] * error
        self.speed[rows] += wide[:, :, 1] * error
        rest = 1 - gain[:, :, 0]
        self.spread[rows] = np.stack(
            [rest * p[:, :, 0], rest * p[:, :, 1], p[:, :, 2] - gain[:, :, 1] * p[:, :, 1]], axis=2
        )
        since = (time_s - self.seen_s[rows]).astype(np.float32)
        share = (1 - np.exp(-np.maximum(since, 1e-3) / _APPEARANCE_S)) * scores
        share = np.maximum(share, 1 / (1 + self.hits[rows])).astype(np.float32)
        self.usual[rows] += share * (alike - self.usual[rows])
        share = share.reshape(-1, *(1,) * (seen.ndim - 1))
        self.memory[rows] += share * (seen - self.memory[rows])
        self.hits[rows] += 1
        self.seen_s[rows] = time_s


def _places(boxes: FloatArray) -> FloatArray:
    """Centre and sides (n, 4) of boxes (n, 4)."""
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)


def born(
    ids: IntArray,
    kinds: IntArray,
    shot: int,
    time_s: float,
    boxes: FloatArray,
    seen: FloatArray,
    agility: Agility,
) -> Live:
    """New tracks, one for each of the boxes (n, 4) with appearance ``seen``: at rest, of doubtful
    speed."""
    count = len(ids)
    spread = np.array([_JITTER**2, 0, _SPEED**2], np.float32) * np.ones((count, 2, 1), np.float32)
    spread[:, 1] *= np.array([1, 1, (agility.sides / agility.centre) ** 2], np.float32)
    return Live(
        ids=ids,
        kinds=kinds,
        shots=np.full(count, shot, np.int64),
        hits=np.ones(count, np.int64),
        seen_s=np.full(count, time_s),
        place=_places(boxes),
        speed=np.zeros((count, 4), np.float32),
        spread=spread,
        memory=seen.copy(),
        usual=np.full(count, _USUAL, np.float32),
    )

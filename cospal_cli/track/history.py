"""What is kept of every tracked detection: one row in compact arrays, never an object."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray, IntArray
from cospal_cli.core.tubelets import BoxColours, Detections
from cospal_cli.track.camera import CameraMotion

_BLOCK = 256  # frames
_HALF_MOST = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Columns:
    """The observations of all tracks, sorted by track, then frame."""

    tracks: NDArray[np.int32]  # (M,)
    frames: NDArray[np.int32]  # (M,) position among the sampled frames
    boxes: FloatArray  # (M, 4)
    scores: FloatArray  # (M,)
    colours: NDArray[np.uint8]  # (M, R, C)
    thumbs: NDArray[np.uint8]  # (M, S, S)
    referral: FloatArray | None = None  # (M,)
    features: NDArray[np.float16] | None = None  # (M, F)


@dataclass
class History:
    """Grows by one chunk a frame and one row of class scores a track."""

    indices: list[int] = field(default_factory=list)  # source ordinals of the sampled frames
    times_s: list[float] = field(default_factory=list)
    camera: list[CameraMotion] = field(default_factory=list)  # since the frame before
    track_shots: list[int] = field(default_factory=list)  # by track id
    _parts: dict[str, list[NDArray]] = field(default_factory=dict)  # by column
    _blocks: int = 0  # parts at the front of every list that are blocks of many frames
    _sums: FloatArray | None = None

    def frame(self, index: int, time_s: float, motion: CameraMotion) -> None:
        """Begin the next sampled frame; ``motion`` is the camera's since the last."""
        self.indices.append(index)
        self.times_s.append(time_s)
        self.camera.append(motion)

    def add(
        self,
        frames: IntArray,
        tracks: IntArray,
        rows: IntArray,
        detections: Detections,
        colours: BoxColours,
    ) -> None:
        """Keep the detections ``rows`` (m,), with their colours, as observations of known tracks at
        positions ``frames``. A detector gives its own vectors with all of them, or with none."""
        if not len(tracks):
            return
        given: dict[str, NDArray] = {
            "tracks": tracks.astype(np.int32),
            "frames": frames.astype(np.int32),
            "boxes": detections.boxes_xyxy[rows],
            "scores": detections.scores[rows],
            "colours": colours.shares[rows],
            "thumbs": colours.thumbs[rows],
        }
        if detections.referral is not None:
            given["referral"] = detections.referral[rows].astype(np.float32)
        if detections.features is not None:
            own = np.clip(detections.features[rows], -_HALF_MOST, _HALF_MOST)
            given["features"] = own.astype(np.float16)
        label_scores = detections.label_scores[rows]
        for name, array in given.items():
            self._parts.setdefault(name, []).append(array)
        if len(self._parts["tracks"]) >= self._blocks + _BLOCK:
            # Large arrays go back to the system when they are freed, small ones seldom do.
            for part in self._parts.values():
                part[self._blocks :] = [np.concatenate(part[self._blocks :])]
            self._blocks += 1
        if self._sums is None:
            self._sums = np.zeros((64, label_scores.shape[1]), np.float32)
        if len(self._sums) < len(self.track_shots):
            more = np.zeros((len(self.track_shots), label_scores.shape[1]), np.float32)
            self._sums = np.concatenate([self._sums, more])
        np.add.at(self._sums, tracks, label_scores)

    def labels_of(self, track: int) -> FloatArray:
        """Sum (L,) of the class scores over a track's observations."""
        if self._sums is None:
            raise ValueError(f"track: expected one that was added, found {track}")
        sums: FloatArray = self._sums[track]
        return sums

    def columns(self) -> Columns | None:
        """All observations; None when there are none.

        One column after the other takes the place of its parts, so that hardly more than one
        column is held twice.
        """
        if not self._parts:
            return None
        for part in self._parts.values():
            part[:] = [np.concatenate(part)]
        self._blocks = 1
        order = np.lexsort((self._parts["frames"][0], self._parts["tracks"][0]))
        for part in self._parts.values():
            part[:] = [part[0][order]]
        return Columns(**{name: part[0] for name, part in self._parts.items()})

"""What trackers in two stages share: confident detections first, then weak ones for the rest.

A backend says what describes a box and what a match costs. Watching the camera and the shots,
starting tracks, looking back and finishing are done here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray, IntArray
from cospal_cli.core.assignment import assign
from cospal_cli.core.boxes import area, pairwise_iou
from cospal_cli.core.tubelets import BoxColours, Detections, Tubelet
from cospal_cli.settings import TrackerConfig
from cospal_cli.track.affinity import grown_iou
from cospal_cli.track.camera import STILL, Camera, CameraMotion, normalise, shrink
from cospal_cli.track.cuts import Shots
from cospal_cli.track.history import History
from cospal_cli.track.kinds import Kinds
from cospal_cli.track.moved import Moved
from cospal_cli.track.state import Agility, Live, born
from cospal_cli.track.tubelets import build

_OVERLAP = 0.1  # least overlap of boxes grown by their doubt
_LOST_COST = 0.15  # per second that a track is lost
_NEW_COST = 0.1  # for a track of one observation
_KIND_COST = 0.45  # for a detection of quite another kind, less if it is partly of the track's
_WEAK_S = 0.4  # a track lost for longer is not picked up again by a weak detection
_BACKGROUND = 0.4  # share of the frame from which a thing that cannot move is background
_TWIN = 0.7  # a box that overlaps one of its kind by more starts no track
_BACK_S, _BACK_IOU = 0.5, 0.4  # weak detections before a track's first confident one


class _Spare(NamedTuple):
    """Weak detections of a past frame that no track took."""

    frame: int
    time_s: float
    detections: Detections
    colours: BoxColours
    free: NDArray[np.bool_]


class TwoStageTracker(ABC):
    """Streaming tracker; ids count up from 0 and are never used twice.

    ``size`` is the displayed (width, height), ``classes`` the names behind the detections' labels.
    """

    limits: ClassVar[tuple[float, float]]  # dearest match in the first and second stage
    agility: ClassVar[Agility]

    def __init__(
        self, config: TrackerConfig, size: tuple[int, int], classes: Sequence[str]
    ) -> None:
        self._config = config
        self._size = size
        self._kinds = Kinds(classes)
        self._camera = Camera(size)
        self._image: NDArray[np.uint8] | None = None  # the last
        self._shots = Shots()
        self._history = History()
        self._live = Live.none()
        self._spare: deque[_Spare] = deque()
        self._given: dict[str, tuple[int, ...]] | None = None
        self.moved: list[Moved] = []  # known when finished

    @abstractmethod
    def _describe(self, detections: Detections, colours: BoxColours) -> FloatArray:
        """The appearance of each detection (D, ...); a track keeps its moving average."""

    @abstractmethod
    def _alike(self, memory: FloatArray, seen: FloatArray) -> FloatArray:
        """Likeness (n, D), 1 at most, of tracks (n, ...) and detections (D, ...), none empty."""

    @abstractmethod
    def _costs(
        self, live: Live, overlap: FloatArray, alike: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Cost (n, D) of every match in the first and in the second stage."""

    def update(
        self,
        detections: Detections,
        time_s: float,
        colours: BoxColours,
        image: NDArray[np.uint8],
    ) -> IntArray:
        """Take the next sampled frame; the track id (D,) of every detection, -1 for none.

        ``colours``: one row per detection; ``image`` (h, w, 3) RGB may be smaller than the frame;
        the very same array as before: nothing moved.
        """
        self._expect_given(detections)
        self._watch(detections, time_s, image)
        seen = self._describe(detections, colours)
        live = self._live
        here = np.flatnonzero(live.shots == self._shots.shot)
        now = live.take(here)
        alike = np.zeros((len(now), len(seen)), np.float32)
        if alike.size:
            alike = self._alike(now.memory, seen)
        rows = self._associate(now, detections, alike, time_s)

        ids = np.full(len(detections), -1, np.int64)
        matched = rows >= 0
        ids[matched] = now.ids[rows[matched]]
        live.correct(
            here[rows[matched]],
            detections.boxes_xyxy[matched],
            detections.scores[matched],
            seen[matched],
            alike[rows[matched], np.flatnonzero(matched)],
            time_s,
        )
        first = self._starting(detections, ids)
        ids[first] = len(self._history.track_shots) + np.arange(len(first))
        self._live = live.join(self._start(ids[first], first, detections, seen, time_s))
        self._keep(ids, detections, colours)
        self._look_back(ids[first], detections.boxes_xyxy[first], detections.labels[first])
        frame = len(self._history.times_s) - 1
        self._spare.append(_Spare(frame, time_s, detections, colours, ids < 0))
        return ids

    def finish(self) -> list[Tubelet]:
        """The tubelets of all frames so far: linked, gaps filled, smoothed, best first."""
        tubelets, self.moved = build(self._history, self._kinds, self._config, self._size)
        return tubelets

    def _expect_given(self, detections: Detections) -> None:
        """ValueError unless a detector gives the same optional columns with all its boxes."""
        if not len(detections):
            return
        columns = {"features": detections.features, "referral": detections.referral}
        given = {name: c.shape[1:] for name, c in columns.items() if c is not None}
        if self._given is None:
            self._given = given
        if given != self._given:
            raise ValueError(f"detections: expected {self._given} as before, found {given}")

    def _watch(self, detections: Detections, time_s: float, image: NDArray[np.uint8]) -> None:
        """Camera and shot of the next frame; carry the live tracks on to it."""
        times = self._history.times_s
        step_s = time_s - times[-1] if times else 0.0
        if times and step_s <= 0:
            raise ValueError(f"time_s: expected more than {times[-1]}, found {time_s}")
        same, self._image = image is self._image, image
        motion = STILL if same else self._motion(detections, time_s, image)
        self._history.frame(detections.frame_index, time_s, motion)
        while self._spare and time_s - self._spare[0].time_s > _BACK_S:
            self._spare.popleft()
        self._live = self._live.take(time_s - self._live.seen_s <= self._config.max_lost_s)
        self._live.predict(step_s, time_s, motion, self.agility)

    def _motion(
        self, detections: Detections, time_s: float, image: NDArray[np.uint8]
    ) -> CameraMotion:
        """The camera's since the last image; STILL where a shot begins."""
        small = shrink(image)
        gray = normalise(small)
        motion = self._camera.update(gray, self._masks(detections), time_s)
        shot = self._shots.shot
        if self._shots.update(small, gray, time_s, motion) == shot:
            return motion
        self._camera.restart()
        self._spare.clear()
        return STILL

    def _masks(self, detections: Detections) -> FloatArray:
        """Boxes (B, 4) that the camera's motion is not read from: all that are not background."""
        boxes, scores = detections.boxes_xyxy, detections.scores
        small = area(boxes) < _BACKGROUND * self._size[0] * self._size[1]
        moving = self._kinds.movable(detections.labels)
        return boxes[(scores >= self._config.high_threshold) & (moving | small)]

    def _associate(
        self, live: Live, detections: Detections, alike: FloatArray, time_s: float
    ) -> IntArray:
        """Row (D,) of ``live`` that each detection continues, -1 for none; ``alike`` is (n, D)."""
        margin = np.clip(live.doubt, 0.05, 0.5)[:, None, None]
        overlap = grown_iou(live.boxes[:, None], detections.boxes_xyxy[None], margin)
        first, second = (
            self._burdened(cost, live, detections, overlap, time_s)
            for cost in self._costs(live, overlap, alike)
        )
        continued = np.full(len(detections), -1, np.int64)
        strong = detections.scores >= self._config.high_threshold
        tracks, columns = assign(first[:, strong], self.limits[0])
        continued[np.flatnonzero(strong)[columns]] = tracks
        rest = np.ones(len(live), bool)
        rest[tracks] = False
        rest &= live.seen_s >= time_s - self._reach_s(time_s)
        tracks, columns = assign(second[np.ix_(rest, ~strong)], self.limits[1])
        continued[np.flatnonzero(~strong)[columns]] = np.flatnonzero(rest)[tracks]
        return continued

    def _burdened(
        self,
        cost: FloatArray,
        live: Live,
        detections: Detections,
        overlap: FloatArray,
        time_s: float,
    ) -> FloatArray:
        """``cost`` (n, D) and what rules out a match in any case; infinite if apart."""
        kind = self._kinds.agreement(detections)[:, live.kinds].T
        cost = cost + _KIND_COST * (1 - kind)
        lost_s = np.maximum(time_s - live.seen_s - self._step_s(), 0)
        cost += (_LOST_COST * lost_s + _NEW_COST * (live.hits < 2)).astype(np.float32)[:, None]
        cost[overlap < _OVERLAP] = np.inf
        return cost

    def _reach_s(self, time_s: float) -> float:
        """How long ago a track that a weak detection may continue was seen: two steps at least."""
        times = self._history.times_s
        return max(_WEAK_S, time_s - times[-3] if len(times) > 2 else 0.0) + 1e-6

    def _step_s(self) -> float:
        times = self._history.times_s
        return times[-1] - times[-2] if len(times) > 1 else 0.0

    def _starting(self, detections: Detections, ids: IntArray) -> IntArray:
        """Detections (rows) that start tracks: confident, unmatched, no twin of a better one."""
        candidates = np.flatnonzero((ids < 0) & (detections.scores >= self._config.high_threshold))
        candidates = candidates[np.argsort(-detections.scores[candidates], kind="stable")]
        kinds = self._kinds.of_label[detections.labels]
        overlap = pairwise_iou(detections.boxes_xyxy[candidates], detections.boxes_xyxy)
        taken = ids >= 0
        chosen = []
        for row, others in zip(candidates, overlap, strict=True):
            if not (taken & (kinds == kinds[row]) & (others > _TWIN)).any():
                taken[row] = True
                chosen.append(row)
        return np.array(chosen, np.int64)

    def _start(
        self, ids: IntArray, rows: IntArray, detections: Detections, seen: FloatArray, time_s: float
    ) -> Live:
        """New live tracks of the detections ``rows``."""
        self._history.track_shots += [self._shots.shot] * len(ids)
        kinds = self._kinds.of_label[detections.labels[rows]]
        boxes = detections.boxes_xyxy[rows]
        return born(ids, kinds, self._shots.shot, time_s, boxes, seen[rows], self.agility)

    def _keep(self, ids: IntArray, detections: Detections, colours: BoxColours) -> None:
        rows = np.flatnonzero(ids >= 0)
        frames = np.full(len(rows), len(self._history.times_s) - 1)
        self._history.add(frames, ids[rows], rows, detections, colours)

    def _look_back(self, ids: IntArray, boxes: FloatArray, labels: IntArray) -> None:
        """Give new tracks the weak detections just before: things enter the frame by degrees."""
        kinds = self._kinds.of_label[labels]
        alive = np.ones(len(ids), bool)
        boxes = boxes.copy()
        for spare in reversed(self._spare):
            if not alive.any():
                return
            same = kinds[:, None] == self._kinds.of_label[spare.detections.labels]
            overlap = pairwise_iou(boxes, spare.detections.boxes_xyxy)
            overlap[~(same & spare.free & alive[:, None])] = 0
            tracks, rows = assign(1 - overlap, 1 - _BACK_IOU)
            alive[:] = False
            alive[tracks] = True
            boxes[tracks] = spare.detections.boxes_xyxy[rows]
            spare.free[rows] = False
            frames = np.full(len(rows), spare.frame)
            self._history.add(frames, ids[tracks], rows, spare.detections, spare.colours)

"""Frames in, clip features out: every video encoder by name, and what they share.

A clip is what one feature vector describes. An encoder is given ``fps`` frames a second, in
windows of ``frames``, one every ``stride`` frames, and makes one clip of each, or several that
share it equally.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.backends import VIDEO_ENCODERS as BACKENDS
from cospal_cli.core.clips import Clips, FeatureMaps
from cospal_cli.core.errors import InputError
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.registry import load
from cospal_cli.features.maps import MapKeeper
from cospal_cli.settings import ClipsConfig

LOG = logging.getLogger("cospal")
Frame = NDArray  # one frame as an encoder's windows hold it


class VideoEncoder(Protocol):
    """A backend: built from a ClipsConfig, then given one video after another, batch by batch."""

    dim: int
    map_dim: int  # numbers of a cell of its maps; 0: it has none
    model_id: str  # what the features name as their source
    model_sha256: str
    config: ClipsConfig  # as given, the backend's own defaults filled in
    fps: float  # frames per second of video that it wants; 0: it wants none
    image_side: int  # longer side (pixels) of the images it wants
    batch: int  # frames that one update should get

    def reset(self) -> None:
        """Forget the frames of a video that was not finished."""

    def update(self, batch: FrameBatch) -> None:
        """The next frames. Holds the pixels of the current windows, never the video's."""

    def finish(self) -> Clips:
        """Every clip of the video: features (C, dim), at least one, with their maps where
        ``config.pooled``. Ready for the next video.

        InputError if there was no frame.
        """


def open_video_encoder(config: ClipsConfig) -> VideoEncoder:
    """The encoder that ``config`` names; UsageError lists the known ones."""
    encoder: VideoEncoder = load("video encoder", BACKENDS, config.name)(config)
    if config.pooled and not encoder.config.pooled:
        LOG.warning(
            "clips.pooled: video encoder %r has no maps of the frame, so nothing is pooled; heads "
            "see whole frames by model.temporal_input=both",
            config.name,
        )
    return encoder


@dataclass(frozen=True)
class Pace:
    """An encoder's own defaults for what ``ClipsConfig`` leaves open, or the values in use."""

    fps: float
    frames: int
    stride: int
    batch: int  # windows of one forward pass

    def within(self, config: ClipsConfig) -> tuple[ClipsConfig, Pace]:
        """``config`` with these where it leaves a value open, and all values together."""
        given = {name: getattr(config, name) or value for name, value in asdict(self).items()}
        return replace(config, **given), Pace(**given)


class Windows:
    """Cuts a stream of frames into windows of ``frames``, one every ``stride``.

    Every window has its full length: the last repeats the last frame where the video ends early.
    """

    def __init__(self, frames: int, stride: int) -> None:
        self.frames, self.stride = frames, stride
        self.seen = 0  # frames added
        self._start = 0  # number of the frame that the current window begins with
        self._held: list[Frame] = []
        self._covered = 0  # frames before this one were in some window

    def add(self, frame: Frame) -> tuple[int, list[Frame]] | None:
        """The window that ``frame`` completes, after the number of its first frame."""
        if self.seen >= self._start:  # false between windows that lie apart
            self._held.append(frame)
        self.seen += 1
        if len(self._held) < self.frames:
            return None
        return self._pop(self._held)

    def rest(self) -> tuple[int, list[Frame]] | None:
        """The window of the frames that were in none, padded."""
        if not self._held or self.seen <= self._covered:
            return None
        return self._pop(self._held + self._held[-1:] * (self.frames - len(self._held)))

    def _pop(self, window: list[Frame]) -> tuple[int, list[Frame]]:
        first = self._start
        self._held = window[self.stride :]
        self._start += self.stride
        self._covered = first + self.frames
        return first, window


class WindowEncoder(ABC):
    """What all backends share of ``VideoEncoder``: windows, batches of them, the clips' spans."""

    map_dim = 0

    def __init__(self, config: ClipsConfig, own: Pace, parts: int = 1, steps: int = 1) -> None:
        """``parts`` clips of equal length share a window, and ``steps`` maps; its frames are a
        multiple of both."""
        config = replace(config, pooled=config.pooled and self.map_dim > 0)
        self.config, self.pace = own.within(config)
        self.fps = self.pace.fps
        self.batch = min(self.pace.frames, 16)
        self.parts, self.steps = parts, steps
        self.reset()

    @abstractmethod
    def prepare(self, batch: FrameBatch) -> Sequence[Frame]:
        """Each frame of ``batch`` as the windows should hold it, all of one shape."""

    @abstractmethod
    def encode(self, windows: list[list[Frame]]) -> FloatArray:
        """Features (W, parts, dim) of W full windows."""

    def encode_maps(self, windows: list[list[Frame]]) -> tuple[FloatArray, FloatArray]:
        """Likewise, and their maps (W, steps, h, w, map_dim): only where ``map_dim`` is not 0."""
        raise NotImplementedError

    def reset(self) -> None:
        """See ``VideoEncoder``."""
        self._windows = Windows(self.pace.frames, self.pace.stride)
        self._times: list[float] = []
        self._origin = 0.0  # time from which frames are counted
        self._last: Frame = np.empty(0)
        self._waiting: list[tuple[int, list[Frame]]] = []
        self._found: dict[int, tuple[FloatArray, int]] = {}  # first frame: sum, how many
        self._maps = MapKeeper(max(self.pace.frames // self.steps, 1))

    def update(self, batch: FrameBatch) -> None:
        """See ``VideoEncoder``."""
        for frame, at in zip(self.prepare(batch), batch.times_s.tolist(), strict=True):
            for early in self._missing(at):
                self._add(self._last, early)
            self._add(frame, at)
            self._last = frame

    def finish(self) -> Clips:
        """See ``VideoEncoder``."""
        if not self._times:
            raise InputError(
                "there is no frame to compute clip features from",
                "choose a range that contains frames",
            )
        if window := self._windows.rest():
            self._waiting.append(window)
        self._flush()
        firsts = sorted(first for first in self._found if first < len(self._times))
        sums = [self._found[first] for first in firsts]
        features = np.stack([total / np.float32(count) for total, count in sums])
        spans_s = self._spans(np.array(firsts), self.pace.frames // self.parts)
        maps = self._finished_maps() if self.config.pooled else None
        self.reset()
        return Clips(features.astype(np.float32, copy=False), spans_s, maps)

    def _missing(self, at: float) -> list[float]:
        """When to show the last frame again before a frame at ``at``, for an even ``fps``.

        A video of fewer frames a second would look too fast otherwise, and one that stands still
        for a while would lose that time. Of a gap, no more than a window is filled.
        """
        if not self._times:
            self._origin = at
        lacking = round((at - self._origin) * self.fps) - len(self._times)
        if lacking > self.pace.frames:
            self._origin += (lacking - self.pace.frames) / self.fps
            lacking = self.pace.frames
        if lacking <= 0:
            return []
        return np.linspace(self._times[-1], at, lacking + 2)[1:-1].tolist()

    def _add(self, frame: Frame, at: float) -> None:
        self._times.append(at)
        if window := self._windows.add(frame):
            self._waiting.append(window)
        if len(self._waiting) >= self.pace.batch:
            self._flush()

    def _flush(self) -> None:
        """Encode the waiting windows. Clips that several windows share are averaged."""
        if not self._waiting:
            return
        firsts, windows = zip(*self._waiting, strict=True)
        self._waiting = []
        step = self.pace.frames // self.parts
        if self.config.pooled:
            encoded, maps = self.encode_maps(list(windows))
            self._keep_maps(firsts, maps)
        else:
            encoded = self.encode(list(windows))
        for first, features in zip(firsts, encoded, strict=True):
            for part, feature in enumerate(features):
                total, count = self._found.get(first + part * step, (np.float32(0), 0))
                self._found[first + part * step] = (total + feature, count + 1)

    def _keep_maps(self, firsts: Sequence[int], maps: FloatArray) -> None:
        """Of windows that begin with the frames ``firsts``: see ``encode_maps``."""
        step = self.pace.frames // self.steps
        for first, window in zip(firsts, maps, strict=True):
            for number, one in enumerate(window):
                self._maps.add(first + number * step, one)

    def _finished_maps(self) -> FeatureMaps:
        values, firsts = self._maps.finish(len(self._times))
        return FeatureMaps(values, self._spans(firsts, self._maps.step))

    def _spans(self, firsts: NDArray[np.int64], length: int) -> NDArray[np.float64]:
        """(C, 2) seconds: from the first frame of ``length`` ones to the first one after them."""
        times = np.array(self._times)
        edges = np.append(times, times[-1] + 1 / self.fps)
        stops = np.minimum(firsts + length, len(times))
        return np.stack([edges[firsts], edges[stops]], axis=1)


def fewer(features: FloatArray, limit: int) -> FloatArray:
    """At most ``limit`` clips (C, Dv): neighbours averaged, as many each as can be."""
    if len(features) <= limit:
        return features
    return np.stack([part.mean(axis=0) for part in np.array_split(features, limit)])


def centre(image: NDArray[np.uint8], side: int, share: float) -> NDArray[np.uint8]:
    """The central square of an image (h, w, 3), ``share`` of its shorter side, at (side, side)."""
    from PIL import Image

    height, width = image.shape[:2]
    half = min(height, width) * share / 2
    box = (width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half)
    small = Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR, box)
    return np.asarray(small)


def whole(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """An image (h, w, 3) squeezed as a whole to ``size`` (W, H): (H, W, 3)."""
    from PIL import Image

    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))

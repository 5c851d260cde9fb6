"""Sound cut to the sample: decoded, trimmed to the pictures' begin and end, encoded as AAC."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av import Packet
    from av.audio.stream import AudioStream

LEAD_S = 0.25  # decoded before the begin: codecs need what came before to be right
_LOOSE_S = 0.02  # stamps that are this far off are a container's rounding


class Cutter:
    """One track between two times. Samples wait until the pictures have come as far.

    ``begin_s`` is in the source's own time; the output's begins there with 0.
    """

    def __init__(self, source: AudioStream, target: AudioStream, begin_s: float) -> None:
        from av import AudioResampler

        self._source, self._target, self._begin_s = source, target, begin_s
        context = target.codec_context
        self._rate, self._layout = context.sample_rate, context.layout.name
        self._resampler = AudioResampler("fltp", self._layout, self._rate)
        self._waiting: list[NDArray[np.float32]] = []  # (channels, samples)
        self._sent = 0  # samples given to the encoder
        self._held = 0  # in ``_waiting``

    def take(self, packet: Packet, time_s: float) -> None:
        """Decode a packet that belongs at ``time_s``."""
        own_s = None if packet.pts is None else float(packet.pts * packet.time_base)
        for frame in self._source.decode(packet):
            late_s = 0.0 if frame.time is None or own_s is None else frame.time - own_s
            start = round((time_s + late_s - self._begin_s) * self._rate)
            for part in self._resampler.resample(frame):
                self._add(start, part.to_ndarray().astype(np.float32, copy=False))
                start += part.samples

    def released(self, end_s: Fraction | float) -> list[Packet]:
        """The encoded sound before ``end_s``, as far as it is there."""
        most = math.inf if math.isinf(end_s) else round((float(end_s) - self._begin_s) * self._rate)
        packets: list[Packet] = []
        while self._waiting and self._sent < most:
            chunk = self._waiting.pop(0)
            room = int(min(chunk.shape[1], most - self._sent))
            if room < chunk.shape[1]:
                self._waiting.insert(0, chunk[:, room:])
            self._held -= room
            packets += self._encoded(chunk[:, :room])
        return packets

    def rest(self, end_s: Fraction | float) -> list[Packet]:
        """The last of it, with silence where the sound ends before ``end_s``; the rest is left."""
        packets = self.released(end_s)
        if math.isfinite(end_s):
            missing = round((float(end_s) - self._begin_s) * self._rate) - self._sent
            if missing > 0:
                channels = self._target.codec_context.channels
                packets += self._encoded(np.zeros((channels, missing), np.float32))
        return [*packets, *self._target.encode(None)] if self._sent else packets

    def _add(self, start: int, samples: NDArray[np.float32]) -> None:
        """Append what begins at sample ``start``, without overlap; silence fills a gap."""
        reached = self._sent + self._held
        if reached > 0 and abs(start - reached) <= _LOOSE_S * self._rate:
            start = reached
        if start > reached:
            self._hold(np.zeros((len(samples), start - reached), np.float32))
        self._hold(samples[:, max(0, reached - start) :])

    def _hold(self, samples: NDArray[np.float32]) -> None:
        if samples.shape[1]:
            self._waiting.append(samples)
            self._held += samples.shape[1]

    def _encoded(self, samples: NDArray[np.float32]) -> list[Packet]:
        from av import AudioFrame

        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", self._layout)
        frame.sample_rate, frame.pts = self._rate, self._sent
        frame.time_base = Fraction(1, self._rate)
        self._sent += samples.shape[1]
        return list(self._target.encode(frame))

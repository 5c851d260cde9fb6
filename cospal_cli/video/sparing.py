"""Frames that nobody wants and no other frame is made from are not decoded: half of the B-frames.

They keep their places in the order and their times, which their packets say. That is done only
where every packet so far has a time stamp of its own and gave one frame, in that order.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from cospal_cli.video.timing import REACH

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.video.stream import VideoStream

_PICTURES = (1, 5)  # types of H.264's units that hold a picture's slices
_KNOWN = 8 * REACH  # stamps that are remembered


class Spared(NamedTuple):
    """Stands for a frame that was not decoded."""

    pts: int
    duration: int | None


class Sparing:
    """What to leave out of one pass, and where it would have come.

    Nothing is left out until ``wanted`` is set: whether the frame of a stamp is, given the stamp
    shown before it.
    """

    def __init__(self, stream: VideoStream, step: int) -> None:
        """``step``: ticks between frames at the nominal rate."""
        context = stream.codec_context
        self.wanted: Callable[[int, int], bool] | None = None
        self._prefix = _prefix(context.extradata) if context.name == "h264" else 0
        self._regular = self._prefix > 0
        self._fall = 2 * REACH * step
        self._stamps: list[int] = []  # of packets, in order, those in view included
        self._sent: list[int] = []  # of packets whose frames are to come, in order
        self._spared: list[Spared] = []

    def see(self, packet: Packet) -> None:
        """Take note of a packet as it comes into view."""
        stamp = packet.pts
        if not self._regular or (stamp is None and not packet.size):
            return
        at = 0 if stamp is None else bisect_left(self._stamps, stamp)
        if (
            stamp is None
            or stamp in self._stamps[at : at + 1]
            or (self._stamps and stamp < self._stamps[-1] - self._fall)
        ):
            self._regular = False
            return
        self._stamps.insert(at, stamp)
        if len(self._stamps) > 2 * _KNOWN:
            del self._stamps[:_KNOWN]

    def spares(self, packet: Packet, permuted: bool) -> bool:
        """Whether ``packet`` is to be left out; ``permuted``: stamps may be those of others."""
        if packet.pts is None:
            return False
        if permuted:
            self._regular = False
        if not self._regular:
            return False
        at = bisect_left(self._stamps, packet.pts)
        if (
            self.wanted is not None
            and at > 0
            and not packet.is_discard
            and not self.wanted(self._stamps[at - 1], packet.pts)
            and self._disposable(packet)
        ):
            insort(self._spared, Spared(packet.pts, packet.duration))
            return True
        insort(self._sent, packet.pts)
        return False

    def before(self, frame: VideoFrame) -> Iterator[Spared]:
        """What was left out before ``frame``, the next that the decoder gave."""
        if self._regular:
            first = self._sent.pop(0) if self._sent else None
            self._regular = frame.pts == first and not frame.interlaced_frame
        while self._spared and (frame.pts is None or self._spared[0].pts < frame.pts):
            yield self._spared.pop(0)

    def rest(self) -> Iterator[Spared]:
        """What was left out after the last frame."""
        while self._spared:
            yield self._spared.pop(0)

    def _disposable(self, packet: Packet) -> bool:
        """Whether the picture of a packet is one that no other refers to: H.264 says so first."""
        data, at = memoryview(packet), 0
        while at + self._prefix < len(data):
            head = data[at + self._prefix]
            if head & 31 in _PICTURES:
                return head >> 5 & 3 == 0
            at += self._prefix + int.from_bytes(data[at : at + self._prefix], "big")
        return False


def _prefix(header: bytes | None) -> int:
    """Bytes that say a unit's length, by an MP4's H.264 header; 0 where units are marked."""
    return (header[4] & 3) + 1 if header and len(header) > 6 and header[0] == 1 else 0

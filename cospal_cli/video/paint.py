"""From a source frame to the frame that is encoded: turned, even-sided, drawn on or cut out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.tube import Tube
from cospal_cli.video.canvas import Look
from cospal_cli.video.convert import converted
from cospal_cli.video.crop import CropPath
from cospal_cli.video.curves import PhraseCurve
from cospal_cli.video.draw import Annotator
from cospal_cli.video.reader import SourceFrame, VideoReader

if TYPE_CHECKING:
    from av import VideoFrame

_BT709 = (1, 9)  # colour matrices: BT.709, and BT.2020, which is nearer to it than to BT.601


class Painter(Protocol):
    """Makes each source frame into one to encode: yuv420p of one even size."""

    @property
    def size(self) -> tuple[int, int]:
        """(W, H) of the frames that it makes."""

    def paint(self, frame: SourceFrame) -> VideoFrame:
        """The frame to encode; its time stamps are left to the caller."""


class Upright:
    """The frame as it is displayed, its sides padded to even ones."""

    def __init__(self, reader: VideoReader, first: SourceFrame) -> None:
        from av.video.reformatter import VideoReformatter

        info = reader.info
        self._stored = (first.raw.width, first.raw.height)
        self._turn = reader.orientation
        self._even = (info.width + info.width % 2, info.height + info.height % 2)
        self._converter = VideoReformatter()

    @property
    def size(self) -> tuple[int, int]:
        """See ``Painter``."""
        return self._even

    def paint(self, frame: SourceFrame) -> VideoFrame:
        """See ``Painter``."""
        from av import VideoFrame
        from av.video.frame import PictureType

        raw = frame.raw
        full_range = raw.color_range == 2 or raw.format.name.startswith("yuvj")
        stored = converted(
            self._converter,
            raw,
            width=self._stored[0],
            height=self._stored[1],
            format="yuv420p",
            dst_color_range="MPEG" if full_range else None,
        )
        if self._turn.plain and self._even == self._stored:
            stored.make_writable()  # the decoder may still refer to it
            ready = stored
        else:
            ready = VideoFrame(*self._even, "yuv420p")
            ready.colorspace, ready.color_range = stored.colorspace, stored.color_range
            for source, place in zip(_planes(stored), _planes(ready), strict=True):
                _lay(self._turn.apply(source), place)
        ready.pict_type = PictureType.NONE  # the encoder decides anew which frames are keys
        return ready


class Annotated(Upright):
    """With tubes, a sentence and a time line drawn on it."""

    def __init__(
        self,
        reader: VideoReader,
        first: SourceFrame,
        tubes: Sequence[Tube],
        caption: str,
        curves: Sequence[PhraseCurve] = (),
    ) -> None:
        super().__init__(reader, first)
        info = reader.info
        length_s = reader.window.seconds(info.duration_s or 0.0, float(info.avg_fps))
        ends_s = [tube.span_s[1] for tube in tubes]
        shown_s = (first.time_s, max([first.time_s + length_s] if length_s else ends_s or [1.0]))
        matrix = "709" if first.raw.colorspace in _BT709 else "601"
        look = Look((info.width, info.height), matrix, float(info.sample_aspect))
        self._annotator = Annotator(look, tubes, caption, shown_s, curves)

    def paint(self, frame: SourceFrame) -> VideoFrame:
        """See ``Painter``."""
        ready = super().paint(frame)
        self._annotator.draw(_planes(ready), frame.index, frame.time_s)
        return ready


class Cropped(Upright):
    """What a window that follows the subject shows of it."""

    def __init__(self, reader: VideoReader, first: SourceFrame, path: CropPath) -> None:
        super().__init__(reader, first)
        self._path = path

    @property
    def size(self) -> tuple[int, int]:
        """See ``Painter``."""
        return self._path.size

    def paint(self, frame: SourceFrame) -> VideoFrame:
        """See ``Painter``."""
        from av import VideoFrame

        whole = super().paint(frame)
        left, top = self._path.corner(frame.pts)
        ready = VideoFrame(*self.size, "yuv420p")
        ready.colorspace, ready.color_range = whole.colorspace, whole.color_range
        for source, place, step in zip(_planes(whole), _planes(ready), (1, 2, 2), strict=True):
            height, width = place.shape
            place[:] = source[top // step :, left // step :][:height, :width]
        ready.pict_type = whole.pict_type
        return ready


def _planes(frame: VideoFrame) -> list[NDArray[np.uint8]]:
    """Writable views (height, width) of the frame's Y, U and V."""
    return [
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:, : plane.width]
        for plane in frame.planes
    ]


def _lay(source: NDArray[np.uint8], place: NDArray[np.uint8]) -> None:
    """Copy ``source`` to the top left of ``place`` and repeat its last row and column beyond."""
    height, width = source.shape
    place[:height, :width] = source
    place[:height, width:] = source[:, -1:]
    place[height:] = place[height - 1]

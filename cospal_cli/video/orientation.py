"""The display matrix of a container as one of the eight ways to lay a frame down."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av import VideoFrame


@dataclass(frozen=True)
class Orientation:
    """Swap the axes first, then mirror: every right-angle turn and flip is one of these."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False
    exact: bool = True  # False: the matrix has an angle between; the nearest was taken

    @property
    def plain(self) -> bool:
        """Whether the frame is shown as it is stored."""
        return not (self.transpose or self.flip_x or self.flip_y)

    @property
    def clockwise(self) -> int:
        """Degrees clockwise (0, 90, 180, 270) that are applied, the mirroring aside."""
        if self.transpose:
            return 270 if self.flip_y else 90
        return 180 if self.flip_y else 0

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Displayed (width, height) of a stored frame."""
        return (height, width) if self.transpose else (width, height)

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """``image`` (H, W) or (H, W, C) laid down for display: a view, not a copy."""
        if self.transpose:
            image = image.swapaxes(0, 1)
        return image[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]


def orientation(frame: VideoFrame) -> Orientation:
    """The orientation in the display matrix of ``frame``; plain where there is none."""
    try:
        data: Any = frame.side_data.get("DISPLAYMATRIX")
    except (
        ValueError
    ):  # side data of a kind that PyAV has no name for, such as Exif, hides the rest
        return _turned(frame.rotation)
    matrix = bytes(data or b"")
    if len(matrix) < 36:
        return Orientation()
    # x' = a x + c y and y' = b x + d y, y downwards, in 16.16 fixed point
    a, b, _, c, d = struct.unpack("=5i", matrix[:20])
    if not any((a, b, c, d)):
        return Orientation()
    straight, crossed = abs(a) + abs(d), abs(b) + abs(c)
    exact = min(straight, crossed) < 0.02 * max(straight, crossed)
    if crossed > straight:
        return Orientation(True, c < 0, b < 0, exact)
    return Orientation(False, a < 0, d < 0, exact)


def _turned(degrees: float) -> Orientation:
    """The orientation that a turn by ``degrees`` counter-clockwise makes."""
    quarter = round(degrees / 90) % 4
    exact = abs(degrees - 90 * round(degrees / 90)) < 1
    return Orientation(quarter % 2 == 1, quarter in (2, 3), quarter in (1, 2), exact)

"""Frames as Y, U and V planes, and what can be laid on them.

Text is rendered once into sprites; per frame only the touched patches are blended, so drawing
costs a fraction of a millisecond and the rest of the picture is not converted at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cospal_cli.core.arrays import FloatArray
from cospal_cli.video.palette import Colour

Plane = NDArray[np.uint8]

_LUMA = {"601": (0.299, 0.114), "709": (0.2126, 0.0722)}  # shares of red and blue


def ycbcr(rgb: NDArray[np.uint8] | Colour, matrix: str) -> NDArray[np.uint8]:
    """RGB (..., 3) as limited-range Y, Cb, Cr of ``matrix`` "601" or "709"."""
    red, blue = _LUMA[matrix]
    values = np.asarray(rgb, np.float32) / 255
    luma = values @ np.array([red, 1 - red - blue, blue], np.float32)
    cb = (values[..., 2] - luma) / (2 - 2 * blue)
    cr = (values[..., 0] - luma) / (2 - 2 * red)
    out = np.stack([16 + 219 * luma, 128 + 224 * cb, 128 + 224 * cr], axis=-1)
    return np.round(out).astype(np.uint8)


class Sprite:
    """An RGBA picture prepared for blending into planes; its sides are made even."""

    def __init__(self, picture: Image.Image, matrix: str) -> None:
        rgba = np.asarray(picture.convert("RGBA"))
        rgba = np.pad(rgba, ((0, rgba.shape[0] % 2), (0, rgba.shape[1] % 2), (0, 0)))
        self.height, self.width = rgba.shape[:2]
        colours = ycbcr(rgba[..., :3], matrix).astype(np.float32)
        alpha = rgba[..., 3].astype(np.float32) * (256 / 255)
        weighted = colours * alpha[..., None]
        # Chroma is shared by 2x2 pixels: average what each contributes, not the colours alone.
        self._layers = [
            _layer(weighted[..., 0], alpha),
            _layer(_halved(weighted[..., 1]), _halved(alpha)),
            _layer(_halved(weighted[..., 2]), _halved(alpha)),
        ]

    def blend(self, planes: Sequence[Plane], x: int, y: int) -> None:
        """Lay the sprite with its corner near (x, y), inside the frame as far as it fits."""
        x, y = x // 2 * 2, y // 2 * 2
        for plane, (light, cover), step in zip(planes, self._layers, (1, 2, 2), strict=True):
            patch = plane[y // step : y // step + len(light), x // step :][:, : light.shape[1]]
            light, cover = light[: patch.shape[0], : patch.shape[1]], cover[: patch.shape[0]]
            patch[:] = (patch * cover[:, : patch.shape[1]] + light) >> 8


@dataclass(frozen=True)
class Canvas:
    """A frame's three planes with the displayed ``size`` (W, H) inside them."""

    planes: Sequence[Plane]
    size: tuple[int, int]

    def fill(
        self, corners: tuple[int, int, int, int], colour: NDArray[np.uint8], opacity: float = 1.0
    ) -> None:
        """Fill the rectangle (x1, y1, x2, y2), cut to the frame, with a Y, Cb, Cr colour."""
        x1, x2 = (min(max(0, x), self.size[0]) for x in corners[0::2])
        y1, y2 = (min(max(0, y), self.size[1]) for y in corners[1::2])
        if x1 >= x2 or y1 >= y2:
            return
        cover = round(256 * opacity)
        for plane, value, step in zip(self.planes, colour.tolist(), (1, 2, 2), strict=True):
            patch = plane[y1 // step : -(-y2 // step), x1 // step : -(-x2 // step)]
            if cover == 256:
                patch[:] = value
            else:
                patch[:] = (patch * np.uint16(256 - cover) + np.uint16(value * cover)) >> 8

    def outline(
        self,
        box: FloatArray,
        stroke: tuple[int, int],
        colour: NDArray[np.uint8],
        opacity: float = 1.0,
    ) -> None:
        """The four sides of ``box`` xyxy, ``stroke`` (x, y) wide, drawn inwards from its edge."""
        x1, y1, x2, y2 = (round(float(side)) for side in box)
        wide, tall = stroke
        x2, y2 = max(x2, x1 + wide), max(y2, y1 + tall)
        for corners in (
            (x1, y1, x2, y1 + tall),
            (x1, y2 - tall, x2, y2),
            (x1, y1 + tall, x1 + wide, y2 - tall),
            (x2 - wide, y1 + tall, x2, y2 - tall),
        ):
            self.fill(corners, colour, opacity)


@dataclass(frozen=True)
class Look:
    """How large things are drawn on frames of the displayed ``size`` (W, H).

    ``aspect``: width / height of a pixel as it is displayed. Text and lines are drawn so that they
    look right there. ``matrix``: "601" or "709".
    """

    size: tuple[int, int]
    matrix: str = "601"
    aspect: float = 1.0

    @property
    def unit(self) -> float:
        """What sizes are measured by, in pixels of height.

        Upright phone videos are tall, yet have no more room for a line of text.
        """
        return min(self.size[1], 0.8 * self.size[0] * self.aspect)

    @cached_property
    def stroke(self) -> int:
        """How thick the answer's box is."""
        return max(2, round(self.unit / 200))

    @cached_property
    def font_size(self) -> int:
        """Of the sentence."""
        return max(11, round(0.036 * self.unit))

    @cached_property
    def small(self) -> int:
        """The size of smaller letters."""
        return max(10, round(0.72 * self.font_size))

    @property
    def lettered(self) -> bool:
        """Whether there is room for text; below, it would hide the picture."""
        return self.unit >= 110

    def colour(self, rgb: Colour) -> NDArray[np.uint8]:
        """As Y, Cb, Cr."""
        return _colour(rgb, self.matrix)

    def across(self, length: float) -> int:
        """The stored pixels of a horizontal length that looks like ``length`` vertical ones."""
        return max(1, round(length / self.aspect))

    def squeezed(self, picture: Image.Image) -> Image.Image:
        """``picture`` as stored, so that it is displayed as it is now."""
        if self.aspect == 1:
            return picture
        return picture.resize((self.across(picture.width), picture.height))

    def sprite(self, picture: Image.Image) -> Sprite:
        """``picture``, as it is to be displayed, ready for blending."""
        return Sprite(self.squeezed(picture), self.matrix)


@lru_cache(maxsize=64)
def _colour(rgb: Colour, matrix: str) -> NDArray[np.uint8]:
    return ycbcr(rgb, matrix)


def _halved(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of 2x2 blocks."""
    height, width = values.shape
    blocks: NDArray[np.float32] = values.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    return blocks


def _layer(
    weighted: NDArray[np.float32], alpha: NDArray[np.float32]
) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """(light to add, share of the ground to keep), both scaled by 256."""
    return np.round(weighted).astype(np.uint16), (256 - np.round(alpha)).astype(np.uint16)

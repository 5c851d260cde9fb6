"""Drawing tubes on frames, straight on the Y, U and V planes that the encoder takes.

Text is rendered once into sprites; per frame only the touched patches are blended, so drawing
costs a fraction of a millisecond and the rest of the picture is not converted at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cospal_cli.core.types import FloatArray, Tube
from cospal_cli.video import text as lettering
from cospal_cli.video.palette import INK, PAPER, Colour, colour_of

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
        x1, x2 = np.clip(corners[0::2], 0, self.size[0]).tolist()
        y1, y2 = np.clip(corners[1::2], 0, self.size[1]).tolist()
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


class Annotator:
    """Draws the tubes' boxes and labels, the sentence and a time line on frame after frame."""

    def __init__(
        self,
        size: tuple[int, int],
        tubes: Sequence[Tube],
        caption: str,
        shown_s: tuple[float, float],
        matrix: str = "601",
        aspect: float = 1.0,
    ) -> None:
        """``size`` (W, H) of the frames; ``shown_s`` the times that the time line covers.

        ``aspect``: width / height of a pixel as it is displayed. Text and lines are drawn so that
        they look right there.
        """
        self.size = size
        self.aspect = aspect
        self.tubes = tubes
        self.shown_s = (shown_s[0], max(shown_s[1], shown_s[0] + 1e-3))
        # Upright phone videos are tall, yet have no more room for a line of text.
        self.unit = min(size[1], 0.8 * size[0] * aspect)
        self.stroke = max(2, round(self.unit / 200))
        self.font_size = max(11, round(0.036 * self.unit))
        self.lettered = self.unit >= 110  # below, text would hide the picture
        self._matrix = matrix
        self._ink, self._paper = ycbcr(INK, matrix), ycbcr(PAPER, matrix)
        self._colours = [ycbcr(colour_of(n), matrix) for n in range(len(tubes))]
        self._labels = [self._label(number) for number in range(len(tubes))]
        self._panel = self._make_panel(lettering.one_line(caption))

    def draw(self, planes: Sequence[Plane], index: int, time_s: float) -> None:
        """Draw on the planes of the frame with this source ordinal and time, in place."""
        canvas = Canvas(planes, self.size)
        self._panel.blend(planes, 0, self.size[1] - self._panel.height)
        self._draw_cursor(canvas, time_s)
        for number in reversed(range(len(self.tubes))):  # the answer last, on top
            tube = self.tubes[number]
            row = index - int(tube.frame_indices[0])
            if 0 <= row < len(tube.frame_indices):
                self._draw_box(canvas, number, tube.boxes_xyxy[row])

    def _draw_box(self, canvas: Canvas, number: int, box: FloatArray) -> None:
        stroke = self.stroke if number == 0 else max(1, self.stroke // 2)
        edge = max(1, stroke // 3)
        side = self._across(edge)
        around = box + np.array([-side, -edge, side, edge], np.float32)
        canvas.outline(around, (side, edge), self._ink, 0.55)
        canvas.outline(box, (self._across(stroke), stroke), self._colours[number])
        label = self._labels[number]
        if label is None:
            return
        x = min(round(float(box[0])) - side, self.size[0] - label.width)
        above = round(float(box[1])) - edge - label.height
        label.blend(canvas.planes, max(0, x), above if above >= 0 else max(0, round(float(box[1]))))

    def _draw_cursor(self, canvas: Canvas, time_s: float) -> None:
        left, right, top, bottom = self._track()
        at = self._along(time_s)
        reach = max(2, (bottom - top) * 3 // 4)
        half = self._across(max(1, (bottom - top) // 3))
        corners = (max(left, at - half), top - reach, min(right, at + half), bottom + reach)
        canvas.fill(corners, self._paper)

    def _label(self, number: int) -> Sprite | None:
        """The tag of a tube: its class and score, on its colour."""
        if not self.lettered:
            return None
        tube = self.tubes[number]
        words = lettering.one_line(f"{tube.label or 'match'} {tube.score:.2f}")
        scale = 0.8 if number == 0 else 0.65
        size = max(10, round(self.font_size * scale))
        font = lettering.font_for(words, size)
        rows = lettering.fit(words, font, 0.45 * self.size[0] * self.aspect, 1)
        picture = lettering.render(rows, font, INK)
        side, top = round(0.45 * size), round(0.18 * size)
        colour = colour_of(number)
        tag = Image.new(
            "RGBA", (picture.width + 2 * side, picture.height + 2 * top), (*colour, 255)
        )
        tag.alpha_composite(picture, (side, top))
        return Sprite(self._squeezed(tag), self._matrix)

    def _make_panel(self, caption: str) -> Sprite:
        """The strip at the bottom, full width: a shade, the sentence, the time line."""
        width, height = self.size
        _, _, top, bottom = self._track()
        line_room = height - top
        words: Image.Image | None = None
        margin = round(0.025 * width)
        if caption and self.lettered:
            font = lettering.font_for(caption, self.font_size)
            room = (width - 2 * margin) * self.aspect
            words = self._squeezed(
                lettering.render(lettering.fit(caption, font, room, 2), font, PAPER)
            )
        pad = round(0.45 * self.font_size) if words else bottom - top
        tall = min(height, line_room + (words.height if words else 0) + 2 * pad)
        tall -= (height - tall) % 2  # the strip must begin on an even row
        shade = Image.linear_gradient("L").resize((width, tall))
        alpha = shade.point([round(40 + 140 * min(1.0, level / 40)) for level in range(256)])
        strip = Image.new("RGBA", (width, tall), (*INK, 255))
        strip.putalpha(alpha)
        if words:
            strip.alpha_composite(words, (margin, pad))
        self._paint_track(strip, height - tall)
        return Sprite(strip, self._matrix)

    def _paint_track(self, strip: Image.Image, above: int) -> None:
        """The time line with each tube's span, the answer's on top; ``above``: the strip's y."""
        left, right, top, bottom = self._track()
        line = Image.new("RGBA", strip.size)
        pen = ImageDraw.Draw(line)
        pen.rectangle((left, top - above, right - 1, bottom - above - 1), (*PAPER, 90))
        for number in reversed(range(len(self.tubes))):
            start, end = (self._along(time_s) for time_s in self.tubes[number].span_s)
            colour = colour_of(number)
            inset = 0 if number == 0 else (bottom - top) // 4
            pen.rectangle(
                (start, top - above + inset, max(start, end - 1), bottom - above - 1 - inset),
                (*colour, 255),
            )
        strip.alpha_composite(line)

    def _track(self) -> tuple[int, int, int, int]:
        """Left, right, top and bottom of the time line, in pixels."""
        width, height = self.size
        thick = max(2, round(self.unit / 120))
        margin = round(0.025 * width)
        bottom = height - max(2, round(0.022 * self.unit))
        return margin, max(margin + 1, width - margin), bottom - thick, bottom

    def _across(self, length: int) -> int:
        """The stored pixels of a horizontal length that looks like ``length`` vertical ones."""
        return max(1, round(length / self.aspect))

    def _squeezed(self, picture: Image.Image) -> Image.Image:
        """``picture`` as stored, so that it is displayed as it is now."""
        if self.aspect == 1:
            return picture
        return picture.resize((self._across(picture.width), picture.height))

    def _along(self, time_s: float) -> int:
        """x of a time on the time line."""
        left, right, _, _ = self._track()
        share = (time_s - self.shown_s[0]) / (self.shown_s[1] - self.shown_s[0])
        return round(left + min(1.0, max(0.0, share)) * (right - left))


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

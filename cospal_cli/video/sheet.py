"""Still pictures of a tube: a contact sheet along its time, and a single frame of it.

sheet = contact_sheet(Moment(Path("clip.mp4"), tube))   # a Pillow image, RGB
sheet.save("clip.sheet.jpg", quality=80)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from cospal_cli.core import files
from cospal_cli.core.arrays import FloatArray
from cospal_cli.video import text as lettering
from cospal_cli.video.moment import Moment, along, clock, pictures
from cospal_cli.video.palette import INK, PALETTE, PAPER, Colour

_FINE = 4  # lines are drawn this many times as large, then made smaller: smooth edges
_SHAPE = 2.4  # width by height that a sheet comes near


class StillShot(NamedTuple):
    """One picture of a sheet."""

    picture: Image.Image  # RGB
    boxes: Sequence[FloatArray | None]  # xyxy in pixels of the picture, the first on top
    time_s: float


def contact_sheet(
    moment: Moment, cells: int = 8, side: int = 320, title: str = "", colour: Colour = PALETTE[0]
) -> Image.Image:
    """Up to ``cells`` frames evenly along the tube, its first and last among them, RGB.

    Each is at most ``side`` pixels long, with the box in ``colour`` and its time below, in seconds
    from the source's first frame. ``title``: a line above them. InputError where the video cannot
    be read or is not the tube's.
    """
    rows = along(moment.tube, cells)
    return composed(_shots(moment, rows, side), title, (colour,))


def thumbnail(moment: Moment, side: int = 640, colour: Colour | None = PALETTE[0]) -> Image.Image:
    """The frame in which the tube is surest and largest, at most ``side`` pixels long, RGB.

    With its box in ``colour``; None: without. InputError as ``contact_sheet``.
    """
    (shot,) = _shots(moment, [clearest(moment)], side)
    return shot.picture if colour is None else boxed(shot, (colour,))


def clearest(moment: Moment) -> int:
    """The tube's row whose box is surest and largest; among equals the one nearest the middle."""
    boxes, scores = moment.tube.boxes_xyxy, moment.tube.box_scores
    sides = np.clip(boxes[:, 2:] - boxes[:, :2], 1, None)
    worth = scores * np.sqrt(sides.prod(axis=1)) * np.where(moment.tube.interpolated, 0.8, 1)
    middle = np.abs(np.arange(len(worth)) - (len(worth) - 1) / 2)
    return int(np.lexsort((middle, -np.round(worth, 3)))[0])


def write_sheet(moment: Moment, target: Path, title: str = "") -> None:
    """``contact_sheet`` as PNG, whole or not at all. DeviceError when the disk is full."""
    _save(contact_sheet(moment, title=title), target)


def write_thumbnail(moment: Moment, target: Path) -> None:
    """``thumbnail`` as PNG, whole or not at all. DeviceError when the disk is full."""
    _save(thumbnail(moment), target)


def composed(
    shots: Sequence[StillShot], title: str = "", colours: Sequence[Colour] = PALETTE
) -> Image.Image:
    """The pictures of ``shots``, all of one size, in rows, each with its boxes and time below."""
    width, height = shots[0].picture.size
    columns = grid(len(shots), width / height)
    lines = -(-len(shots) // columns)
    gap, size = max(4, max(width, height) // 40), max(11, max(width, height) // 20)
    below, above = round(1.7 * size), round(2.4 * size) if title else gap
    across = columns * (width + gap) + gap
    digits = 1 if all(b.time_s - a.time_s > 0.15 for a, b in pairwise(shots)) else 2
    sheet = Image.new("RGB", (across, above + lines * (height + below) + gap // 2), INK)
    if title:
        _write(sheet, title, (gap, 0, across - gap, above), round(1.2 * size))
    for number, shot in enumerate(shots):
        x, y = gap + number % columns * (width + gap), above + number // columns * (height + below)
        sheet.paste(boxed(shot, colours), (x, y))
        place = (x, y + height, x + width, y + height + below)
        _write(sheet, clock(shot.time_s, digits), place, size, centred=True)
    return sheet


def grid(count: int, aspect: float) -> int:
    """How many of ``count`` pictures of this width by height stand in a row of a sheet."""

    def cost(columns: int) -> float:
        lines = -(-count // columns)
        empty = lines * columns - count
        return empty + abs(math.log(columns * aspect / lines / _SHAPE))

    return min(range(1, count + 1), key=cost)


def boxed(shot: StillShot, colours: Sequence[Colour]) -> Image.Image:
    """The picture of ``shot`` with its boxes, each in its colour with a dark line around."""
    width, height = shot.picture.size
    usual = max(1.6, max(width, height) / 130)
    lines = Image.new("RGBA", (width * _FINE, height * _FINE), (*INK, 0))
    pen = ImageDraw.Draw(lines)
    for box, colour in reversed(list(zip(shot.boxes, colours, strict=False))):
        if box is None:
            continue
        x1, y1, x2, y2 = (float(side) * _FINE for side in box)
        # Outside the box, so that even a small subject can be seen.
        stroke = min(usual, max(1, 0.15 * min(x2 - x1, y2 - y1) / _FINE))
        for shade, out in ((INK, 1.5 * stroke), (colour, stroke)):
            reach = out * _FINE
            corners = (x1 - reach, y1 - reach, max(x1, x2) + reach, max(y1, y2) + reach)
            pen.rectangle(corners, outline=(*shade, 255), width=max(1, round(reach)))
    picture = shot.picture.convert("RGBA")
    picture.alpha_composite(lines.reduce(_FINE))
    return picture.convert("RGB")


def _shots(moment: Moment, rows: Sequence[int], side: int) -> list[StillShot]:
    """The frames of the tube's ``rows`` as displayed on square pixels, with its boxes."""
    frames = pictures(moment, rows, side)
    shots = []
    for row, image in zip(rows, frames.images, strict=True):
        picture = Image.fromarray(image)
        wide, tall = squared(picture.size, frames.aspect, side)
        picture = picture.resize((wide, tall)) if picture.size != (wide, tall) else picture
        scale = np.array([wide / frames.size[0], tall / frames.size[1]] * 2, np.float32)
        box = moment.tube.boxes_xyxy[row] * scale
        shots.append(StillShot(picture, (box,), float(moment.tube.times_s[row])))
    return shots


def squared(size: tuple[int, int], aspect: Fraction, side: int) -> tuple[int, int]:
    """The size at which pixels of ``aspect`` (width by height) look right, ``side`` at most."""
    wide, tall = size[0] * max(1, float(aspect)), size[1] / min(1, float(aspect))
    scale = min(1, side / max(wide, tall))
    return max(1, round(wide * scale)), max(1, round(tall * scale))


def _write(
    sheet: Image.Image,
    words: str,
    place: tuple[int, int, int, int],
    size: int,
    centred: bool = False,
) -> None:
    """One line of text in the rectangle ``place``, in its middle by height."""
    left, top, right, bottom = place
    shown = lettering.one_line(words)
    font = lettering.font_for(shown, size)
    picture = lettering.render(lettering.fit(shown, font, right - left, 1), font, PAPER)
    x = left + (right - left - picture.width) // 2 if centred else left
    sheet.paste(picture, (x, top + (bottom - top - picture.height) // 2), picture)


def _save(picture: Image.Image, target: Path) -> None:
    with files.replacing(target) as part, open(part, "wb") as file:
        picture.save(file, "PNG")

"""Contact sheets for a page: a few frames along each tube, with its box, as JPEG data."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.core.errors import CospalError
from cospal_cli.core.progress import Progress, never, silent
from cospal_cli.settings import VideoConfig

if TYPE_CHECKING:
    from PIL.Image import Image

Box = tuple[float, float, float, float]  # xyxy, pixels of the displayed frame
CELLS = 8
ALL_BYTES = 15_000_000  # of all sheets of a page; text takes a third more than bytes
MOST_BYTES, LEAST_BYTES = 120_000, 6_000  # of one
_TRIES = ((240, 82), (200, 78), (160, 74), (128, 66), (104, 58), (80, 50))  # cell width, quality
COLOURS = ((255, 193, 7), (64, 196, 255))  # of a shot's boxes in turn: the tube, the truth


@dataclass(frozen=True)
class PageShot:
    """A frame of the source and the boxes to draw on it."""

    frame: int
    time_s: float
    boxes: tuple[Box | None, ...]


@dataclass(frozen=True)
class SheetOrder:
    """What a sheet is to show. ``bytes`` of the video's file and ``size``: if it must have them."""

    video: str
    bytes: int | None
    size: tuple[int, int] | None
    stream: int | None
    shots: tuple[PageShot, ...]


@dataclass(frozen=True)
class PageSheet:
    """A picture as a data URI, or the reason why there is none."""

    uri: str = ""
    size: tuple[int, int] = (0, 0)
    why_not: str = ""


def spread(count: int, most: int) -> list[int]:
    """Up to ``most`` positions of ``count``, evenly from the first to the last."""
    if count <= most:
        return list(range(count))
    return [round(at * (count - 1) / (most - 1)) for at in range(most)]


def sheets(
    orders: Sequence[tuple[SheetOrder | None, Path | None]],
    progress: Progress = silent,
    stopped: Callable[[], bool] = never,
) -> list[PageSheet]:
    """A sheet for each order and the path of its video (None: it is not there).

    Each video is decoded once, up to the last frame that is wanted. A video that cannot be read,
    or has changed, costs its own sheets only.
    """
    made: list[PageSheet] = [PageSheet() for _ in orders]
    by_video: dict[tuple[Path, int | None], list[int]] = {}
    for at, (order, path) in enumerate(orders):
        if order is not None and path is None:
            made[at] = PageSheet(why_not="the video is not here")
        elif order is not None and path is not None:
            by_video.setdefault((path, order.stream), []).append(at)
    wanted = max(1, sum(map(len, by_video.values())))
    budget = min(MOST_BYTES, max(LEAST_BYTES, ALL_BYTES // wanted))
    left = ALL_BYTES
    for (path, stream), places in by_video.items():
        own = {at: order for at in places if (order := orders[at][0]) is not None}
        for at, sheet in _of_video(path, stream, own, budget, stopped):
            left -= len(sheet.uri) * 3 // 4
            made[at] = sheet if left > 0 else PageSheet(why_not="the page has no room for more")
    return made


def _of_video(
    path: Path,
    stream: int | None,
    orders: Mapping[int, SheetOrder],
    budget: int,
    stopped: Callable[[], bool],
) -> Iterator[tuple[int, PageSheet]]:
    """The sheets of one video, by place."""
    frames: dict[int, Image] = {}
    why_not = ""
    wanted = {shot.frame for order in orders.values() for shot in order.shots}
    try:
        frames, size = _frames(path, wanted, stream, stopped)
    except CospalError as error:
        why_not, size = f"the video cannot be read: {error.message}", (0, 0)
    for at, order in orders.items():
        if why_not:
            yield at, PageSheet(why_not=why_not)
        elif (order.size or size) != size or _other_bytes(path, order.bytes):
            yield at, PageSheet(why_not="the video has changed since")
        else:
            yield at, _sheet(order.shots, frames, size, budget)


def _frames(
    path: Path, wanted: set[int], stream: int | None, stopped: Callable[[], bool]
) -> tuple[dict[int, Image], tuple[int, int]]:
    """The frames with these numbers that there are, reduced, and the full size."""
    from PIL import Image

    from cospal_cli.video.reader import VideoReader

    config = VideoConfig() if stream is None else replace(VideoConfig(), stream=stream)
    found: dict[int, Image.Image] = {}
    with VideoReader(path, config) as reader:
        size = (reader.info.width, reader.info.height)
        scale = min(1.0, 2 * _TRIES[0][0] / size[0])
        for frame in reader.frames():
            if frame.index in wanted:
                found[frame.index] = Image.fromarray(reader.picture(frame.raw, scale))
            if len(found) == len(wanted) or stopped():
                break
    return found, size


def _other_bytes(path: Path, expected: int | None) -> bool:
    return expected is not None and path.is_file() and os.stat(path).st_size != expected


def _sheet(
    wanted: Sequence[PageShot], frames: Mapping[int, Image], size: tuple[int, int], budget: int
) -> PageSheet:
    """The largest sheet of at most ``budget`` bytes, or else the smallest there is."""
    shots = [shot for shot in wanted if shot.frame in frames]
    if not shots:
        return PageSheet(why_not="none of the frames can be read")
    for width, quality in _TRIES:
        picture = compose(shots, frames, size, width)
        buffer = BytesIO()
        picture.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= budget:
            break
    data = b64encode(buffer.getvalue()).decode("ascii")
    return PageSheet(f"data:image/jpeg;base64,{data}", picture.size)


def compose(
    shots: Sequence[PageShot], frames: Mapping[int, Image], size: tuple[int, int], width: int
) -> Image:
    """The frames side by side in two rows, upright ones in one, with boxes, times below.

    ``size``: of the displayed frame, whose pixels the boxes count; ``width``: of one picture where
    it is lying; an upright one is as high.
    """
    from PIL import Image, ImageDraw, ImageFont

    tall = size[1] > size[0]
    scale = (width / size[1]) if tall else width / size[0]
    cell = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    columns = len(shots) if tall else min(4, len(shots))
    rows = -(-len(shots) // columns)
    gap, band = 4, max(12, round(width / 12))
    sheet = Image.new(
        "RGB",
        (columns * (cell[0] + gap) - gap, rows * (cell[1] + band + gap) - gap),
        (24, 24, 28),
    )
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(max(9, band - 3))
    for number, shot in enumerate(shots):
        x = number % columns * (cell[0] + gap)
        y = number // columns * (cell[1] + band + gap)
        sheet.paste(_drawn(frames[shot.frame].resize(cell), shot, scale), (x, y))
        text = f"{shot.time_s:.2f} s"
        pen.text((x + cell[0] / 2, y + cell[1] + band / 2), text, (235, 235, 240), font, "mm")
    return sheet


def _drawn(picture: Image, shot: PageShot, scale: float) -> Image:
    """``picture`` with the shot's boxes, the last below."""
    from PIL import ImageDraw

    pen = ImageDraw.Draw(picture)
    stroke = max(2, round(picture.width / 100))
    for box, colour in reversed(list(zip(shot.boxes, COLOURS, strict=False))):
        if box is not None:
            limits = (picture.width, picture.height) * 2
            x1, y1, x2, y2 = (
                min(max(side * scale, -9.0), most + 9.0)
                for side, most in zip(box, limits, strict=True)
            )
            corners = (x1, y1, max(x1, x2 - 1), max(y1, y2 - 1))
            pen.rectangle(corners, outline=(18, 18, 22), width=stroke + 2)
            inner = [corners[0] + 1, corners[1] + 1, corners[2] - 1, corners[3] - 1]
            if inner[0] <= inner[2] and inner[1] <= inner[3]:
                pen.rectangle(inner, outline=colour, width=stroke)
    return picture

"""Contact sheets for a page: a few frames along each tube, with its box, as JPEG data."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cospal_cli.core.errors import CospalError
from cospal_cli.core.progress import Progress, never, silent
from cospal_cli.core.tube import Tube
from cospal_cli.settings import VideoConfig

if TYPE_CHECKING:
    from PIL.Image import Image

Box = tuple[float, float, float, float]  # xyxy, pixels of the displayed frame
CELLS = 8
ALL_BYTES = 15_000_000  # of all sheets of a page; text takes a third more than bytes
MOST_BYTES, LEAST_BYTES = 120_000, 6_000  # of one
TOGETHER = 40  # sheets of one video whose frames are held at the same time
_TRIES = ((320, 82), (260, 80), (210, 78), (170, 74), (136, 66), (108, 58), (84, 50))


@dataclass(frozen=True)
class PageShot:
    """A frame of the source and the boxes to draw on it."""

    frame: int
    time_s: float
    boxes: tuple[Box | None, ...]
    pts: int | None = None  # its time stamp, where it is known


@dataclass(frozen=True)
class SheetOrder:
    """What a sheet is to show. ``bytes`` of the video's file and ``size``: if it must have them."""

    video: str
    bytes: int | None
    size: tuple[int, int] | None
    shots: tuple[PageShot, ...]
    config: VideoConfig = field(default_factory=VideoConfig)  # how the video is read
    straight: bool = False  # see ``video.moment.Moment``


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
    by_video: dict[tuple[Path, VideoConfig, bool], dict[int, SheetOrder]] = {}
    for at, (order, path) in enumerate(orders):
        if order is None:
            continue
        if path is None or _other_bytes(path, order.bytes):
            why = "is not here" if path is None else "has changed since"
            made[at] = PageSheet(why_not=f"the video {why}")
        else:
            by_video.setdefault((path, order.config, order.straight), {})[at] = order
    wanted = max(1, sum(map(len, by_video.values())))
    budget = min(MOST_BYTES, max(LEAST_BYTES, ALL_BYTES // wanted))
    left = ALL_BYTES
    progress("sheets", 0, wanted)
    done = 0
    for (path, *_), of_video in by_video.items():
        places = list(of_video)
        for first in range(0, len(places), TOGETHER):
            some = {at: of_video[at] for at in places[first : first + TOGETHER]}
            for at, sheet in _of_video(path, some, budget, stopped):
                left -= len(sheet.uri) * 3 // 4
                made[at] = sheet if left > 0 else PageSheet(why_not="the page has no room for more")
            done += len(some)
            progress("sheets", done, wanted)
    return made


def _of_video(
    path: Path, orders: Mapping[int, SheetOrder], budget: int, stopped: Callable[[], bool]
) -> Iterator[tuple[int, PageSheet]]:
    """The sheets of one video, by place."""
    if stopped():
        yield from ((at, PageSheet(why_not="interrupted")) for at in orders)
        return
    try:
        frames, size = _frames(path, list(orders.values()))
    except CospalError as error:
        yield from (
            (at, PageSheet(why_not=f"the video cannot be read: {error.message}")) for at in orders
        )
        return
    for at, order in orders.items():
        if (order.size or size) != size:
            yield at, PageSheet(why_not="the video has changed since")
        else:
            yield at, _sheet(order.shots, frames, size, budget)


def _frames(path: Path, orders: Sequence[SheetOrder]) -> tuple[dict[int, Image], tuple[int, int]]:
    """Every frame that the orders want, by number, on square pixels, and the full size."""
    from PIL import Image

    from cospal_cli.video.moment import Moment, pictures
    from cospal_cli.video.sheet import squared

    shots = {shot.frame: shot for order in orders for shot in order.shots}
    wanted = [shots[frame] for frame in sorted(shots)]
    straight = orders[0].straight and all(shot.pts is not None for shot in wanted)
    moment = Moment(path, _tube(wanted), orders[0].config, straight)
    side = _TRIES[0][0]
    found = pictures(moment, range(len(wanted)), side)
    shown = squared(found.images[0].shape[1::-1], found.aspect, side)
    images = {
        shot.frame: Image.fromarray(image).resize(shown)
        for shot, image in zip(wanted, found.images, strict=True)
    }
    return images, found.size


def _tube(shots: Sequence[PageShot]) -> Tube:
    """A tube that has these frames alone."""
    count = len(shots)
    return Tube(
        id=0,
        frame_indices=np.array([shot.frame for shot in shots], np.int64),
        pts=np.array([shot.pts or 0 for shot in shots], np.int64),
        times_s=np.array([shot.time_s for shot in shots], np.float64),
        boxes_xyxy=np.zeros((count, 4), np.float32),
        box_scores=np.ones(count, np.float32),
        interpolated=np.zeros(count, np.bool_),
        span_s=(0.0, 1.0),
        score=0.0,
    )


def _other_bytes(path: Path, expected: int | None) -> bool:
    return expected is not None and path.is_file() and os.stat(path).st_size != expected


def _sheet(
    shots: Sequence[PageShot], frames: Mapping[int, Image], size: tuple[int, int], budget: int
) -> PageSheet:
    """About the largest sheet of at most ``budget`` bytes, or else the smallest there is."""
    at = _first(budget)
    while True:
        side, quality = _TRIES[at]
        sheet = _composed(shots, frames, size, side)
        buffer = BytesIO()
        sheet.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= budget or at == len(_TRIES) - 1:
            break
        # Bytes go with the pictures' areas: few sizes are tried, not all.
        fitting = side * (budget / buffer.tell()) ** 0.5
        at = next((one for one, (less, _) in enumerate(_TRIES) if one > at and less <= fitting), -1)
        at = at if at > 0 else len(_TRIES) - 1
    data = b64encode(buffer.getvalue()).decode("ascii")
    return PageSheet(f"data:image/jpeg;base64,{data}", sheet.size)


def _first(budget: int) -> int:
    """The first size that is worth a try: a busy picture has a byte for four pixels or more."""
    most = (4 * budget / CELLS) ** 0.5 * 2
    return next((at for at, (side, _) in enumerate(_TRIES) if side <= most), len(_TRIES) - 1)


def _composed(
    shots: Sequence[PageShot], frames: Mapping[int, Image], size: tuple[int, int], side: int
) -> Image:
    """The frames of ``shots`` in rows, each at most ``side`` pixels long."""
    from cospal_cli.video.sheet import StillShot, composed

    rows = []
    for shot in shots:
        picture = frames[shot.frame].copy()
        picture.thumbnail((side, side))
        boxes = [box and _scaled(box, size, picture.size) for box in shot.boxes]
        rows.append(StillShot(picture, boxes, shot.time_s))
    return composed(rows)


def _scaled(box: Box, size: tuple[int, int], shown: tuple[int, int]) -> np.ndarray:
    """``box`` in pixels of a picture of the size ``shown``, near enough to be drawn."""
    scale = np.array([shown[0] / size[0], shown[1] / size[1]] * 2)
    return np.clip(np.array(box) * scale, -99, np.array(shown * 2) + 99).astype(np.float32)

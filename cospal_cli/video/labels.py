"""Where the labels of several boxes go: each near its box, none on another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cospal_cli.core.arrays import FloatArray


class Rect(NamedTuple):
    """Half-open, whole pixels."""

    left: int
    top: int
    right: int
    bottom: int

    def meets(self, other: Rect) -> bool:
        """Whether the two share a pixel."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


def places(
    boxes: Sequence[FloatArray],
    sizes: Sequence[tuple[int, int]],
    room: tuple[int, int],
    gap: int = 2,
) -> list[Rect | None]:
    """A place in ``room`` (W, H) for the label of each of ``boxes`` (4,) xyxy, the best box first.

    ``sizes`` (W, H) are the labels'. No two overlap; each is as near to its box as those before it
    allow, above it if possible. None where no place is left.
    """
    taken: list[Rect] = []
    found: list[Rect | None] = []
    for box, size in zip(boxes, sizes, strict=True):
        near = (place for place in _near(box, size, room, gap) if _free(place, taken))
        place = next(near, None) or _nearest(box, size, room, taken)
        if place is not None:
            taken.append(place)
        found.append(place)
    return found


def _free(place: Rect, taken: Sequence[Rect]) -> bool:
    return not any(place.meets(other) for other in taken)


def _near(
    box: FloatArray, size: tuple[int, int], room: tuple[int, int], gap: int
) -> Iterator[Rect]:
    """Places at the box, the best first: above, inside at the top, below, inside, at its sides."""
    left, top, right, bottom = (round(float(side)) for side in box)
    width, height = size
    for x, y in (
        (left - gap, top - gap - height),
        (right + gap - width, top - gap - height),
        (left, top),
        (left - gap, bottom + gap),
        (right + gap - width, bottom + gap),
        (right - width, top),
        (left, bottom - height),
        (right - width, bottom - height),
        (right + gap, top),
        (left - gap - width, top),
    ):
        place = _within(x, y, size, room)
        if place is not None and place.top == y:  # moved sideways it is still at the box
            yield place


def _nearest(
    box: FloatArray, size: tuple[int, int], room: tuple[int, int], taken: Sequence[Rect]
) -> Rect | None:
    """The free place nearest to the box's upper left corner, in line with a taken one."""
    width, height = size
    left, top = round(float(box[0])), round(float(box[1]))
    columns = {left, 0, room[0] - width}
    rows = {top, 0, room[1] - height}
    for other in taken:
        columns |= {other.right, other.left - width}
        rows |= {other.bottom, other.top - height}
    best: tuple[float, Rect] | None = None
    for x in columns:
        for y in rows:
            place = _within(x, y, size, room)
            if place is None or not _free(place, taken):
                continue
            away = (place.left - left) ** 2 + (place.top - top) ** 2
            if best is None or (away, place) < best:
                best = (away, place)
    return None if best is None else best[1]


def _within(x: int, y: int, size: tuple[int, int], room: tuple[int, int]) -> Rect | None:
    """The place moved into ``room``; None where it is too large for it."""
    width, height = size
    if width > room[0] or height > room[1]:
        return None
    x, y = min(max(0, x), room[0] - width), min(max(0, y), room[1] - height)
    return Rect(x, y, x + width, y + height)

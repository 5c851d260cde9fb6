"""Reading annotation files, which may hold anything: text, numbers, boxes and spans, checked."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core import reading
from cospal_cli.core.errors import InputError
from cospal_cli.core.fitting import numbers
from cospal_cli.core.foreign import reason, short
from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.datasets.records import Bad

Boxes = NDArray[np.float64]


def read_object(path: Path) -> tuple[JsonDict, list[str]]:
    """The object in a file, and the keys that occur twice; the first value of each counts.

    Raises Bad of kind bad-file.
    """
    again: list[str] = []

    def merged(pairs: list[tuple[str, object]]) -> JsonDict:
        row: JsonDict = {}
        again.clear()  # objects are finished from the inside out: the last one is the outermost
        for key, value in pairs:
            if key in row:
                again.append(key)
            else:
                row[key] = value
        return row

    value = read_json(path, merged)
    if not isinstance(value, dict):
        raise Bad("bad-file", f"holds {short(value)} instead of an object")
    return value, again


def sentence(value: object) -> str:
    """A sentence on one line, without spaces around; Bad where it is blank or not text."""
    text = " ".join(value.split()) if isinstance(value, str) else ""
    if not text:
        raise Bad("no-sentence", f"found {short(value)}")
    return text


def number(row: Json, key: str, kind: str = "bad-record") -> float:
    """The finite number at ``key``, else Bad of ``kind``."""
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
        raise Bad(kind, f"{key}: expected a number, found {short(value)}")
    return value


def rate(row: Json) -> float:
    """The positive number of frames per second at ``fps``, else Bad."""
    fps = number(row, "fps")
    if fps <= 0:
        raise Bad("bad-record", f"fps: expected a positive number, found {fps}")
    return fps


def whole(row: Json, key: str, least: int, kind: str = "bad-record") -> int:
    """The whole number of at least ``least`` at ``key``, else Bad of ``kind``."""
    value = number(row, key, kind)
    if value != int(value) or value < least or value > 2**31:
        raise Bad(kind, f"{key}: expected a whole number from {least} on, found {short(value)}")
    return int(value)


def table(value: object, what: str, kind: str = "bad-record") -> Json:
    """``value`` if it is an object, else Bad of ``kind``."""
    if not isinstance(value, dict):
        raise Bad(kind, f"{what}: expected an object, found {short(value)}")
    return value


def four(values: object) -> Boxes:
    """Rows of four numbers (B, 4), finite or not; Bad where they are none."""
    try:
        return numbers(values, 4)
    except (ValueError, OverflowError) as error:
        raise Bad("bad-box", reason(error)) from error


def boxes_within(boxes: Boxes, size: tuple[int, int], first: int = 0) -> tuple[Boxes, int]:
    """xyxy ``boxes`` (B, 4) cut to a frame of ``size``, and how many had to be cut.

    Bad names the frame (the first row is ``first``) of a box that is not finite or has no area,
    or none inside the frame.
    """
    width, height = size
    inside = np.clip(boxes, 0, [width, height, width, height])
    with np.errstate(invalid="ignore"):
        good = np.isfinite(boxes).all(axis=1) & (inside[:, 2:] > inside[:, :2]).all(axis=1)
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        where = f"{(~good).sum()} of {len(boxes)}, the first at frame {first + row}"
        raise Bad("bad-box", f"{where}: xyxy {boxes[row].tolist()} in {width}x{height}")
    return inside, int((inside != boxes).any(axis=1).sum())


def read_json(path: Path, hook: Any = None) -> Any:
    """The value in a JSON file; ``hook`` makes its objects. Raises Bad of kind bad-file."""
    try:
        return reading.read_json(path, InputError, limit=reading.LARGE, pairs=hook)
    except InputError as error:
        raise Bad(
            "bad-file", f"cannot be read: {error.message.removeprefix(f'{path}: ')}"
        ) from error


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond every float
        return False

"""JSON from elsewhere, checked for what it should be.

A field of another type is never turned into the right one: a table of scores would not show it.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from cospal_cli.core.errors import InputError
from cospal_cli.core.foreign import reason
from cospal_cli.core.json_types import Json
from cospal_cli.core.reading import LARGE, parse_json, read_bytes, read_json

ROW = {"video", "query", "status", "id"}  # what every line of a batch has, and no document
UNMADE = ("failed", "differs")  # states of a line that has no document of its run


class Malformed(ValueError):
    """A field that is missing or of a wrong kind; the text says which and what was found."""


def documents(path: Path, kind: str = "predictions from") -> list[object]:
    """The JSON values in a file: one, or one a line. Malformed where it is neither.

    A line of a batch's ``results.jsonl`` stands for the document that it names. One that cannot be
    read, such as the last of a run that was killed, or that tells of a failure, is its Malformed;
    ``table`` raises it. ``kind``: what the user is told that it was read for. InputError where the
    file cannot be read.
    """
    about = f"cannot read {kind} {str(path)!r}"
    data = read_bytes(path, InputError, "check the path", LARGE, about)
    try:
        return [_followed(parse_json(data), path)]
    except ValueError as error:
        values = [_line(line) for line in data.splitlines() if line.strip()]
        if len(values) < 2 or not any(isinstance(one, dict) for one in values):
            raise Malformed(reason(error)) from error
        return [_followed(value, path) for value in values]


def table(value: object, what: str) -> Json:
    """An object."""
    if isinstance(value, Malformed):
        raise value
    if not isinstance(value, dict):
        raise _wrong(value, what, "an object")
    return value


def rows(value: object, what: str) -> list[object]:
    """A list."""
    if not isinstance(value, list):
        raise _wrong(value, what, "a list")
    return value


def text(value: object, what: str) -> str:
    """Text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise _wrong(value, what, "text")
    return value


def whole(value: object, what: str, least: int) -> int:
    """A whole number of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**31:
        raise _wrong(value, what, f"a whole number from {least} on")
    return value


def box(value: Any, what: str) -> list[float]:
    """Four finite numbers, left < right and top < bottom or equal."""
    good = isinstance(value, list) and len(value) == 4 and all(map(_finite, value))
    if not good or value[0] > value[2] or value[1] > value[3]:
        raise _wrong(value, what, "[left, top, right, bottom]")
    return [float(side) for side in value]


def document_of(lines: Path, name: str) -> Path:
    """The file that a line of ``lines`` names: as the batch saw it, or beside the lines."""
    parts = Path(name).parts
    near = [lines.parent.joinpath(*parts[at:]) for at in range(len(parts))]
    with suppress(OSError, ValueError):  # a name that no system takes
        return next((path for path in (Path(name), *near) if path.is_file()), Path(name))
    return Path(name)


def _followed(value: object, path: Path) -> object:
    """The document that a line of a batch is about, or why there is none; others as they are."""
    if not isinstance(value, dict) or not value.keys() >= ROW:
        return value
    if "json" not in value or value["status"] in UNMADE:
        words = [value["video"], value["status"], value.get("reason")]
        return Malformed(": ".join(str(word) for word in words if word))
    try:
        return read_json(document_of(path, str(value["json"])), InputError, limit=LARGE)
    except InputError as error:
        return Malformed(error.message)


def _line(data: bytes) -> object:
    try:
        return parse_json(data)
    except ValueError as error:
        return Malformed(reason(error))


def _finite(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e9  # not NaN, and its area is finite too


def _wrong(value: object, what: str, wanted: str) -> Malformed:
    actual = "nothing" if value is None else f"{value!r:.60}"
    return Malformed(f"{what}: expected {wanted}, found {actual}")

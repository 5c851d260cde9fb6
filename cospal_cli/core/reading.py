"""Small files of text, JSON and JSON Lines, which may be damaged: one way to read them all.

Only regular files are opened: a pipe would block, a device never ends. A size above the limit is
refused before anything is read; a byte order mark is not part of the text; JSON nested deeper than
``DEEPEST`` is refused, so that whoever walks it cannot run out of stack. Each function raises its
``kind`` of error, naming the file, and DeviceError where memory or files run out.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from cospal_cli.core.errors import CospalError
from cospal_cli.core.fitting import as_table
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.json_types import JsonDict

MB = 2**20
SMALL = 16 * MB  # settings, sentences, descriptions of models: real ones stay below 2 MB
LARGE = 2048 * MB  # annotations and tables of a whole data set
LINE = 64 * MB  # of JSON Lines: one frame or record, with its features
DEEPEST = 40
BOM = b"\xef\xbb\xbf"
_KINDS = {
    stat.S_ISDIR: "a folder",
    stat.S_ISFIFO: "a pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}


def open_regular(path: Path) -> BinaryIO:
    """``path`` opened for reading; OSError for what is not there, ValueError for what is not a
    regular file.

    Never waits: not for the other end of a pipe, nor for a device.
    """
    check_regular(path)
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    return os.fdopen(os.open(path, flags), "rb")


def check_regular(path: Path) -> int:
    """The size in bytes of the file ``path``; OSError and ValueError as ``open_regular``."""
    status = os.stat(path)
    for is_kind, name in _KINDS.items():
        if is_kind(status.st_mode):
            more = "" if name == "a folder" else "; copy its output to a file first"
            raise ValueError(f"this is {name}, not a file{more}")
    return status.st_size


def read_bytes(
    path: Path, kind: type[CospalError], hint: str = "", limit: int = SMALL, about: str = ""
) -> bytes:
    """All bytes of ``path``; ``kind`` where that fails or they are more than ``limit``.

    ``about`` comes before the reason in place of the path.
    """
    with errors_as(kind, about or str(path), hint):
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(size + 1) if size <= limit else b""  # what is requested is allocated
            more = len(data) > size  # it grows, or is not on a disk
            while more and len(data) <= limit and (piece := file.read(MB)):
                data += piece
        if max(size, len(data)) > limit:
            raise ValueError(
                f"too large: {max(size, len(data)):,} bytes, at most {limit:,} are read"
            )
        return data


def read_text(
    path: Path, kind: type[CospalError], hint: str = "", limit: int = SMALL, about: str = ""
) -> str:
    """The UTF-8 text of ``path``, its byte order mark taken off."""
    data = read_bytes(path, kind, hint, limit, about)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise kind(f"{about or path}:{line}: not UTF-8 text", hint) from error


def read_json(
    path: Path,
    kind: type[CospalError],
    hint: str = "",
    limit: int = SMALL,
    pairs: Callable[[list[tuple[str, object]]], object] | None = None,
    about: str = "",
) -> object:
    """The value in the JSON file ``path``. ``pairs``: as json's ``object_pairs_hook``."""
    text = read_text(path, kind, hint, limit, about)
    with errors_as(kind, about or str(path), hint):
        return parse_json(text, pairs)


def read_table(
    path: Path, kind: type[CospalError], hint: str = "", limit: int = SMALL, about: str = ""
) -> JsonDict:
    """The object in the JSON file ``path``; ``kind`` where it holds anything else."""
    value = read_json(path, kind, hint, limit, about=about)
    with errors_as(kind, about or str(path), hint):
        return as_table(value)


def read_lines(path: Path, kind: type[CospalError], hint: str = "") -> Iterator[tuple[str, bytes]]:
    """("file:line", bytes) of every line that is not blank; ``kind`` for one above ``LINE``."""
    with errors_as(kind, str(path), hint), open_regular(path) as file:
        number = 0
        while raw := file.readline(LINE + 1):
            number += 1
            if len(raw) > LINE:
                raise kind(f"{path}:{number}: a line of more than {LINE:,} bytes", hint)
            raw = raw.removeprefix(BOM) if number == 1 else raw
            if raw.strip():
                yield f"{path}:{number}", raw


def json_lines(
    path: Path, kind: type[CospalError], hint: str = ""
) -> Iterator[tuple[str, JsonDict]]:
    """("file:line", object) of a file of JSON Lines; ``kind`` names the line at fault."""
    for place, raw in read_lines(path, kind, hint):
        with errors_as(kind, place, hint):
            row = parse_table(raw)
        yield place, row


def parse_json(
    data: str | bytes, pairs: Callable[[list[tuple[str, object]]], object] | None = None
) -> Any:
    """The JSON value in ``data`` (bytes: UTF-8); ValueError for anything else.

    NaN and infinity, which are not JSON though Python reads them, come through as floats.
    """
    text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
    if not text.strip():
        raise ValueError("is empty")
    with suppress(RecursionError):
        value = json.loads(text, object_pairs_hook=pairs)
        level = [value]
        for _ in range(DEEPEST):
            level = [one for some in level for one in _inner(some)]
            if not level:
                return value
    raise ValueError(f"nested more than {DEEPEST} levels deep")


def parse_table(data: str | bytes) -> JsonDict:
    """The JSON object in ``data``; ValueError for anything else."""
    return as_table(parse_json(data))


def _inner(value: object) -> list[object]:
    """The lists and objects right in ``value``."""
    rows = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for one in rows if isinstance(one, dict | list)]

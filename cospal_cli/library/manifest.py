"""A table of videos and sentences: CSV with a header, or JSON Lines."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cospal_cli.core.errors import UsageError
from cospal_cli.core.foreign import errors_as, short
from cospal_cli.core.json_types import Json
from cospal_cli.core.reading import LARGE, parse_table, read_text

LOG = logging.getLogger("cospal")
COLUMNS = ("video", "query", "id", "start", "end")
_HINT = "each row has a video and a query, and may have id, start and end"


@dataclass(frozen=True)
class ManifestRow:
    """One sentence about one video. ``video``: seen from the manifest's folder."""

    video: Path
    query: str
    id: str = ""  # "": none given
    start: str | None = None
    end: str | None = None
    where: str = ""  # "jobs.csv:7"


def read_manifest(path: Path) -> list[ManifestRow]:
    """Every row, in order. UsageError names the file and line where something is missing."""
    about = f"--manifest {str(path)!r}"
    text = read_text(path, UsageError, _HINT, LARGE, about)
    lines = _json_rows if text.lstrip()[:1] == "{" else _csv_rows
    rows, unused = [], dict[str, None]()
    for where, row in lines(path, text):
        unused |= dict.fromkeys(name for name in row if name not in COLUMNS)
        rows.append(_row(path.parent, where, row))
    if not rows:
        raise UsageError(f"{about}: there is no row in it", _HINT)
    if unused:
        LOG.warning("%s: not used: %s", path, ", ".join(unused))
    return rows


def _json_rows(path: Path, text: str) -> Iterator[tuple[str, Json]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            with errors_as(UsageError, f"{path}:{number}", _HINT):
                row = parse_table(line)
            yield f"{path}:{number}", row


def _csv_rows(path: Path, text: str) -> Iterator[tuple[str, Json]]:
    header = text.partition("\n")[0]
    mark = max(",;\t", key=header.count)
    with errors_as(UsageError, str(path), _HINT):
        reader = csv.reader(io.StringIO(text), delimiter=mark)
        names = [name.strip().lower() for name in next(reader, [])]
        if not {"video", "query"} <= set(names):
            found = ", ".join(names)
            raise UsageError(
                f"{path}:1: expected a header with video and query, found {short(found)}", _HINT
            )
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            where = f"{path}:{reader.line_num}"
            if len(cells) > len(names):
                raise UsageError(
                    f"{where}: {len(cells)} cells, but {len(names)} columns",
                    "put a sentence with a comma in quotes",
                )
            yield where, dict(zip(names, cells, strict=False))


def _row(folder: Path, where: str, row: Json) -> ManifestRow:
    texts = {}
    for name in COLUMNS:
        value = row.get(name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if isinstance(value, str) or (number and name in ("id", "start", "end")):
            texts[name] = f"{value}".strip()
        elif value is not None:
            raise UsageError(f"{where}: {name}: expected text, found {short(value)}", _HINT)
    for name in ("video", "query"):
        if not texts.get(name):
            raise UsageError(f"{where}: {name!r} is missing", _HINT)
    return ManifestRow(
        folder / texts["video"],
        texts["query"],
        texts.get("id", ""),
        texts.get("start") or None,
        texts.get("end") or None,
        where,
    )

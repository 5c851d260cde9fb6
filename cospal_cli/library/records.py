"""What a batch says of itself: ``results.jsonl``, a line a video and query as it finishes, and
``summary.json`` at the end.

The outputs are the checkpoint, not these: a line that a killed run could not write is written by
the next one, from the output.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path

from cospal_cli.core.errors import InputError
from cospal_cli.core.escaping import plain_json
from cospal_cli.core.files import refusal, write_text
from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.core.reading import parse_table, read_lines

RESULTS, SUMMARY = "results.jsonl", "summary.json"
DONE = ("complete", "partial")  # the other states: interrupted, failed, differs, skipped
PACKAGES = "cospal av numpy onnxruntime-gpu onnxruntime torch transformers ray".split()
Key = tuple[str, str]  # a video, by its name among the inputs, and the id of a query


class Records:
    """The lines of a batch, in memory and, where there is a ``folder``, in ``results.jsonl``.

    Lines of earlier runs are kept, but for those that this one writes anew.
    """

    def __init__(self, folder: Path | None, shard: str = "") -> None:
        self.earlier: dict[Key, JsonDict] = {}
        self.lines: dict[Key, JsonDict] = {}  # of this run
        self.videos: set[str] = set()  # that have lines
        self.bad: list[JsonDict] = []  # lines of what could not be done
        self.path = folder and folder / _beside(RESULTS, shard)
        self.summary = folder and folder / _beside(SUMMARY, shard)

    @property
    def paths(self) -> list[Path]:
        """The files that are written."""
        return [path for path in (self.path, self.summary) if path is not None]

    def open(self) -> None:
        """Read what earlier runs left; a line that a killed one cut short is left out."""
        if self.path is not None and self.path.exists():
            self.earlier = {key_of(row): row for row in _rows(self.path)}

    def begin(self, keys: Iterable[Key]) -> None:
        """Leave only lines of earlier runs that are not among ``keys``, which are to be written."""
        again = set(keys)
        if self.path is not None:
            kept = [row for key, row in self.earlier.items() if key not in again]
            write_text(self.path, "".join(map(_line, kept)))

    def add(self, row: JsonDict) -> None:
        """One more line. DeviceError where the disk is full."""
        self.lines[key_of(row)] = row
        self.videos.add(str(row["video"]))
        if row["status"] not in DONE:
            self.bad.append(row)
        if self.path is not None:
            try:
                with open(self.path, "a", encoding="utf-8", errors="replace") as file:
                    file.write(_line(row))
            except OSError as error:
                raise refusal(self.path, error) from error

    def failed(self) -> set[Key]:
        """What the last run could not do."""
        return {key for key, row in self.earlier.items() if row.get("status") not in DONE}

    def finish(self, about: Json) -> JsonDict:
        """The summary, written where there is a folder."""
        counts: dict[str, int] = {}
        for row in self.lines.values():
            state = "skipped" if row.get("skipped") else str(row["status"])
            counts[state] = counts.get(state, 0) + 1
        summary: JsonDict = {
            "videos": len(self.videos),
            "results": len(self.lines),
            "counts": counts,
            "failures": [
                {name: row.get(name, "") for name in ("video", "id", "query", "status", "reason")}
                for row in self.bad
            ],
            **about,
            "versions": versions(),
        }
        if self.summary is not None:
            write_text(self.summary, plain_json(json.dumps(summary, indent=2)) + "\n")
        return summary


def key_of(row: Json) -> Key:
    """What a line is about."""
    return str(row.get("video", "")), str(row.get("id", ""))


def versions() -> dict[str, str]:
    """Of Python and of the packages that matter, as far as they are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _beside(name: str, shard: str) -> str:
    """Shards write into one folder, each files of its own: "results.3-of-16.jsonl"."""
    stem, dot, suffix = name.partition(".")
    return f"{stem}.{shard.replace('/', '-of-')}{dot}{suffix}" if shard else name


def _rows(path: Path) -> Sequence[JsonDict]:
    rows = []
    for _, raw in read_lines(path, InputError, "remove it, or choose another folder with -o"):
        try:
            row = parse_table(raw)
        except (ValueError, TypeError):
            continue
        if "video" in row and "status" in row:
            rows.append(row)
    return rows


def _line(row: Json) -> str:
    return plain_json(json.dumps(row)) + "\n"

"""The catalogue of a library: one SQLite file that says which observations there are.

It only repeats what the observations' files say, so that it can be made anew from them. Each
change is one transaction, made after the file that it is about is whole: whoever is killed at any
moment leaves a catalogue that lacks at most that one file. Connections are opened for each use;
several processes may write, one after another.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from cospal_cli.core.errors import CospalError, DeviceError, InputError
from cospal_cli.core.fitting import fitting
from cospal_cli.core.foreign import errors_as, short
from cospal_cli.library.keys import ENDING
from cospal_cli.library.numbers import FIXED, VERSION, TubeletNumbers

NAME = "catalogue.sqlite"
REPAIR = "'cospal library repair' makes it anew from the stored observations"
_APPLICATION = 0x63_6F_73_70  # "cosp": marks the file as ours
_PATIENCE_S = 60.0  # while another process writes
_FULL = ("disk is full", "disk i/o error", "readonly")
_SCHEMA = """
CREATE TABLE videos (
    file TEXT PRIMARY KEY, path TEXT NOT NULL, prompt TEXT NOT NULL,
    size INTEGER NOT NULL, changed_ns INTEGER NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, duration_s REAL NOT NULL,
    frames INTEGER NOT NULL, stored_bytes INTEGER NOT NULL, detector TEXT NOT NULL,
    classes TEXT NOT NULL, tubelets INTEGER NOT NULL, numbers BLOB NOT NULL
);
CREATE INDEX videos_by_path ON videos (path);
CREATE TABLE changes (count INTEGER NOT NULL);
INSERT INTO changes VALUES (0);
"""


@dataclass(frozen=True)
class CatalogueEntry:
    """One observation, as the catalogue names it. The fields are the table's columns."""

    file: str  # its name in the library
    path: str  # of the video
    prompt: str  # the sentence that the detector was prompted with, or ""
    size: int  # of the video, bytes
    changed_ns: int
    width: int
    height: int
    duration_s: float  # observed
    frames: int
    stored_bytes: int
    detector: str
    classes: str  # JSON list
    tubelets: int
    numbers: bytes  # rows of ``TubeletNumbers``

    def read_numbers(self) -> TubeletNumbers:
        """The numbers of its tubelets; InputError where they are damaged."""
        with errors_as(InputError, f"the catalogue's entry of {self.path}", REPAIR):
            width = FIXED + len(fitting(json.loads(self.classes), list[str], "classes"))
            rows = np.frombuffer(self.numbers, np.float16).reshape(self.tubelets, width)
        return TubeletNumbers(rows)


_KINDS = [
    {"str": str, "int": int, "float": float, "bytes": bytes}[str(one.type)]
    for one in fields(CatalogueEntry)
]
_NAMES = [one.name for one in fields(CatalogueEntry)]
_COLUMNS = ", ".join(_NAMES)
_BRIEF = _COLUMNS.replace(", numbers", ", x''")  # without what only a search reads


class Catalogue:
    """The catalogue in ``folder``, made where it is missing."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def put(self, entries: Sequence[CatalogueEntry]) -> None:
        """Add entries, or replace those of the same files."""
        marks = ", ".join("?" for _ in fields(CatalogueEntry))
        with self._writing() as connection:
            connection.executemany(
                f"INSERT OR REPLACE INTO videos ({_COLUMNS}) VALUES ({marks})",
                [astuple(entry) for entry in entries],
            )

    def drop(self, files: Sequence[str]) -> None:
        """Forget the observations in ``files``."""
        with self._writing() as connection:
            connection.executemany("DELETE FROM videos WHERE file = ?", [(one,) for one in files])

    def entries(self, numbers: bool = False) -> list[CatalogueEntry]:
        """Every observation by path; with the ``numbers`` of its tubelets, or without."""
        columns = _COLUMNS if numbers else _BRIEF
        return self._read(f"SELECT {columns} FROM videos ORDER BY path, file")

    def find(self, file: str) -> CatalogueEntry | None:
        """The entry of one file, without its numbers; None where there is none."""
        found = self._read(f"SELECT {_BRIEF} FROM videos WHERE file = ?", (file,))
        return found[0] if found else None

    def changes(self) -> int:
        """How often it was changed: the same number, the same entries."""
        with self._opened() as connection:
            return int(connection.execute("SELECT count FROM changes").fetchone()[0])

    def renew(self) -> None:
        """Begin with an empty one, whatever is there now."""
        for ending in ("", "-wal", "-shm", "-journal"):
            with errors_as(DeviceError, f"cannot remove {self.path}{ending}"):
                self.path.with_name(self.path.name + ending).unlink(missing_ok=True)

    def _read(self, statement: str, values: Sequence[object] = ()) -> list[CatalogueEntry]:
        with self._opened() as connection:
            return [self._entry(row) for row in connection.execute(statement, values)]

    def _entry(self, row: Sequence[object]) -> CatalogueEntry:
        """The entry of a row; InputError where a value cannot be one."""
        for value, kind, name in zip(row, _KINDS, _NAMES, strict=True):
            if type(value) is not kind or (kind in (int, float) and not value >= 0):  # type: ignore[operator]
                raise InputError(f"{self.path}: damaged, found {short(value)} as {name}", REPAIR)
        entry = CatalogueEntry(*row)  # type: ignore[arg-type]
        if Path(entry.file).name != entry.file or not entry.file.endswith(ENDING):
            raise InputError(f"{self.path}: damaged, found {short(entry.file)} as a file", REPAIR)
        return entry

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all that is done within, or nothing."""
        with self._opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("UPDATE changes SET count = count + 1")
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """A connection to a catalogue of today; InputError where the file is something else."""
        try:
            connection = sqlite3.connect(self.path, _PATIENCE_S, isolation_level=None)
            try:
                self._prepare(connection)
                yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise self._refused(error) from error

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Check whose file it is; make the tables in one that is new."""
        connection.execute("PRAGMA synchronous = NORMAL")
        if self._version(connection) == (_APPLICATION, VERSION):
            return
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            connection.execute("PRAGMA journal_mode = WAL")
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                if self._version(connection) != (_APPLICATION, VERSION):  # nobody was faster
                    for statement in filter(str.strip, _SCHEMA.split(";")):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                    connection.execute(f"PRAGMA user_version = {VERSION}")
            return
        ours, version = self._version(connection)
        other = f"of version {version}, expected {VERSION}"
        raise InputError(
            f"{self.path}: a catalogue {other}"
            if ours == _APPLICATION
            else f"{self.path}: not a catalogue of cospal",
            REPAIR,
        )

    def _version(self, connection: sqlite3.Connection) -> tuple[int, int]:
        marks = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        ]
        return int(marks[0]), int(marks[1])

    def _refused(self, error: sqlite3.Error) -> CospalError:
        text = str(error)
        if any(sign in text.lower() for sign in _FULL):
            return DeviceError(f"{self.path}: {text}", "free some space, or check its permissions")
        if isinstance(error, sqlite3.OperationalError) and "locked" in text:
            return DeviceError(
                f"{self.path}: another process has been writing to it for {_PATIENCE_S:.0f} s",
                "run the same command again",
            )
        return InputError(f"{self.path}: {text}", REPAIR)

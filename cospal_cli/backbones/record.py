"""The record beside a fetched model: size and sha256 of every file, so that damage is noticed.

``check`` is what loading does: sizes always, and the hash again of a file whose time has changed
since it was recorded. ``hashed`` reads every byte.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from cospal_cli.core.errors import CospalError, WeightsError
from cospal_cli.core.files import write_text
from cospal_cli.core.fitting import filled
from cospal_cli.core.foreign import errors_as, short
from cospal_cli.core.reading import read_table

NAME = "cospal.json"
SCHEMA = "cospal/model@1"


@dataclass(frozen=True)
class Recorded:
    """One file as it was fetched. ``mtime_ns``: its time then."""

    bytes: int
    sha256: str
    mtime_ns: int


@dataclass(frozen=True)
class ModelRecord:
    """Where a model came from, and its files by their path below its folder."""

    source: str
    revision: str | None
    licence: str
    files: Mapping[str, Recorded]


def sha256(path: Path) -> str:
    """The file's sha256; OSError if it cannot be read."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(path: Path) -> str:
    """What tells a model from others: the sha256 of its file of weights, of a folder with several
    the sha256 of theirs, in hexadecimal and in order of their names.

    Where a record has them (``check`` proves it true), the files are not read again.
    """
    files = sorted(path.glob("*.safetensors")) or sorted(path.glob("*.bin")) or [path]
    record = read(path if path.is_dir() else path.parent)
    known = {name: entry.sha256 for name, entry in record.files.items()} if record else {}
    hashes = [known.get(file.name) or sha256(file) for file in files]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def write(folder: Path, source: str, revision: str | None, licence: str) -> ModelRecord:
    """Hash every file of ``folder`` and write its record there."""
    files = {name: _record_of(path) for name, path in _files(folder)}
    record = ModelRecord(source, revision, licence, files)
    _save(folder, record)
    return record


def read(folder: Path) -> ModelRecord | None:
    """The record of ``folder``, None if it has none; WeightsError if it is damaged itself."""
    path = folder / NAME
    if not os.path.lexists(path):
        return None
    about = f"{path}: this record is damaged"
    stored = read_table(path, WeightsError, _again(folder), about=about)
    with errors_as(WeightsError, about, _again(folder)):
        if stored.pop("schema") != SCHEMA:
            raise ValueError(f"not {SCHEMA}")
        record = filled(ModelRecord, stored)
        for name in record.files:
            _check_inside(name)
        return record


def _check_inside(name: str) -> None:
    """ValueError for the name of a file that may not lie below the record's folder."""
    plain = PurePosixPath(name.replace("\\", "/"))
    if plain.is_absolute() or ".." in plain.parts or not plain.name or name[1:2] == ":":
        raise ValueError(f"{short(name)} leads out of the folder")


def check(folder: Path) -> None:
    """WeightsError if a recorded file is missing, of another size, or changed and not the same.

    Files whose time is the recorded one are not read. A folder without record passes.
    """
    record = read(folder)
    if record is None:
        return
    touched = {}
    for name, entry in record.files.items():
        found = _stat(folder / name)
        if found is None:
            raise WeightsError(f"{folder / name}: missing", _again(folder))
        if found.st_size != entry.bytes:
            raise WeightsError(
                f"{folder / name}: {found.st_size:,} bytes, but {entry.bytes:,} were fetched",
                _again(folder),
            )
        if found.st_mtime_ns != entry.mtime_ns:
            touched[name] = _same(folder / name, entry, folder)
    if touched:  # copied, say: remember the new times, where the folder can be written to
        with suppress(CospalError, OSError):
            _save(folder, ModelRecord(**{**vars(record), "files": {**record.files, **touched}}))


def _same(path: Path, entry: Recorded, folder: Path) -> Recorded:
    """``path`` recorded anew; WeightsError if its content is not that of ``entry``."""
    found = _record_of(path)
    if found.sha256 != entry.sha256:
        raise WeightsError(
            f"{path}: sha256 {found.sha256}, but that of the fetched file was {entry.sha256}",
            _again(folder),
        )
    return found


def _record_of(path: Path) -> Recorded:
    found = path.stat()
    return Recorded(found.st_size, sha256(path), found.st_mtime_ns)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file below ``folder`` but its record, named with forward slashes."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path != folder / NAME:
            yield path.relative_to(folder).as_posix(), path


def _save(folder: Path, record: ModelRecord) -> None:
    document = {"schema": SCHEMA, **asdict(record)}
    write_text(folder / NAME, json.dumps(document, indent=1) + "\n")


def _again(folder: Path) -> str:
    return f"fetch it again: cospal models fetch {folder.name.replace('--', '/')}"

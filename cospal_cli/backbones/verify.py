"""Reads every byte of a model on disk and compares it with what it should be."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cospal_cli.backbones import models, record
from cospal_cli.backbones.models import Known
from cospal_cli.core.errors import WeightsError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.reading import LARGE, check_regular, read_bytes
from cospal_cli.weights.headers import check_safetensors

OK, DAMAGED, UNKNOWN = "ok", "damaged", "unknown"


class Verdict(NamedTuple):
    """One file's state: ok, damaged, or unknown where nothing says what it should be."""

    path: Path
    state: str
    detail: str


def verify(name: str) -> list[Verdict]:
    """The state of every file of ``name`` on this machine.

    Judged by the record that ``cospal models fetch`` left, by ``known.json``, by the names that the
    Hugging Face cache gives its files (their hashes), and by safetensors headers. Raises
    WeightsError if the model is nowhere.
    """
    path = models.whereabouts(name)
    if path is None:
        raise models.not_here(name)
    folder = path if path.is_dir() else path.parent
    try:
        kept = record.read(folder)
    except WeightsError as error:
        return [Verdict(folder / record.NAME, DAMAGED, error.message)]
    if kept is not None:
        return [
            _judge(folder / file, entry.sha256, entry.bytes) for file, entry in kept.files.items()
        ]
    files = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.is_file())
    return list(_without_record(files, models.find(name)))


def present() -> list[str]:
    """The names of all models in cospal's folder, and of the known ones in the hub's cache."""
    here = [name for name in models.known() if models.whereabouts(name) is not None]
    root = models.folder()
    listed = sorted(os.listdir(root)) if root and os.path.isdir(root) else []
    fetched = [n.replace("--", "/") for n in listed if not n.startswith(".")]
    return here + [name for name in fetched if name not in here and models.whereabouts(name)]


def _without_record(files: list[Path], entry: Known | None) -> Iterator[Verdict]:
    for path in files:
        if entry and entry.sha256 and path.name == entry.file and _pinned(path, entry):
            yield _judge(path, entry.sha256, entry.bytes)
        elif re.fullmatch(r"[0-9a-f]{64}", path.resolve().name):
            yield _judge(path, path.resolve().name, None)
        elif re.fullmatch(r"[0-9a-f]{40}", path.resolve().name):
            yield _judge_git(path, path.resolve().name)
        else:
            yield _judge_header(path)


def _pinned(path: Path, entry: Known) -> bool:
    """Whether ``path`` is of the revision whose hash is known: single files always are."""
    return entry.single or path.parent.name == entry.revision


def _judge(path: Path, sha256: str, size: int | None) -> Verdict:
    """Compare with a sha256, and with a size (bytes) first where one is known."""
    try:
        with errors_as(WeightsError, path.name):
            found_size = check_regular(path)
            if size is not None and found_size != size:
                return Verdict(path, DAMAGED, f"{found_size:,} bytes, expected {size:,}")
            found = record.sha256(path)
    except WeightsError as error:
        return Verdict(path, DAMAGED, error.message)
    if found != sha256:
        return Verdict(path, DAMAGED, f"sha256 {found}, expected {sha256}")
    return Verdict(path, OK, f"sha256 {found}")


def _judge_git(path: Path, blob: str) -> Verdict:
    """Compare with the name that git gives this content: small files of the hub's cache."""
    data = read_bytes(path, WeightsError, limit=LARGE)
    found = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    return Verdict(path, OK if found == blob else DAMAGED, f"git blob {found}")


def _judge_header(path: Path) -> Verdict:
    """Without a hash: what a safetensors header says of its file, nothing for other files."""
    if path.suffix == ".safetensors":
        try:
            check_safetensors(path)
        except WeightsError as error:
            return Verdict(path, DAMAGED, error.message)
    return Verdict(path, UNKNOWN, "no hash is known for it")

"""A library is kept in order: what is damaged, missing or left over is found and put right."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cospal_cli.core import files
from cospal_cli.core.errors import InputError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.progress import Progress, silent
from cospal_cli.library.catalogue import CatalogueEntry
from cospal_cli.library.store import Store

_BATCH = 100  # entries a transaction


@dataclass(frozen=True)
class LibraryProblem:
    """One thing that is not as it should be."""

    file: str  # its name in the library
    what: str  # one line


def verify(store: Store, progress: Progress = silent) -> list[LibraryProblem]:
    """Read every file and compare it with the catalogue; [] where all is well."""
    problems, known = _known(store)
    unreadable, paths = bool(problems), store.files()
    for done, path in enumerate(paths, 1):
        try:
            entry = store.enter(path)
        except InputError as error:
            problems.append(LibraryProblem(path.name, error.message))
        else:
            if path.name not in known and not unreadable:
                problems.append(LibraryProblem(path.name, f"not in the catalogue: {entry.path}"))
        progress("verify", done, len(paths))
    there = {path.name for path in paths}
    for name in sorted(known.keys() - there):
        problems.append(LibraryProblem(name, f"its file is missing: {known[name].path}"))
    return problems


def repair(store: Store, progress: Progress = silent) -> list[LibraryProblem]:
    """Make the catalogue anew from the files, and remove those that are damaged; what was put
    right. What another process adds meanwhile stays."""
    problems, known = _known(store)
    if problems:
        store.catalogue.renew()
    paths = store.files()
    entries: list[CatalogueEntry] = []
    for done, path in enumerate(paths, 1):
        try:
            entries.append(store.enter(path))
        except InputError as error:
            problems.append(LibraryProblem(path.name, f"removed: {error.message}"))
            files.remove(path)
        else:
            if path.name not in known:
                problems.append(LibraryProblem(path.name, f"added: {entries[-1].path}"))
        if len(entries) == _BATCH or done == len(paths):
            store.catalogue.put(entries)
            entries = []
        progress("repair", done, len(paths))
    left = {path.name for path in store.files()}
    lost = sorted(known.keys() - left)
    problems += [
        LibraryProblem(name, f"dropped, since its file is gone: {known[name].path}")
        for name in lost
    ]
    store.catalogue.drop(lost)
    files.clear(store.videos)
    return problems


def _known(store: Store) -> tuple[list[LibraryProblem], dict[str, CatalogueEntry]]:
    """What the catalogue names, by file; one problem where it cannot be read."""
    try:
        return [], {one.file: one for one in store.catalogue.entries()}
    except InputError as error:
        return [LibraryProblem(store.catalogue.path.name, error.message)], {}


def remove(store: Store, videos: Sequence[Path]) -> list[CatalogueEntry]:
    """Remove all observations of ``videos``; a folder stands for all videos in it. InputError, and
    nothing is removed, where one is not there."""
    entries = store.catalogue.entries()
    found: dict[str, CatalogueEntry] = {}
    for video in videos:
        path = os.path.abspath(video)
        own = [one for one in entries if one.path == path or one.path.startswith(path + os.sep)]
        if not own:
            raise InputError(
                f"{str(video)!r} is not in the library", "'cospal library list' shows what is"
            )
        found |= {one.file: one for one in own}
    for name in found:
        with errors_as(InputError, str(store.path(name))):
            store.path(name).unlink(missing_ok=True)
    store.catalogue.drop(list(found))
    return list(found.values())

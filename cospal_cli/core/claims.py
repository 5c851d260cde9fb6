"""Who writes where: outputs are claimed, so that two runs never write the same, and what killed
runs left is removed.

A run is one claim, or one file that is replaced without a claim. While it lives it holds the lock
of a hidden file in each folder that it writes to, and everything unfinished carries the same mark:

    .cospal-MACHINE-PID-TOKEN.lock         the names that the run writes
    .cospal-MACHINE-PID-TOKEN.NAME.part    NAME, unfinished
    .cospal-MACHINE-PID-TOKEN.NAME.old     what NAME was, while a folder takes its place

The system frees the lock when a process dies, however it dies. So whoever gets the lock of such a
file knows its run to be dead, and removes all three; files of other machines, whose locks may not
be seen from here, are left alone. Whoever inspects a folder or claims in it holds ``MUTEX``
meanwhile, for milliseconds, and waits for nothing else: there is no deadlock. On file systems
without locks nothing is claimed and nothing cleared away.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.core.errors import CospalError, UsageError
from cospal_cli.core.foreign import reason, shortage
from cospal_cli.core.locks import drop, machine, obtain, read_note, write_note

if TYPE_CHECKING:
    from filelock import BaseFileLock

MARK = ".cospal"
MUTEX = f"{MARK}.lock"
PART, OLD = ".part", ".old"
_LOCK_NAME = re.compile(r"(\.cospal-([0-9a-f]{16})-(\d+)-[0-9a-f]+)\.lock")
_WHOLE = ""  # the name that stands for a folder with all that is in it
_PATIENCE_S = 10.0  # for a mutex that is held for milliseconds
_MAX_NAME_BYTES = 255

Refuse = Callable[[Path, "Run"], CospalError]


@dataclass(frozen=True)
class Run:
    """A run's hold on one folder. ``lock``: None where another process holds it, or the file
    system has no locks.
    """

    folder: Path
    mark: str
    pid: int
    here: bool  # on this machine
    names: frozenset[str]
    lock: BaseFileLock | None = field(default=None, compare=False)

    def beside(self, name: str, ending: str) -> Path:
        """The run's own hidden file or folder that stands for ``name`` in its folder."""
        return self.folder / f"{self.mark}.{_fitting(name, self.mark)}{ending}"

    def who(self) -> str:
        """The run for a person."""
        if self.pid == os.getpid() and self.here:
            return "this very process"
        return f"process {self.pid}" + ("" if self.here else " of another machine")


# Claims of this process, by folder and name, so that writing what is claimed needs no further lock.
_claims: dict[tuple[Path, str], Run] = {}
_cleared: set[tuple[Path, int]] = set()  # folders that this process has looked through


@contextmanager
def claimed(targets: Iterable[Path], refuse: Refuse | None = None) -> Iterator[None]:
    """Hold all ``targets``, files or folders, for this run alone; their folders must be there.

    All or none: where another run holds one of them, ``refuse(target, run)`` is raised, by default
    a UsageError that names its process.
    """
    names: dict[Path, set[str]] = {}
    for target in targets:
        names.setdefault(_folder_of(target), set()).add(target.name)
    with ExitStack() as stack:
        for folder in sorted(names):
            stack.enter_context(_claim(folder, frozenset(names[folder]), refuse or _busy))
        yield


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold ``folder`` while writing to it; UsageError if another run does."""
    with _claim(folder.resolve(), frozenset({_WHOLE}), _busy_folder):
        yield


@contextmanager
def run_for(target: Path) -> Iterator[Run]:
    """The run of this process that ``target`` is claimed by; one for the moment if there is none.

    OSError where the folder takes no file.
    """
    folder = _folder_of(target)
    holder = _claims.get((folder, target.name)) or _claims.get((folder, _WHOLE))
    if holder is not None and holder.pid == os.getpid():  # not of the process that forked this one
        yield holder
        return
    if (folder, os.getpid()) not in _cleared:
        clear(folder)
    run = _begin(folder, frozenset({target.name}))
    try:
        yield run
    finally:
        drop(run.lock)


def clear(folder: Path) -> None:
    """Remove what killed runs left in ``folder``, unless somebody else is about it just now."""
    folder = folder.resolve()
    with suppress(OSError, CospalError), _mutex(folder, patience_s=0):
        _living(folder)
        _cleared.add((folder, os.getpid()))


def is_ours(name: str) -> bool:
    """Whether a file of this name in an output folder is one of our own hidden ones, not content:
    see above.
    """
    return name.startswith(MARK) or name == ".lock" or name.endswith(PART)  # two of version 0.1


@contextmanager
def _claim(folder: Path, names: frozenset[str], refuse: Refuse) -> Iterator[None]:
    with _reachable(folder), _mutex(folder):
        same = _folding(folder)
        wanted = {same(name) for name in names}
        if len(wanted) < len(names):
            raise UsageError(
                f"two outputs share a name in {str(folder)!r}: {', '.join(sorted(names))}",
                "this file system does not distinguish upper from lower case",
            )
        for run in _living(folder):
            shared = wanted & {same(name) for name in run.names}
            if shared:
                raise refuse(folder / next(n for n in names if same(n) in shared), run)
        _cleared.add((folder, os.getpid()))
        run = _begin(folder, names)
    _claims.update({(folder, name): run for name in names})
    try:
        yield
    finally:
        for name in names:
            _claims.pop((folder, name), None)
        drop(run.lock)


@contextmanager
def _reachable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        about = f"the output folder {str(folder)!r} cannot be written to"
        raise shortage(error, about) or UsageError(
            f"{about}: {reason(error)}",
            f"choose another, or remove {error.filename!r} if no cospal run is using it"
            if error.filename and MARK in str(error.filename)
            else "choose another path with -o",
        ) from error


def _begin(folder: Path, names: frozenset[str]) -> Run:
    """A new run of this process, its lock held where the file system has locks."""
    mark = f"{MARK}-{''.join(machine())}-{os.getpid()}-{secrets.token_hex(3)}"
    lock = obtain(folder / f"{mark}.lock", _PATIENCE_S)
    if lock is not None:
        try:
            write_note(lock, {"pid": os.getpid(), "names": sorted(names)})
        except BaseException:
            drop(lock)
            raise
    return Run(folder, mark, os.getpid(), True, names, lock)


def _living(folder: Path) -> list[Run]:
    """Every run that holds something in ``folder``; what dead ones left is removed."""
    living = []
    entries = [name for name in os.listdir(folder) if name.startswith(MARK)]
    for match in filter(None, map(_LOCK_NAME.fullmatch, entries)):
        mark, where, pid = match[1], match[2], int(match[3])
        path = folder / match[0]
        here = where[:8] == machine()[0] or where[8:] == machine()[1]
        run = Run(folder, mark, pid, here, frozenset(map(str, read_note(path).get("names", ()))))
        lock = _dead(path) if here else None
        if lock is None:
            living.append(run)
        elif _clear_away(run, entries):
            drop(lock)
        else:
            lock.release()  # something of it could not be removed: for another time
    return living


def _dead(path: Path) -> BaseFileLock | None:
    """The lock of a run that no longer lives; None if it does, or if that cannot be found out."""
    try:
        return obtain(path, 0)
    except (CospalError, OSError):
        return None


def _clear_away(run: Run, entries: Iterable[str]) -> bool:
    """Remove what a dead run left, and put a folder back that it had moved aside."""
    names = {_fitting(name, run.mark): name for name in run.names}
    left = False
    for entry in entries:
        path = run.folder / entry
        stem, dot, ending = entry.removeprefix(f"{run.mark}.").rpartition(".")
        if not entry.startswith(f"{run.mark}.") or f"{dot}{ending}" not in (PART, OLD):
            continue
        with suppress(OSError):
            target = run.folder / names.get(stem, stem)
            if f"{dot}{ending}" == OLD and not os.path.lexists(target):
                os.rename(path, target)
        remove(path)
        left = left or os.path.lexists(path)
    return not left


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it, as far as the system lets us."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def _mutex(folder: Path, patience_s: float = _PATIENCE_S) -> Iterator[None]:
    """Hold the folder's mutex; UsageError where it does not come free."""
    lock = obtain(folder / MUTEX, patience_s)
    try:
        yield
    finally:
        drop(lock)


def _folder_of(target: Path) -> Path:
    return Path(os.path.realpath(target.parent))


def _folding(folder: Path) -> Callable[[str], str]:
    """What makes names equal that are the same file in ``folder``, whose mutex must be held."""
    blind = os.path.exists(folder / MUTEX.upper())
    return str.casefold if blind else str


def _fitting(name: str, mark: str) -> str:
    """``name``, cut where a file system would not take it between ``mark`` and an ending."""
    room = _MAX_NAME_BYTES - len(mark) - len(PART) - 1
    while len(os.fsencode(name)) > room:
        name = name[:-1]
    return name


def _busy(target: Path, run: Run) -> UsageError:
    return UsageError(
        f"the output {str(target)!r} is being written by another run: {run.who()}", _hint(run)
    )


def _busy_folder(folder: Path, run: Run) -> UsageError:
    return UsageError(f"another process is writing to {str(folder)!r}: {run.who()}", _hint(run))


def _hint(run: Run) -> str:
    if run.here:
        return "wait until it has finished, or choose another output"
    leftovers = f"{str(run.folder / run.mark)!r}.*"
    return f"if that run has finished, remove {leftovers}, or choose another output"

"""Writing whole files or none: a hidden file of our own beside the target, fsync, then one rename.

Whoever is killed in the middle leaves the old file, or none; what it was writing is removed by the
next run that writes to the folder (see ``claims``).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from cospal_cli.core.claims import OLD, PART, alone, claimed, clear, is_ours, remove, run_for
from cospal_cli.core.errors import CospalError, DeviceError, UsageError
from cospal_cli.core.foreign import FULL, creating, errors_as, reason, shortage

__all__ = ["alone", "check_outputs", "claimed", "clear", "is_ours", "publish", "replace_folder"]
__all__ += ["replacing", "replacing_folder", "workplace", "write_text"]


@contextmanager
def replacing(target: Path, instead_of: Sequence[Path] = ()) -> Iterator[Path]:
    """Yield a new, empty file to write to; it becomes ``target`` only if the body succeeds.

    ``instead_of``: files that belong to what was at ``target``; they go just before it does, so
    that they never stand beside the new one. On any failure, interrupts included, the new file is
    removed and everything stays as it was. DeviceError when the disk is full or refuses the write;
    other exceptions pass unchanged.
    """
    with _refusing(target), run_for(target) as run:
        part = run.beside(target.name, PART)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        try:
            yield part
            _sync(part)
            for old in instead_of:
                old.unlink(missing_ok=True)
            os.replace(part, target)
        except BaseException:
            remove(part)
            raise
        _sync_folder(target.parent)


@contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Yield a new, empty folder that takes the place of ``target`` if the body succeeds.

    Otherwise ``target`` stays as it was. DeviceError where the disk refuses.
    """
    with _refusing(target), run_for(target) as run:
        part = run.beside(target.name, PART)
        part.mkdir()
        try:
            yield part
            _swap(part, target, run.beside(target.name, OLD))
        except BaseException:
            remove(part)
            raise


@contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """Yield a new, empty, hidden folder in ``folder`` for unfinished files; it is removed
    afterwards.
    """
    with _refusing(folder), run_for(folder / "work") as run:
        work = run.beside("work", PART)
        work.mkdir()
        try:
            yield work
        finally:
            remove(work)


def replace_folder(part: Path, target: Path) -> None:
    """Put the finished folder ``part`` in the place of ``target``, which may be there or not."""
    with _refusing(target), run_for(target) as run:
        _swap(part, target, run.beside(target.name, OLD))


def publish(folder: Path, names: Sequence[str], target: Path) -> None:
    """Move the files ``names`` of ``folder`` to the folder ``target``, where some may be already.

    Files of two runs never stand side by side, whenever the process is killed: first the old ones
    go, all but that of the first name, which is then replaced.
    """
    with _refusing(target):
        for name in names:
            _sync(folder / name)
        for name in reversed(names[1:]):
            (target / name).unlink(missing_ok=True)
        for name in names:
            os.replace(folder / name, target / name)
        _sync_folder(target)


def make_folder(folder: Path) -> None:
    """Make ``folder``, and those above it, where they are missing. OSError says why it cannot."""
    with creating(folder):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            if not folder.is_file():  # a link to nowhere, or to itself
                raise
            raise NotADirectoryError(errno.ENOTDIR, "this is a file", str(folder)) from error


def write_text(target: Path, text: str, instead_of: Sequence[Path] = ()) -> None:
    """Write ``text`` as UTF-8 through ``replacing``; lone surrogates become "?"."""
    with replacing(target, instead_of) as part:
        part.write_bytes(text.encode("utf-8", "replace"))


@errors_as(UsageError, "the output cannot be written", "choose another path with -o")
def check_outputs(targets: Iterable[Path], inputs: Mapping[Path, str], overwrite: bool) -> None:
    """UsageError unless every target can be written: checked before any work starts.

    Refused are a target that is one of ``inputs`` (path -> what it is to the user; by identity, so
    links count), or lies in one, a folder, an existing file without ``overwrite``, and a parent
    folder that is missing, a file or read-only.
    """
    targets = list(targets)
    for folder in dict.fromkeys(target.parent for target in targets):
        _check_folder(folder)
    seen: set[Path] = set()
    for target in targets:
        for source, role in inputs.items():
            if is_same(target, source):
                raise UsageError(
                    f"the output {str(target)!r} is the input itself: {role} {str(source)!r}",
                    "choose another name with -o",
                )
        place = Path(os.path.realpath(target.parent)) / target.name
        if place in seen:
            raise UsageError(
                f"two outputs share the name {str(target)!r}", "give each a name of its own"
            )
        if target.is_dir():
            raise UsageError(f"the output {str(target)!r} is a folder", "name a file in it")
        if os.path.lexists(target) and not overwrite:
            raise UsageError(
                f"the output {str(target)!r} already exists",
                "replace it with --overwrite, or choose another path with -o",
            )
        seen.add(place)


def is_same(target: Path, source: Path) -> bool:
    """Whether writing to ``target`` would change ``source``, or a file of the folder ``source``."""
    try:
        if os.path.realpath(target) == os.path.realpath(source) or target.samefile(source):
            return True
        if not source.is_dir() or target.is_dir():
            return False
        return is_inside(target, source)
    except (OSError, ValueError):  # one of them is not there, or cannot be
        return False


def is_inside(path: Path, folder: Path) -> bool:
    """Whether ``path``, which must exist, is a file of ``folder``, by whatever name."""
    if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        return True
    own = path.stat()
    return own.st_nlink > 1 and any(os.path.samestat(own, other) for other in _stats(folder))


def _stats(folder: Path) -> Iterator[os.stat_result]:
    for path in folder.rglob("*"):
        with suppress(OSError):  # a link to nowhere
            yield path.stat()


def _check_folder(folder: Path) -> None:
    """UsageError unless ``folder`` is a folder in which this process can make a file."""
    if not folder.exists():
        raise UsageError(
            f"the output folder {str(folder)!r} does not exist", f"run: mkdir -p {str(folder)!r}"
        )
    if not folder.is_dir():
        raise UsageError(
            f"the output folder {str(folder)!r} is a file", "choose another path with -o"
        )
    # access() knows nothing of read-only mounts seen by root or of network file systems, and
    # making a file alone would miss nothing but leaves a trace when we are killed: do both.
    try:
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        with run_for(folder / "probe"):
            pass
    except OSError as error:
        about = f"the output folder {str(folder)!r} cannot be written to"
        raise shortage(error, about) or UsageError(
            f"{about}: {reason(error)}", "choose another path with -o"
        ) from error


def _swap(part: Path, target: Path, old: Path) -> None:
    """``part`` becomes ``target``; what was there is ``old`` for the time between two renames."""
    for path in part.rglob("*"):
        if path.is_file():
            _sync(path)
    with suppress(FileNotFoundError):
        os.rename(target, old)
    try:
        os.rename(part, target)
    except OSError:
        with suppress(OSError):
            os.rename(old, target)
        raise
    _sync_folder(target.parent)
    remove(old)


def _sync(path: Path) -> None:
    """Force the file's bytes to the disk, so that the rename never publishes a hole."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable where the system has a way to ask for it."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _refusing(target: Path) -> Iterator[None]:
    """System errors raised while writing ``target``, as errors of cospal."""
    try:
        yield
    except OSError as error:
        raise refusal(target, error) from error


def refusal(target: Path, error: OSError) -> CospalError:
    """The error of cospal for ``error``, raised while writing ``target``."""
    if error.errno in FULL:
        return DeviceError(
            f"no space left to write {str(target)!r}",
            "free some space, or choose another folder",
        )
    return DeviceError(f"cannot write {str(target)!r}: {reason(error)}", "choose another folder")

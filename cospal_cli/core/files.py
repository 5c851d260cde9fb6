"""Writing whole files or none: a temp file beside the target, fsync, then one rename."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cospal_cli.core.errors import CospalError, DeviceError, UsageError

# A file system that takes no more bytes; anything else that fails while writing is named as it is.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
LOCK = ".lock"


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield ``target`` + ".part" to write to; it becomes ``target`` only if the body succeeds.

    On any failure, interrupts included, the temp file is removed and ``target`` stays as it was.
    DeviceError when the disk is full or refuses the write; other exceptions pass unchanged.
    """
    part = target.with_name(_part_name(target.name))
    try:
        yield part
        _sync(part)
        os.replace(part, target)
    except BaseException as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        if isinstance(error, OSError) and not isinstance(error, CospalError):
            raise _refusal(target, error) from error
        raise
    _sync_folder(target.parent)


@contextmanager
def locked(lock: Path, busy: CospalError) -> Iterator[None]:
    """Hold the file ``lock`` for this process; raise ``busy`` if another does. (Not on Windows.)"""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with open(lock, "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise busy from error
        yield


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold ``folder``, by its file ``LOCK``, while writing to it; UsageError if another process
    does."""
    busy = UsageError(
        f"another process is writing to {str(folder)!r}", "wait for it, then run again"
    )
    with locked(folder / LOCK, busy):
        yield


def write_text(target: Path, text: str) -> None:
    """Write ``text`` as UTF-8 through ``replacing``; lone surrogates become "?"."""
    with replacing(target) as part:
        part.write_bytes(text.encode("utf-8", "replace"))


def check_outputs(targets: Iterable[Path], inputs: Iterable[Path], overwrite: bool) -> None:
    """UsageError unless every target can be written: asked before any work starts.

    Refused are a target that is one of ``inputs`` (by identity, so links count), a folder, an
    existing file without ``overwrite``, and a parent folder that is missing, a file or read-only.
    """
    sources = list(inputs)
    seen: set[Path] = set()
    for target in targets:
        _check_folder(target.parent)
        if any(_same_file(target, source) for source in sources):
            raise UsageError(
                f"the output {str(target)!r} is the input itself", "choose another name with -o"
            )
        if target in seen:
            raise UsageError(f"two outputs share the name {str(target)!r}", "give each its own")
        if target.is_dir():
            raise UsageError(f"the output {str(target)!r} is a folder", "name a file in it")
        if os.path.lexists(target) and not overwrite:
            raise UsageError(
                f"the output {str(target)!r} exists", "--overwrite replaces it; -o names another"
            )
        seen.add(target)


def _check_folder(folder: Path) -> None:
    """UsageError unless ``folder`` is a folder in which this process can make a file."""
    if not folder.exists():
        raise UsageError(
            f"the output folder {str(folder)!r} does not exist", f"mkdir -p {str(folder)!r}"
        )
    if not folder.is_dir():
        raise UsageError(f"the output folder {str(folder)!r} is a file", "choose another with -o")
    # access() knows nothing of read-only mounts seen by root or of network file systems, and
    # making a file alone would miss nothing but leaves a trace when we are killed: ask both.
    probe = folder / f".cospal-{os.getpid()}.part"
    try:
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UsageError(
            f"the output folder {str(folder)!r} cannot be written to: {_reason(error)}",
            "choose another with -o",
        ) from error


def _part_name(name: str) -> str:
    """``name`` + ".part"; cut where the file system's 255 bytes would not hold it."""
    raw = os.fsencode(name)
    room = 255 - len(b".part")
    return os.fsdecode(raw if len(raw) <= room else raw[:room]) + ".part"


def _same_file(a: Path, b: Path) -> bool:
    try:
        return a.samefile(b)
    except OSError:
        return False


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


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _refusal(target: Path, error: OSError) -> CospalError:
    if error.errno in _FULL:
        return DeviceError(
            f"no space left to write {str(target)!r}",
            "free some space or choose another folder with -o; nothing was changed",
        )
    return DeviceError(f"cannot write {str(target)!r}: {_reason(error)}", "nothing was changed")

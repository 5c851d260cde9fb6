"""Locks that the system frees when a process dies, with a note about their holder in their files.

The file of a lock is removed when the lock is let go; whoever waits for it then sees that it is
gone (filelock checks), so that two never hold one lock by two files.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import socket
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.core.errors import UsageError
from cospal_cli.core.foreign import creating
from cospal_cli.core.json_types import JsonDict

if TYPE_CHECKING:
    from filelock import BaseFileLock

_MAX_NOTE_BYTES = 1_000_000
# What systems say where a file system has no locks.
_NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}


def obtain(path: Path, patience_s: float) -> BaseFileLock | None:
    """The lock of the file ``path``, held; None where the file system has no locks.

    UsageError if somebody else holds it for longer than ``patience_s``, OSError where the folder
    takes no file.
    """
    from filelock import FileLock, Timeout

    path.parent.stat()  # filelock would make it
    lock = FileLock(path, thread_local=False, fallback_to_soft=False)
    until = time.monotonic() + patience_s
    patience_s = 0
    while True:
        try:
            lock.acquire(timeout=patience_s, poll_interval=0.01)
            return lock
        except Timeout:
            _check_created(path)
            patience_s = until - time.monotonic()
            if patience_s <= 0:
                raise UsageError(
                    f"{str(path)!r} is in use by another process", "run the same command again"
                ) from None
        except (OSError, NotImplementedError) as error:
            number = getattr(error, "errno", None) or errno.ENOSYS
            if number in _NO_LOCKS:
                return None
            # Another user's lock cannot even be opened: it may go in a moment.
            if number not in (errno.EACCES, errno.EPERM) or time.monotonic() >= until:
                raise
            if not path.exists():
                raise
            time.sleep(0.01)


def _check_created(path: Path) -> None:
    """OSError where the folder takes no file, which filelock takes for a lock that others hold."""
    if not path.exists():
        with creating(path):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o644))


def drop(lock: BaseFileLock | None) -> None:
    """Remove the file of a held lock, then let it go; whoever waits for it sees that it is gone."""
    if lock is None:
        return
    with suppress(OSError):
        os.unlink(lock.lock_file)
    with suppress(OSError):
        lock.release()


def write_note(lock: BaseFileLock, note: JsonDict) -> None:
    """Say in the lock's file who holds it, behind the byte that Windows locks."""
    with open(lock.lock_file, "r+b") as file:
        file.seek(1)
        file.write(json.dumps(note).encode())


def read_note(path: Path) -> JsonDict:
    """What ``write_note`` wrote; {} if there is nothing yet."""
    try:
        with open(path, "rb", buffering=0) as file:
            file.seek(1)
            note = json.loads(file.read(_MAX_NOTE_BYTES) or b"{}")
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


@cache
def machine() -> tuple[str, str]:
    """What identifies this machine: its name, and its present boot, which containers share."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:
        boot = b""
    sources = socket.gethostname().encode(), boot or secrets.token_bytes(8)
    return (
        hashlib.blake2b(sources[0], digest_size=4, salt=b"name").hexdigest(),
        hashlib.blake2b(sources[1], digest_size=4, salt=b"boot").hexdigest(),
    )

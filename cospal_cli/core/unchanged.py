"""A file that is read more than once, and must be the same file each time."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from cospal_cli.core.errors import InputError

_Stamp = tuple[int, int]  # bytes, and nanoseconds of the last change


@dataclass(frozen=True)
class Unchanged:
    """``path`` as it was when this was made: its size and the time of its last change.

    Not its number in the file system: some network file systems give another each time.
    """

    path: Path
    stamp: _Stamp | None  # None: missing, or not a regular file; whoever opens it says so

    @classmethod
    def now(cls, path: Path) -> Unchanged:
        """The file as it is at this moment."""
        return cls(path, _stamp(path))

    def check(self, needed: bool = True) -> None:
        """InputError if the file has been changed or replaced; if ``needed`` again, also if gone.

        What was read before and what is read now would not be of the same file.
        """
        now = None if self.stamp is None else _stamp(self.path)
        if now == self.stamp or (now is None and not needed and not self.path.exists()):
            return
        what = "changed" if now else "removed"
        raise InputError(
            f"{str(self.path)!r} was {what} while cospal was reading it",
            "leave the video unchanged until cospal has finished, and run it again",
        )


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None

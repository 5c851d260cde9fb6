"""The file of ``--log-file``: what may become one, and what happens when writing fails."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from cospal_cli.core.errors import UsageError
from cospal_cli.core.files import is_same
from cospal_cli.core.foreign import reason

FORMAT = "%(asctime)s %(levelname)s %(message)s"
_LINE = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ ")  # as FORMAT writes it
_ENDINGS = (".log", ".txt", ".out", ".err")
_SAMPLE = 4096  # bytes


class LogFile(logging.FileHandler):
    """Appends to a file; a failure is reported once, by ``say``, and ends the log."""

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        super().__init__(path, encoding="utf-8", errors="replace")
        self.setFormatter(logging.Formatter(FORMAT))
        self._path, self._say, self._full = path, say, False

    def emit(self, record: logging.LogRecord) -> None:
        """One record, unless the file has failed before."""
        if not self._full:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Reports what ``emit`` met: a failing log ends no run."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        self._full = True
        self._say(f"warning: --log-file {str(self._path)!r}: {reason(error)}; the log ends there")

    def close(self) -> None:
        """Close the file; what it did not take is lost."""
        with suppress(OSError):
            super().close()


def check_log_file(path: Path, others: Mapping[Path, str]) -> None:
    """UsageError where appending to ``path`` would change something else.

    ``others``: files that are read or written, and what they are to the user. What exists must be
    a log of cospal, or a text named as one.
    """
    for other, role in others.items():
        if path != other and os.path.isdir(other):
            continue  # a log may lie in a folder that is read or written
        if is_same(path, other):
            raise UsageError(
                f"--log-file {str(path)!r} is also {role}", "name another file for the log"
            )
    if path.is_file() and not _takes_lines(path):
        raise UsageError(
            f"--log-file {str(path)!r} exists and is not a log", "name another file for the log"
        )


def _takes_lines(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            start = file.read(_SAMPLE)
    except OSError:
        return True  # opening it will say what is wrong
    text = b"\0" not in start and path.suffix.lower() in _ENDINGS
    return not start or bool(_LINE.match(start)) or text

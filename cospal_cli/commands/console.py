"""All that the user sees: messages, logging and, by ``commands.progress``, how far a job is."""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType

from cospal_cli.commands.progress import progress as progress
from cospal_cli.core.errors import DeviceError, UsageError
from cospal_cli.core.escaping import plain_json, printable
from cospal_cli.core.foreign import creating, errors_as, reason
from cospal_cli.core.progress import NOTICE

LOG = logging.getLogger("cospal")
logging.addLevelName(NOTICE, "NOTICE")


def say(line: str) -> None:
    """One line on stderr; a stderr that is closed or full makes no run fail."""
    if sys.stderr is not None:  # print() would take stdout in its place
        with suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)


def say_traceback() -> None:
    """The traceback of the exception being handled, on stderr."""
    say(traceback.format_exc().rstrip())


def emit(text: str) -> None:
    """``text`` and a line end on stdout, UTF-8 whatever the locale, through ``plain_json``.

    Raises BrokenPipeError if its reader has left, DeviceError if it is closed or the disk full.
    """
    if sys.stdout is None:
        raise DeviceError("cannot write to stdout: it is closed", "leave it open, or name a file")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(plain_json(text).encode("utf-8") + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise DeviceError(f"cannot write to stdout: {reason(error)}") from error


def occupy_streams() -> None:
    """Open the null device for each standard stream that is closed.

    Else the next file opened, an output say, would get its number, and with it what libraries
    print. Python's own ``sys.stdout`` stays None.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # gets the lowest free number: this one
            os.set_inheritable(opened, True)


def silence_stdout() -> None:
    """Discard what is left in the buffer of a stdout that cannot be written to."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
        return
    with suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


class _LineFormatter(logging.Formatter):
    """``warning: text`` on one safe line."""

    def format(self, record: logging.LogRecord) -> str:
        line = printable(record.getMessage())
        plain = record.levelno in (logging.INFO, NOTICE)
        return line if plain else f"{record.levelname.lower()}: {line}"


class _Stderr(logging.Handler):
    """Looks up sys.stderr at each line, so that it may be replaced."""

    def emit(self, record: logging.LogRecord) -> None:
        say(self.format(record))


def set_up_logging(
    verbosity: int, log_file: Path | None, others: Mapping[Path, str] | None = None
) -> None:
    """Send the ``cospal`` log to stderr and ``log_file``.

    ``verbosity``: -1 errors only, 0 warnings and notices too, 1 information, 2 everything; the
    file gets all.
    ``others``: what ``log_file`` must not be, see ``check_log_file``.
    """
    levels = {-1: logging.ERROR, 0: NOTICE, 1: logging.INFO}
    handlers: list[logging.Handler] = [_Stderr(levels.get(verbosity, logging.DEBUG))]
    handlers[0].setFormatter(_LineFormatter())
    if log_file is not None:
        from cospal_cli.commands.log_file import LogFile, check_log_file

        check_log_file(log_file, others or {})
        about = f"--log-file {str(log_file)!r}"
        with errors_as(UsageError, about, "name another file"), creating(log_file):
            handlers.append(LogFile(log_file, say))
    for old in LOG.handlers[:]:
        LOG.removeHandler(old)
        old.close()
    for handler in handlers:
        LOG.addHandler(handler)
    LOG.setLevel(logging.DEBUG)
    LOG.propagate = False


class Interrupts:
    """While open: the first Ctrl-C makes ``stopped()`` true, the second interrupts."""

    def __init__(self) -> None:
        self._count = 0

    def stopped(self) -> bool:
        """Whether the user wants to stop."""
        return self._count > 0

    def __enter__(self) -> Interrupts:
        self._previous = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._count += 1
        if self._count > 1:
            raise KeyboardInterrupt
        say("finishing what is done so far; Ctrl-C again stops at once")

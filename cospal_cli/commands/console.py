"""Everything a person sees: messages, logging and progress on stderr. Only this file knows rich."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from cospal_cli.core.errors import DeviceError, UsageError
from cospal_cli.core.escaping import plain_json, printable
from cospal_cli.core.foreign import reason
from cospal_cli.core.progress import Progress, silent

if TYPE_CHECKING:
    from rich.progress import TaskID

LOG = logging.getLogger("cospal")
LOG_EVERY_S = 5.0
STAGES = {"watch": "watching", "draw": "drawing", "read": "reading", "check": "checking"}
STAGES |= {"prepare": "preparing", "parse": "parsing", "encode": "encoding"}
UNITS = {"read": "records", "check": "videos", "prepare": "videos", "parse": "sentences"}
UNITS |= {"encode": "texts"}  # frames elsewhere


def say(line: str) -> None:
    """One line on stderr; a stderr that is closed or full is nobody's reason to fail."""
    if sys.stderr is not None:  # print() would take stdout in its place
        with suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)


def say_traceback() -> None:
    """The traceback of the exception being handled, on stderr."""
    say(traceback.format_exc().rstrip())


def emit(text: str) -> None:
    """``text`` and a line end on stdout, UTF-8 whatever the locale, through ``plain_json``.

    Raises BrokenPipeError if its reader has left, DeviceError if it is closed or takes no more.
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
    """Let what is left in the buffer of a stdout that takes no more go nowhere."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
        return
    with suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


class _Lines(logging.Formatter):
    """``warning: text`` on one safe line."""

    def format(self, record: logging.LogRecord) -> str:
        line = printable(record.getMessage())
        return line if record.levelno == logging.INFO else f"{record.levelname.lower()}: {line}"


class _Stderr(logging.Handler):
    """Looks up sys.stderr at each line, so that it may be replaced."""

    def emit(self, record: logging.LogRecord) -> None:
        say(self.format(record))


def set_up_logging(verbosity: int, log_file: Path | None) -> None:
    """Send the ``cospal`` log to stderr and ``log_file``.

    ``verbosity``: -1 errors only, 0 warnings, 1 information, 2 everything; the file gets all.
    """
    levels = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}
    handlers: list[logging.Handler] = [_Stderr(levels.get(verbosity, logging.DEBUG))]
    handlers[0].setFormatter(_Lines())
    if log_file is not None:
        try:
            handlers.append(logging.FileHandler(log_file, encoding="utf-8", errors="replace"))
        except OSError as error:
            raise UsageError(f"--log-file {log_file}: {error.strerror}") from None
        handlers[1].setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for old in LOG.handlers[:]:
        LOG.removeHandler(old)
        old.close()
    for handler in handlers:
        LOG.addHandler(handler)
    LOG.setLevel(logging.DEBUG)
    LOG.propagate = False


@contextmanager
def progress(quiet: bool, unit: str = "frames") -> Iterator[Progress]:
    """A progress callable: a bar on a terminal, else a log line now and then (seen with -v).

    ``unit``: what is counted.
    """
    if quiet:
        yield silent
        return
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield _LoggedProgress(unit)
        return
    with _bar(console, unit) as bar:
        yield bar


class _LoggedProgress:
    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._started: dict[str, float] = {}
        self._last = time.monotonic()

    def __call__(self, stage: str, done: float, total: float | None) -> None:
        now = time.monotonic()
        verb = STAGES.get(stage, stage)
        if stage not in self._started:
            self._started[stage] = self._last = now
            LOG.info("%s", verb)
        if now - self._last < LOG_EVERY_S:
            return
        self._last = now
        rate = done / (now - self._started[stage])
        of = f" of about {total:.0f}" if total else ""
        left = f", {max(total - done, 0) / rate:.0f} s left" if total and rate else ""
        unit = UNITS.get(stage, self._unit)
        LOG.info("%s: %.0f%s %s, %.1f %s/s%s", verb, done, of, unit, rate, unit, left)


@contextmanager
def _bar(console: Any, unit: str) -> Iterator[Progress]:
    from rich import progress as rich

    bar = rich.Progress(
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn(unit + ", {task.fields[rate]:.1f}/s"),
        rich.TimeRemainingColumn(),
        console=console,
        transient=True,
        redirect_stdout=False,  # results are no part of what is shown
    )
    tasks: dict[str, TaskID] = {}

    def update(stage: str, done: float, total: float | None) -> None:
        if stage not in tasks:
            tasks[stage] = bar.add_task(
                STAGES.get(stage, stage), total=total, rate=0.0, unit=UNITS.get(stage, "frames")
            )
        elapsed = bar.tasks[tasks[stage]].elapsed or 0.0
        rate = done / elapsed if elapsed > 0 else 0.0
        whole = None if total is None else max(total, done)
        bar.update(tasks[stage], completed=done, total=whole, rate=rate)

    with bar:
        yield update


class Interrupts:
    """While open: the first Ctrl-C makes ``stopped()`` true, the second interrupts."""

    def __init__(self) -> None:
        self._count = 0

    def stopped(self) -> bool:
        """Whether the user asked to stop."""
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

"""How far a long job is: a bar on a terminal, else a plain line every half minute. Only this file
knows rich's bar."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from cospal_cli.core.progress import NOTICE, Progress, silent

if TYPE_CHECKING:
    from rich.progress import TaskID

LOG = logging.getLogger("cospal")
TICK_S = 5.0  # between lines with -v
NOTICE_TICKS = 6  # of these one is a line for everybody
STAGES = {
    "ground": "grounding",
    "watch": "watching",
    "draw": "drawing",
    "read": "reading",
    "check": "checking",
}
STAGES |= {"prepare": "preparing", "parse": "parsing", "encode": "encoding", "train": "training"}
STAGES |= {"ground": "grounding"}
UNITS = {"read": "records", "check": "videos", "prepare": "videos", "parse": "sentences"}
UNITS |= {"encode": "texts", "train": "updates", "ground": "videos"}  # else what the command says


@contextmanager
def progress(quiet: bool, unit: str = "frames") -> Iterator[Progress]:
    """A progress callable: a bar on a terminal, else a line now and then; nothing if ``quiet``.

    ``unit``: what is counted where the stage does not say.
    """
    if quiet:
        yield silent
        return
    if _may_be_terminal():
        from rich.console import Console

        console = Console(stderr=True)
        if console.is_terminal and not console.is_dumb_terminal:
            with _bar(console, unit) as bar:
                yield bar
            return
    with _ProgressLines(unit) as lines:
        yield lines


def _may_be_terminal() -> bool:
    """Whether stderr is a terminal, or is said to be one; rich, which is slow to load, decides."""
    said = any(os.environ.get(name) for name in ("FORCE_COLOR", "TTY_COMPATIBLE"))
    return said or (sys.stderr is not None and sys.stderr.isatty())


class _State(NamedTuple):
    """How far one stage is."""

    stage: str
    began: float  # monotonic seconds
    first: float  # ``done`` at that time: a resumed job does not begin with 0
    done: float
    total: float | None
    note: str

    def line(self, unit: str) -> str:
        """Everything in one line."""
        unit = UNITS.get(self.stage, unit)
        of = f" of {self.total:.0f}" if self.total else ""
        parts = [f"{STAGES.get(self.stage, self.stage)}: {self.done:.0f}{of} {unit}"]
        rate = (self.done - self.first) / max(time.monotonic() - self.began, 1e-9)
        if rate > 0:
            parts.append(_rate(rate, unit))
        if rate > 0 and self.total:
            parts.append(f"{_duration(max(self.total - self.done, 0) / rate)} left")
        return ", ".join([*parts, self.note] if self.note else parts)


class _ProgressLines:
    """Writes from a thread of its own, so also while one step takes its time."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._state: _State | None = None
        self._ended = threading.Event()
        self._writer = threading.Thread(target=self._write, name="cospal-progress", daemon=True)

    def __enter__(self) -> _ProgressLines:
        self._writer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._writer.join()

    def __call__(self, stage: str, done: float, total: float | None, note: str = "") -> None:
        last = self._state
        if last is None or last.stage != stage:
            LOG.info("%s", STAGES.get(stage, stage))
            self._state = _State(stage, time.monotonic(), done, done, total, note)
        else:
            self._state = _State(stage, last.began, last.first, done, total, note)

    def _write(self) -> None:
        ticks = 0
        while not self._ended.wait(TICK_S):
            ticks += 1
            if (state := self._state) is not None:
                level = logging.INFO if ticks % NOTICE_TICKS else NOTICE
                LOG.log(level, "%s", state.line(self._unit))


@contextmanager
def _bar(console: Any, unit: str) -> Iterator[Progress]:
    from rich import progress as rich

    bar = rich.Progress(
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[unit]}, {task.fields[rate]}"),
        rich.TimeRemainingColumn(),
        rich.TextColumn("{task.fields[note]}"),
        console=console,
        transient=True,
        redirect_stdout=False,  # results are not part of what is shown
    )
    tasks: dict[str, tuple[TaskID, float]] = {}

    def update(stage: str, done: float, total: float | None, note: str = "") -> None:
        named = UNITS.get(stage, unit)
        if stage not in tasks:
            name, begun = STAGES.get(stage, stage), int(done)
            task = bar.add_task(name, total=total, completed=begun, unit=named, rate="", note="")
            tasks[stage] = task, done
        task, first = tasks[stage]
        elapsed = bar.tasks[task].elapsed or 0.0
        rate = _rate((done - first) / elapsed, named) if elapsed > 0 else ""
        whole = None if total is None else max(total, done)
        bar.update(task, completed=done, total=whole, rate=rate, note=note)

    with bar:
        yield update


def _rate(per_s: float, unit: str) -> str:
    """So many units a second, minute or hour: the first that is at least one."""
    spans = ((1, "s"), (60, "min"), (3600, "h"))
    seconds, name = next((one for one in spans if per_s * one[0] >= 1), spans[-1])
    return f"{per_s * seconds:.1f} {unit}/{name}"


def _duration(seconds: float) -> str:
    """A time in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"

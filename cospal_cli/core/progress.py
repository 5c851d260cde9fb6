"""How lower layers report progress: a callable, so that only the commands know a terminal."""

from __future__ import annotations

from typing import Protocol

NOTICE = 25  # log level of what a long job says now and then: less than a warning, always shown


class Progress(Protocol):
    """Called with how far a job has come."""

    def __call__(self, stage: str, done: float, total: float | None, note: str = "") -> None:
        """``stage`` in progress ("watch", "draw"); ``done`` of ``total`` frames (None: unknown).

        ``note``: what else there is to say of it, such as a loss or failures.
        """


def silent(stage: str, done: float, total: float | None, note: str = "") -> None:
    """The default: report nothing."""


def never() -> bool:
    """The default of ``stopped``: run to the end."""
    return False


def failures(count: int) -> str:
    """A note on what could not be done; "" for nothing."""
    return f"{count} failed" if count else ""

"""How lower layers report progress: a callable, so that only ``console`` knows rich."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    def __call__(self, stage: str, done: float, total: float | None) -> None:
        """``stage`` in progress ("watch", "draw"); ``done`` of ``total`` frames (None: unknown)."""


def silent(stage: str, done: float, total: float | None) -> None:
    """The default: report nothing."""

"""Results that come in any order, handed on in that of their numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class InOrder(Generic[T]):
    """Hands on what comes in any order in that of its numbers from 0, or at once."""

    def __init__(self, emit: Callable[[T], None], ordered: bool) -> None:
        self._emit, self._ordered = emit, ordered
        self._waiting: dict[int, T | None] = {}
        self._next = 0

    def add(self, at: int, one: T | None) -> None:
        """The one of number ``at``; None: there is none."""
        if not self._ordered:
            if one is not None:
                self._emit(one)
            return
        self._waiting[at] = one
        while self._next in self._waiting:
            ready = self._waiting.pop(self._next)
            self._next += 1
            if ready is not None:
                self._emit(ready)

    def end(self) -> None:
        """Hand on what still waits for one that did not come."""
        for at in sorted(self._waiting):
            if (one := self._waiting[at]) is not None:
                self._emit(one)
        self._waiting.clear()

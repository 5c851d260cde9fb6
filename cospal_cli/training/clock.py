"""How the time of a training is spent: waiting for data, or working on it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class TrainingTimer:
    """Counts the seconds of both and the samples worked on, in all and since the last ``lap``."""

    def __init__(self) -> None:
        self._total = [0.0, 0.0, 0.0]  # waited, worked, samples
        self._lap = [0.0, 0.0, 0.0]

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around whatever fetches the next batch."""
        began = time.perf_counter()
        yield
        self._add(0, time.perf_counter() - began)

    @contextmanager
    def working(self, samples: int) -> Iterator[None]:
        """Around whatever is done with a batch of ``samples``."""
        began = time.perf_counter()
        yield
        self._add(1, time.perf_counter() - began)
        self._add(2, samples)

    def lap(self) -> dict[str, float]:
        """Samples per second and the share of waiting since the last call."""
        rate, share = _rates(self._lap)
        self._lap = [0.0, 0.0, 0.0]
        return {"samples_per_s": rate, "wait_share": share}

    def totals(self) -> tuple[float, float]:
        """The same two since the beginning."""
        return _rates(self._total)

    def _add(self, at: int, value: float) -> None:
        self._total[at] += value
        self._lap[at] += value


def _rates(counts: list[float]) -> tuple[float, float]:
    waited, worked, samples = counts
    spent = waited + worked
    return (samples / spent, waited / spent) if spent else (0.0, 0.0)

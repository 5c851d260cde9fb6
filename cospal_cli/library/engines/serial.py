"""One job after another, in this process."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

from cospal_cli.core.worker_pool import Failure, attempt_all
from cospal_cli.settings import EngineConfig

T = TypeVar("T")
R = TypeVar("R")


class Serial:
    """See ``JobEngine``. The models have every processor to themselves."""

    workers = 1

    def __init__(self, config: EngineConfig) -> None:
        """Nothing of ``config`` matters."""

    def run(self, jobs: Iterable[T], work: Callable[[T], R]) -> Generator[tuple[T, R | Failure]]:
        """See ``JobEngine``."""
        yield from attempt_all(jobs, work)

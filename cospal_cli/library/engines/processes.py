"""Several processes of this machine, which share its processors."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import TypeVar

from cospal_cli.core.worker_pool import Failure, attempt_all
from cospal_cli.devices import use_share
from cospal_cli.settings import EngineConfig

T = TypeVar("T")
R = TypeVar("R")


class Processes:
    """See ``JobEngine``. The job of a process that dies is tried again, alone."""

    def __init__(self, config: EngineConfig) -> None:
        self.workers = config.workers
        self.setup: Callable[[], None] = partial(use_share, config.workers)  # of each process

    def run(self, jobs: Iterable[T], work: Callable[[T], R]) -> Generator[tuple[T, R | Failure]]:
        """See ``JobEngine``."""
        yield from attempt_all(jobs, work, self.workers, ordered=False, setup=self.setup)

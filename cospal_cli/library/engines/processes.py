"""Several processes of this machine, which share its processors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import Any, TypeVar

from cospal_cli.core.worker_pool import Failure, attempt_all
from cospal_cli.devices import use_share
from cospal_cli.settings import EngineConfig

LOG = logging.getLogger("cospal")
T = TypeVar("T")
R = TypeVar("R")


class Processes:
    """See ``JobEngine``. The job of a process that dies is tried again, alone."""

    def __init__(self, config: EngineConfig) -> None:
        self.workers = config.workers
        self.shares = config.share_detector == "always"
        self.use = 0.0  # the share of time in which a shared detector ran, from its first batch on

    def run(self, jobs: Iterable[T], work: Callable[[T], R]) -> Generator[tuple[T, R | Failure]]:
        """See ``JobEngine``."""
        share = partial(use_share, self.workers)
        if not self.shares:
            yield from attempt_all(jobs, work, self.workers, ordered=False, setup=share)
            return
        from cospal_cli.library.engines.shared import DetectorServer

        with DetectorServer() as server:
            setup = partial(_join, self.workers, server.address, server.key)
            yield from attempt_all(jobs, work, self.workers, ordered=False, setup=setup)
            if server.span_s:
                self.use = server.busy_s / server.span_s
                LOG.info(
                    "the detector ran in %.0f %% of %.1f s: %d frames in %d batches",
                    100 * self.use, server.span_s, server.frames, server.batches,
                )  # fmt: skip


def _join(workers: int, address: Any, key: bytes) -> None:
    """What a worker does first."""
    from cospal_cli.library.engines.shared import join

    use_share(workers)
    join(address, key)

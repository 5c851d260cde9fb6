"""Work on many videos, of which some are damaged and some kill the process that reads them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from cospal_cli.core.errors import CospalError
from cospal_cli.core.foreign import reason

T = TypeVar("T")
R = TypeVar("R")
DIED = "the process that read it died"


@dataclass(frozen=True)
class Failure:
    """Why an item has no result."""

    reason: str


def attempt_all(
    items: Iterable[T], work: Callable[[T], R], workers: int = 0
) -> Generator[tuple[T, R | Failure]]:
    """``work`` on every item, in order; what it raises becomes a Failure.

    ``workers`` > 0: in so many processes, a few items ahead, where ``work`` and the items must be
    picklable. A process that dies costs the item that killed it and nothing else.
    """
    if workers <= 0:
        for item in items:
            yield item, _attempt(work, item)
        return
    source = iter(items)
    waiting: list[T] = []  # handed out when a process died: one of them killed it
    while True:
        for item in waiting:
            yield item, _alone(work, item)
        waiting = yield from _until_broken(source, work, workers)
        if not waiting:
            return


def start_worker() -> None:
    """What a worker process does first: leave Ctrl-C to its parent, and end with it however that
    ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _attempt(work: Callable[[T], R], item: T) -> R | Failure:
    try:
        return work(item)
    except CospalError as error:
        return Failure(error.message)
    except Exception as error:
        return Failure(reason(error))


def _pool(workers: int) -> ProcessPoolExecutor:
    # Not forked: threads of decoders and runtimes do not survive a fork.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), start_worker)


def _alone(work: Callable[[T], R], item: T) -> R | Failure:
    """One item in a process of its own."""
    with _pool(1) as pool:
        try:
            return pool.submit(_attempt, work, item).result()
        except BrokenProcessPool:
            return Failure(DIED)


def _until_broken(
    source: Iterator[T], work: Callable[[T], R], workers: int
) -> Generator[tuple[T, R | Failure], None, list[T]]:
    """Yield results in order; return the items handed out without result when a process died."""
    pending: deque[tuple[T, Future[R | Failure]]] = deque()
    pool = _pool(workers)
    try:
        while True:
            for item in islice(source, 2 * workers - len(pending)):
                pending.append((item, _submit(pool, work, item)))
            if not pending:
                return []
            item, future = pending[0]
            try:
                result = future.result()
            except BrokenProcessPool:
                return [item for item, _ in pending]
            pending.popleft()
            yield item, result
    finally:
        pool.shutdown(cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, work: Callable[[T], R], item: T) -> Future[R | Failure]:
    """The item's future; one that failed already where the pool broke meanwhile."""
    try:
        return pool.submit(_attempt, work, item)
    except BrokenProcessPool as error:
        failed: Future[R | Failure] = Future()
        failed.set_exception(error)
        return failed

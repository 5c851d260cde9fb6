"""Work on many videos, of which some are damaged and some kill the process that reads them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
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
    items: Iterable[T],
    work: Callable[[T], R],
    workers: int = 0,
    ordered: bool = True,
    setup: Callable[[], None] | None = None,
) -> Generator[tuple[T, R | Failure]]:
    """``work`` on every item, in order, or as they finish; what it raises becomes a Failure.

    ``workers`` > 0: in so many processes, a few items ahead, where ``work``, the items and
    ``setup``, which each process calls first, must be picklable. A process that dies costs the
    item that killed it and nothing else.
    """
    if workers <= 0:
        for item in items:
            yield item, attempt(work, item)
        return
    source = iter(items)
    waiting: list[tuple[T, Future[R | Failure]]] = []  # when a process died: one of them killed it
    while True:
        for item, future in waiting:
            done = not future.exception()
            yield item, future.result() if done else _alone(work, item, setup)
        pool = _pool(workers, setup)
        submit = partial(_submit, pool, work)
        try:
            waiting = yield from _until_broken(source, submit, workers, ordered)
        finally:
            pool.shutdown(cancel_futures=True)
        if not waiting:
            return


def start_worker(setup: Callable[[], None] | None = None) -> None:
    """What a worker process does first: leave Ctrl-C to its parent, and end with it however that
    ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    if setup is not None:
        setup()


def attempt(work: Callable[[T], R], item: T) -> R | Failure:
    """``work`` on one item; what it raises becomes a Failure."""
    try:
        return work(item)
    except CospalError as error:
        return Failure(error.message)
    except Exception as error:
        return Failure(reason(error))


def _pool(workers: int, setup: Callable[[], None] | None) -> ProcessPoolExecutor:
    # Not forked: threads of decoders and runtimes do not survive a fork.
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, spawn, start_worker, (setup,))


def _alone(work: Callable[[T], R], item: T, setup: Callable[[], None] | None) -> R | Failure:
    """One item in a process of its own; twice, since somebody else may have killed the first."""
    for _ in range(2):
        with _pool(1, setup) as pool, suppress(BrokenProcessPool):
            return pool.submit(attempt, work, item).result()
    return Failure(DIED)


def _until_broken(
    source: Iterator[T],
    submit: Callable[[T], Future[R | Failure]],
    workers: int,
    ordered: bool,
) -> Generator[tuple[T, R | Failure], None, list[tuple[T, Future[R | Failure]]]]:
    """Yield results; return the items handed out, with their futures, when a process died."""
    pending: dict[Future[R | Failure], T] = {}  # as handed out
    while True:
        for item in islice(source, 2 * workers - len(pending)):
            pending[submit(item)] = item
        if not pending:
            return []
        first = next(iter(pending))
        ready, _ = wait([first] if ordered else pending, return_when=FIRST_COMPLETED)
        for future in [one for one in pending if one in ready]:
            try:
                result = future.result()
            except BrokenProcessPool:
                wait(pending)  # all of them fail, but for those that were done before
                return [(item, future) for future, item in pending.items()]
            yield pending.pop(future), result


def _submit(pool: ProcessPoolExecutor, work: Callable[[T], R], item: T) -> Future[R | Failure]:
    """The item's future; one that failed already where the pool broke meanwhile."""
    try:
        return pool.submit(attempt, work, item)
    except BrokenProcessPool as error:
        failed: Future[R | Failure] = Future()
        failed.set_exception(error)
        return failed

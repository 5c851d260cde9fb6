"""Run an iterator in a thread of its own, a few items ahead of its reader."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")


def prefetch(items: Iterator[T], depth: int = 2) -> Generator[T]:
    """Yield ``items`` in order while a thread makes at most ``depth`` of them in advance.

    An exception of the iterator is raised here, at its place in the order. Closing the generator
    stops the thread and waits for it, so that whatever the iterator reads may be closed after.
    """
    queue: Queue[tuple[str, T | BaseException | None]] = Queue(depth)
    over = Event()
    thread = Thread(target=_fill, args=(items, queue, over), daemon=True)
    thread.start()
    try:
        while True:
            kind, item = queue.get()
            if kind == "error":
                assert isinstance(item, BaseException)
                raise item
            if kind == "end":
                return
            yield item  # type: ignore[misc]
    finally:
        over.set()
        try:
            while True:  # a thread that waits for room sees `over` at its next attempt
                queue.get_nowait()
        except Empty:
            pass
        thread.join()


def _fill(items: Iterator[T], queue: Queue, over: Event) -> None:
    def put(kind: str, item: object) -> bool:
        while not over.is_set():
            try:
                queue.put((kind, item), timeout=0.2)
                return True
            except Full:
                continue
        return False

    try:
        for item in items:
            if not put("item", item):
                break
        else:
            put("end", None)
    except BaseException as error:  # handed to the reader, whatever it is
        put("error", error)
    finally:
        close = getattr(items, "close", None)
        if close and over.is_set():
            close()

"""The prefetching thread keeps order, errors and closing."""

from collections.abc import Iterator
from contextlib import closing
from itertools import count
from threading import active_count, get_ident

import pytest

from cospal_cli.core.prefetch import prefetch


def test_order_and_thread() -> None:
    def items() -> Iterator[tuple[int, int]]:
        yield from ((i, get_ident()) for i in range(50))

    got = list(prefetch(items()))
    assert [i for i, _ in got] == list(range(50))
    assert {thread for _, thread in got}.isdisjoint({get_ident()})


def test_error_comes_at_its_place() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("third")

    stream = prefetch(items())
    assert next(stream) == 1
    with pytest.raises(ValueError, match="third"):
        next(stream)


def test_closing_early_stops_the_thread_and_the_source() -> None:
    closed = []

    def items() -> Iterator[int]:
        try:
            yield from count()
        finally:
            closed.append(True)

    before = active_count()
    with closing(prefetch(items(), depth=1)) as stream:
        assert [next(stream) for _ in range(3)] == [0, 1, 2]
    assert closed == [True]
    assert active_count() == before

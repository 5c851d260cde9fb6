"""JSON documents with one value replaced by what does not belong there."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from cospal_cli.core.errors import CospalError

VALUES: tuple[Any, ...] = (
    None, True, -1, 1.5, 10**30, float("nan"), float("inf"), "", "\ud800", [], [[]], ["x", 1], {},
)  # fmt: skip
MISSING = object()


def changed(document: Any, values: tuple[Any, ...] = (*VALUES, MISSING)) -> Iterator[Any]:
    """``document`` with each of its values, at every depth, replaced by each of ``values``.

    Of a list the first item only. ``MISSING`` takes the value away.
    """
    for place in _places(document, ()):
        for value in values:
            if place:
                whole = copy.deepcopy(document)
                holder = whole
                for key in place[:-1]:
                    holder = holder[key]
                if value is MISSING:
                    del holder[place[-1]]
                else:
                    holder[place[-1]] = value
                yield whole
            elif value is not MISSING:
                yield value


def _places(value: Any, place: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    yield place
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, (*place, key))
    elif isinstance(value, list) and value:
        yield from _places(value[0], (*place, 0))


def refused(read: Callable[[], Any], *kinds: type[CospalError]) -> bool:
    """Whether ``read`` raises one of ``kinds``, in one line of moderate length; else it succeeds.

    Whatever else it raises goes on: a reader must not.
    """
    try:
        read()
    except kinds as error:
        message = error.message
    else:
        return False
    assert "\n" not in message
    assert len(message) < 700, message
    return True

"""JSON values as the types they should have: a file may hold anything.

What does not fit is a ValueError, TypeError or KeyError in plain words, for the border around the
reader to pass on: see ``foreign.errors_as``.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from math import isfinite
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from cospal_cli.core.foreign import short
from cospal_cli.core.json_types import Json, JsonDict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")
BIGGEST = 2**63 - 1  # what an array can hold
_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
_NAMES |= {tuple: "a list", list: "a list", dict: "an object", Mapping: "an object"}


def as_table(value: object) -> JsonDict:
    """``value`` if it is an object, else ValueError."""
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, found {short(value)}")
    return value


def filled(kind: type[T], row: Any) -> T:
    """The dataclass ``kind`` from the JSON object ``row``, each value of its field's type.

    ValueError, TypeError or KeyError where a value is missing, not known or of another type. A list
    becomes a tuple, an object a dataclass, where the field says so.
    """
    hints, every = get_type_hints(kind), fields(kind)  # type: ignore[arg-type]
    if unknown := as_table(row).keys() - {one.name for one in every}:
        raise ValueError(f"unknown field {short(min(unknown))}")
    for one in every:
        if one.name not in row and one.default is one.default_factory is MISSING:
            raise KeyError(one.name)
    return kind(**{name: fitting(value, hints[name], name) for name, value in row.items()})


def fitting(value: object, hint: Any, name: str) -> Any:
    """The JSON ``value`` as the type ``hint``; ValueError, naming ``name``, where it does not fit.

    Numbers are finite, and whole ones within +-``BIGGEST``; true and false are not numbers; whole
    numbers are accepted as numbers.
    """
    kind, inner = get_origin(hint) or hint, get_args(hint)
    if kind is UnionType or kind is Union:
        if value is None and NoneType in inner:
            return None
        kinds = [one for one in inner if one is not NoneType]
        for one in kinds[:-1]:
            with suppress(ValueError, TypeError, KeyError):
                return fitting(value, one, name)
        return fitting(value, kinds[-1], name)
    if kind in (Any, object):
        return value
    if is_dataclass(kind):
        return filled(kind, value)  # type: ignore[arg-type]
    if kind is tuple and isinstance(value, list):
        if inner[-1] is Ellipsis or not inner:
            return tuple(fitting(one, inner[0] if inner else object, name) for one in value)
        if len(value) == len(inner):
            return tuple(map(fitting, value, inner, [name] * len(inner)))
    if kind in (Mapping, dict) and isinstance(value, dict):
        each = inner[1] if inner else object
        return {key: fitting(one, each, f"{name}.{key}") for key, one in value.items()}
    if kind is list and isinstance(value, list):
        return [fitting(one, inner[0] if inner else object, name) for one in value]
    if kind in (bool, str) and isinstance(value, kind):
        return value
    if kind is float and isinstance(value, float) and isfinite(value):
        return value
    if kind in (int, float) and type(value) is int and abs(value) <= BIGGEST:
        return kind(value)
    raise ValueError(f"{name!r}: expected {_NAMES.get(kind, kind)}, found {short(value)}")


def field_of(row: Json, key: str, hint: object, least: float | None = None) -> Any:
    """The value at ``key``, ``fitting`` the type ``hint`` and not below ``least``.

    KeyError where it is missing, ValueError where it does not fit.
    """
    value = fitting(row[key], hint, key)
    if least is not None and value < least:
        raise ValueError(f"{key!r}: expected {least} or more, found {short(value)}")
    return value


def numbers(values: Any, width: int | None = None) -> NDArray[np.float64]:
    """A list of numbers as (N,), or with ``width`` a list of such lists as (N, ``width``).

    ValueError for anything else: strings, true and false, null, rows of other lengths. NaN and
    infinity pass.
    """
    import numpy as np

    rows = values if width else [values]
    what = f"rows of {width} numbers" if width else "a list of numbers"
    if not isinstance(values, list):
        raise ValueError(f"expected {what}, found {short(values)}")
    for row in rows:
        if not isinstance(row, list) or (width and len(row) != width):
            raise ValueError(f"expected {what}, found {short(row)}")
        if not set(map(type, row)) <= {int, float}:
            raise ValueError(f"expected {what}, found {short(row)}")
    made = np.array(values, np.float64)
    return made.reshape(0, width) if width and not len(values) else made

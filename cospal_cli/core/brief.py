"""One line for records that hold arrays: their shapes in place of thousands of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

import numpy as np

_VALUE, _LINE = 60, 240  # characters


def brief(record: Any) -> str:
    """The ``repr`` of a dataclass on one line; what is left at its default is left out."""
    parts = [
        f"{one.name}={_shown(value)}"
        for one in fields(record)
        if one.repr and not _is_default(value := getattr(record, one.name), one.default)
    ]
    return _cut(f"{type(record).__name__}({', '.join(parts)})", _LINE)


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{list(value.shape)}"
    if is_dataclass(value):
        text = " ".join(repr(value).split())
        return text if len(text) <= _VALUE else f"{type(value).__name__}(...)"
    if isinstance(value, list | tuple | Mapping) and len(value) > 4:
        return f"{type(value).__name__} of {len(value)}"
    return _cut(" ".join(repr(value).split()), _VALUE)


def _is_default(value: object, default: object) -> bool:
    if default is MISSING or isinstance(value, np.ndarray):
        return False
    return value is default or (type(value) is type(default) and bool(value == default))


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."

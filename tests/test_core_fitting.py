"""JSON's values are taken for what they should be and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from cospal_cli.core.fitting import field_of, filled, fitting, numbers

WRONG = (ValueError, TypeError, KeyError)


@dataclass(frozen=True)
class Inner:
    side: int
    scale: float = 1.0


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner
    pairs: tuple[tuple[int, int], ...]
    flag: bool = False
    maybe: int | None = None
    held: Mapping[str, float] = field(default_factory=dict)
    anything: Mapping[str, Any] = field(default_factory=dict)


GOOD: dict[str, Any] = {"name": "a", "inner": {"side": 3}, "pairs": [[1, 2], [3, 4]]}


def test_an_object_fills_a_dataclass() -> None:
    found = filled(Outer, GOOD | {"maybe": None, "held": {"x": 1}, "anything": {"y": [1]}})
    assert found == Outer("a", Inner(3), ((1, 2), (3, 4)), held={"x": 1.0}, anything={"y": [1]})
    assert type(found.held["x"]) is float


@pytest.mark.parametrize(
    "row",
    [
        None, [], "x", 1, {}, {"name": "a"},
        GOOD | {"other": 1}, GOOD | {"name": 1}, GOOD | {"name": None}, GOOD | {"flag": 1},
        GOOD | {"flag": "true"}, GOOD | {"maybe": "1"}, GOOD | {"maybe": 1.0},
        GOOD | {"maybe": True}, GOOD | {"maybe": 2**70}, GOOD | {"inner": []},
        GOOD | {"inner": {}}, GOOD | {"inner": {"side": 1.5}},
        GOOD | {"inner": {"side": 1, "scale": float("nan")}},
        GOOD | {"inner": {"side": 1, "scale": float("inf")}},
        GOOD | {"inner": {"side": 1, "scale": 10**400}},
        GOOD | {"inner": {"side": 1, "scale": "1"}}, GOOD | {"pairs": {}},
        GOOD | {"pairs": [[1]]}, GOOD | {"pairs": [[1, 2, 3]]}, GOOD | {"pairs": [1]},
        GOOD | {"held": []}, GOOD | {"held": {"x": "y"}},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(row: Any) -> None:
    with pytest.raises(WRONG):
        filled(Outer, row)


@pytest.mark.parametrize("value", ["a", 1, 1.5, True, None])
def test_a_choice_of_types_takes_each(value: Any) -> None:
    found = fitting(value, str | int | float | bool | None, "x")
    assert found == value
    assert type(found) is type(value)


def test_a_choice_of_types_takes_no_other() -> None:
    with pytest.raises(ValueError, match="'x'"):
        fitting([], str | int | None, "x")


def test_a_least_value() -> None:
    assert field_of({"a": 3}, "a", int, 3) == 3
    with pytest.raises(ValueError, match="'a': expected 4 or more, found 3"):
        field_of({"a": 3}, "a", int, 4)
    with pytest.raises(KeyError):
        field_of({}, "a", int)


def test_numbers_are_arrays() -> None:
    assert numbers([1, 2.5]).tolist() == [1, 2.5]
    assert numbers([[1, 2], [3, 4]], 2).shape == (2, 2)
    assert numbers([], 4).shape == (0, 4)
    assert np.isnan(numbers([float("nan")])[0])


@pytest.mark.parametrize(
    ("values", "width"),
    [
        (None, None), ("12", None), (1, None), ({}, None), ([True], None), (["1"], None),
        ([None], None), ([[1]], None), ([1], 2), ([[1]], 2), ([[1, 2], [1]], 2), (["ab"], 2),
        ([[1, "2"]], 2), ([[1, False]], 2), ([[1, [2]]], 2), ([{"a": 1}], 2), ([[]], 4),
    ],
)  # fmt: skip
def test_what_is_no_list_of_numbers_is_refused(values: Any, width: int | None) -> None:
    with pytest.raises(ValueError, match="expected"):
        numbers(values, width)

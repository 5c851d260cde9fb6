"""docs/reliability.md: every case is there once, and every test that it names exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "reliability.md"
ROW = re.compile(r"^\| (\d+) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
NAMED = re.compile(r"`([\w.]+\.py)::(\w+)`")
ROWS = {int(found[0]): found[1:] for found in ROW.findall(PAGE.read_text(encoding="utf-8"))}
CASES = 41


@cache
def names_in(file: str) -> frozenset[str]:
    """The names of the tests that pytest finds in a file."""
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def test_every_case_is_there_once() -> None:
    numbers = [int(found[0]) for found in ROW.findall(PAGE.read_text(encoding="utf-8"))]
    assert numbers == list(range(1, CASES + 1))


@pytest.mark.parametrize("number", ROWS)
def test_every_test_named_exists(number: int) -> None:
    named = NAMED.findall(ROWS[number][-1])
    assert named
    assert re.sub(NAMED, "", ROWS[number][-1]).strip(" ,") == ""  # nothing but names of tests
    for file, name in named:
        assert name in names_in(file), f"{file}::{name}"

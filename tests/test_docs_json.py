"""docs/json.md against the JSON Schema: no field is missing, none is invented, types agree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cospal_cli.outputs.tube_json import schema

PAGE = (Path(__file__).parent.parent / "docs" / "json.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", PAGE, re.MULTILINE))
TYPES = {
    "string": "text", "integer": "whole number", "number": "number", "boolean": "true or false",
    "object": "object", "array": "list", "null": "null",
}  # fmt: skip


def fields(node: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every field of the schema, as the page names it."""
    for name, inner in node.get("properties", {}).items():
        place = f"{path}.{name}" if path else name
        yield place, inner
        yield from fields(inner, place)
    if "items" in node:
        yield from fields(node["items"], f"{path}[]")


FIELDS = dict(fields(schema()))


def test_every_field_has_a_row_and_every_row_a_field() -> None:
    assert len(FIELDS) > 80
    assert [name for name in FIELDS if name not in ROWS] == []
    assert [name for name in ROWS if name not in FIELDS] == []


@pytest.mark.parametrize("name", FIELDS)
def test_a_row_tells_type_range_and_unit(name: str) -> None:
    node, cells = FIELDS[name], [cell.strip() for cell in ROWS[name].split(" | ")]
    kind, span = cells[0], " ".join(cells[1:])
    kinds = node.get("type", [])
    for one in [kinds] if isinstance(kinds, str) else kinds:
        assert TYPES[one] in kind
    for value in [*node.get("enum", []), *([node["const"]] if "const" in node else [])]:
        assert str(value) in span
    if node.get("minimum", -1) >= 0 and not {"start_frame", "end_frame"} & {name.split(".")[-1]}:
        assert f"≥ {node['minimum']}" in span
    last = name.split(".")[-1]
    if last in ("start_time", "start_frame"):
        assert "inclusive" in span
    if last in ("end_time", "end_frame"):
        assert "exclusive" in span
    if last in ("time", "first_time", "duration", "start_time", "end_time"):
        assert "seconds" in span
    if last in ("score", "confidence", "weight"):
        assert "from 0" in span
        assert "inclusive" in span

"""What pages say of the code: places such as ``core/tube.py:Tube``, looked up in the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOMES = (ROOT / "cospal_cli", ROOT, ROOT / "docs")  # where a page's paths begin
_CODE = re.compile(r"`([^`\n]+)`")
_BLOCK = re.compile(r"```\w*\n(.*?)```", re.DOTALL)
_DRAWN = re.compile(r"```text\n(.*?)```", re.DOTALL)
_PLACE = re.compile(r"((?:\w+/)*[\w.-]+\.(?:py|json|md))(?::([A-Za-z_][\w.]*))?")


def page(name: str) -> str:
    """A page of the documentation."""
    return (ROOT / name).read_text(encoding="utf-8")


def code(text: str) -> list[str]:
    """What stands between backticks, blocks left out."""
    return _CODE.findall(_BLOCK.sub("", text))


def places(text: str) -> Iterator[tuple[str, str]]:
    """(file, name or "") of every place that a page names, drawings included."""
    drawn = " ".join(_DRAWN.findall(text)).split()
    for written in [*code(text), *drawn]:
        if found := _PLACE.fullmatch(written):
            yield found[1], found[2] or ""


def file_of(path: str) -> Path:
    """The file that a page means."""
    found = [home / path for home in HOMES if (home / path).exists()]
    assert found, f"no file {path!r}"
    return found[0]


@cache
def names_of(path: Path) -> frozenset[str]:
    """Every name that a file defines: ``name``, ``Class`` and ``Class.name``."""
    return frozenset(_names(ast.parse(path.read_text(encoding="utf-8")).body, ""))


def _names(body: list[ast.stmt], before: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield before + node.name
            if isinstance(node, ast.ClassDef):
                yield from _names(node.body, f"{before}{node.name}.")
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (before + one.id for one in targets if isinstance(one, ast.Name))


@cache
def identifiers() -> frozenset[str]:
    """Every identifier of the package and the exporters."""
    found: set[str] = set()
    for folder in ("cospal_cli", "exporters"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                for field in ("id", "attr", "arg", "name"):
                    if isinstance(name := getattr(node, field, None), str):
                        found.add(name)
    return frozenset(found)

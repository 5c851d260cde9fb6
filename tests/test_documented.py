"""Every public function, class and protocol member says what it does, and with what types."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("cospal_cli", "exporters", "benchmarks", "tools")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def undocumented(body: list[ast.stmt], before: str = "") -> Iterator[str]:
    """The public names without a docstring. One that stands in for ``...`` needs one too."""
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        name = before + node.name
        setter = any(ast.unparse(one).endswith(".setter") for one in node.decorator_list)
        if not setter and not ast.get_docstring(node):
            yield name
        if isinstance(node, ast.ClassDef):
            yield from undocumented(node.body, f"{name}.")


def unannotated(tree: ast.Module) -> Iterator[str]:
    """The functions, private ones too, with an argument or a result of no stated type."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        names = node.args
        given = [*names.posonlyargs, *names.args, *names.kwonlyargs, names.vararg, names.kwarg]
        given = [one for one in given if one and one.arg not in ("self", "cls")]
        if node.returns is None or any(one.annotation is None for one in given):
            yield node.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_public_is_documented_and_annotated(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the file does not say what it is for"
    assert not list(undocumented(tree.body))
    assert not list(unannotated(tree))


def test_the_check_sees_protocol_members_overloads_and_missing_types() -> None:
    tree = ast.parse(
        "class P(Protocol):\n  '''.'''\n  @property\n  def id(self) -> str: ...\n"
        "@overload\ndef f(x: int) -> int: ...\ndef _g(x) -> None: ...\n"
    )
    assert list(undocumented(tree.body)) == ["P.id", "f"]
    assert list(unannotated(tree)) == ["_g"]

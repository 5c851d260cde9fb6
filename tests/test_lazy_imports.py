"""Imports inside functions name what is there: neither a start nor the type checker tries them."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("cospal_cli", "cospal_exporters")


def _named() -> dict[tuple[str, str], list[str]]:
    """(module, name) -> the files that import it from one of our packages."""
    found: dict[tuple[str, str], list[str]] = {}
    for file in sorted([*ROOT.glob("cospal_cli/**/*.py"), *ROOT.glob("exporters/*.py")]):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS:
                for one in node.names:
                    place = str(file.relative_to(ROOT))
                    found.setdefault((str(node.module), one.name), []).append(place)
    return found


def test_every_name_that_is_imported_exists() -> None:
    pytest.importorskip("torch")
    named = _named()
    assert ("cospal_exporters.onnx", "ExportPlan") in named
    missing = []
    for (module, name), files in named.items():
        whole = importlib.import_module(module)
        if not hasattr(whole, name):
            try:
                importlib.import_module(f"{module}.{name}")
            except ModuleNotFoundError:
                missing.append(f"{module}.{name} in {', '.join(sorted(set(files)))}")
    assert not missing

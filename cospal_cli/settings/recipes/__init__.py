"""Settings to train with, one YAML file per data set."""

from __future__ import annotations

from pathlib import Path

from cospal_cli.core.errors import UsageError
from cospal_cli.settings.names import nearest

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The recipes that there are."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def find(name: str) -> Path:
    """The file of a recipe; UsageError lists the known ones."""
    if name not in names():
        raise UsageError(f"unknown recipe {name!r}", nearest(name, names()))
    return FOLDER / f"{name}.yaml"

"""Backends by name: a dict ``name -> "module:Class"`` per stage; nothing is imported early."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from difflib import get_close_matches
from types import ModuleType
from typing import Any

from cospal_cli.core.errors import UsageError
from cospal_cli.core.foreign import shortage
from cospal_cli.core.install import install_line


def load(stage: str, backends: Mapping[str, str], name: str) -> Any:
    """The class or function behind ``name``; UsageError lists the known names."""
    if name not in backends:
        known = ", ".join(backends)
        near = get_close_matches(name, backends, 1)
        raise UsageError(
            f"unknown {stage} {name!r}",
            f"did you mean {near[0]!r}? known: {known}" if near else f"known: {known}",
        )
    module, _, attribute = backends[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def require(package: str, extra: str, line: str = "") -> ModuleType:
    """Import an optional package, or say which pip line installs it or why it does not load.

    ``line``: another pip line than that of the ``extra``.
    """
    try:
        return importlib.import_module(package)
    except Exception as error:
        if lack := shortage(error, f"loading the package {package!r}"):
            raise lack from error
        if isinstance(error, ModuleNotFoundError) and error.name == package.split(".")[0]:
            raise UsageError(
                f"this needs the package {package!r}, which is not installed",
                line or install_line(extra),
            ) from error
        raise UsageError(
            f"the package {package!r} is installed but does not load: {error}",
            "its version may not match another package's: run 'pip check' and 'cospal doctor'",
        ) from error

"""Candidates and a query in, ranked candidates out: every method by name (see ``method``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cospal_cli.core import registry
from cospal_cli.core.backends import METHODS, TRAINED
from cospal_cli.core.errors import UsageError

if TYPE_CHECKING:
    from cospal_cli.ranking.method import Method

__all__ = ["METHODS", "TRAINED", "needs_heads", "open_method"]


def open_method(name: str) -> Method:
    """The method called ``name``; UsageError lists the known ones."""
    method: Method = registry.load("method", METHODS, name)
    return method


def needs_heads(name: str) -> UsageError:
    """The error where the method called ``name`` has no trained heads to rank by."""
    return UsageError(f"method {name!r} needs trained heads", "give their folder: --checkpoint DIR")

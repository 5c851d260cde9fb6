"""Candidates and a query in, ranked candidates out: every method by name (see ``method``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cospal_cli.core import registry
from cospal_cli.core.backends import METHODS, TRAINED

if TYPE_CHECKING:
    from cospal_cli.ranking.method import Method

__all__ = ["METHODS", "TRAINED", "open_method"]


def open_method(name: str) -> Method:
    """The method called ``name``; UsageError lists the known ones."""
    method: Method = registry.load("method", METHODS, name)
    return method

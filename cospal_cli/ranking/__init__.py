"""Candidates and a query in, ranked candidates out: every method by name (see ``method``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cospal_cli.core import registry

if TYPE_CHECKING:
    from cospal_cli.ranking.method import Method

METHODS = {
    "zero-shot": "cospal_cli.ranking.zero_shot:rank",
    "w-gdino": "cospal_cli.ranking.w_gdino:rank",
    "cospal": "cospal_cli.ranking.cospal:rank",
    "largest": "cospal_cli.ranking.baselines:largest",
    "random": "cospal_cli.ranking.baselines:random",
    "random-segment": "cospal_cli.ranking.baselines:random_segment",
}
TRAINED = frozenset({"cospal"})  # those that need a checkpoint


def open_method(name: str) -> Method:
    """The method called ``name``; UsageError lists the known ones."""
    method: Method = registry.load("method", METHODS, name)
    return method

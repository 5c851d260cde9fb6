"""Grounds a sentence in a video: ``ground(video, query)`` returns the subject's tubes.

``Grounder`` keeps the models open for many videos and many sentences; ``Result`` is its answer;
``Library`` keeps what was seen in videos, to be searched.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cospal_cli.core.tube import Tube
    from cospal_cli.grounder import Grounder
    from cospal_cli.library.library import Library
    from cospal_cli.result import Result
    from cospal_cli.settings import Config

__all__ = ["Grounder", "Library", "Result", "Tube", "ground"]
__version__ = "0.1.0"
_HOMES = {
    "Grounder": "grounder",
    "Library": "library.library",
    "Result": "result",
    "Tube": "core.tube",
}


def ground(
    video: str | Path,
    query: str,
    *,
    top_k: int = 1,
    checkpoint: str | Path | None = None,
    runtime: str = "auto",
    config: Config | None = None,
    **settings: Any,
) -> Result:
    """Find what ``query`` means in ``video``: at most ``top_k`` tubes, best first, and how they
    came about. The result may be looped over like a list of its tubes; it is empty where nothing
    matches.

    ``settings`` are named as in ``cospal config show`` with two underscores for the point:
    ``video__fps=5``. They, and nothing else, change ``config`` (default: all defaults).
    ``checkpoint``: a folder of trained heads, to rank by them, run by ``runtime``; what is left at
    its default is then as it was in their training. Several sentences or videos cost less through
    a ``Grounder``. Raises ``core.errors.CospalError``.
    """
    from cospal_cli.core.errors import UsageError
    from cospal_cli.grounder import Grounder

    if not isinstance(query, str):
        raise UsageError(
            f"query: expected one sentence, found {type(query).__name__}",
            "Grounder.open().ground(video, queries) takes several",
        )
    settings["ground__top_k"] = top_k
    grounder = Grounder.open(config, checkpoint=checkpoint, runtime=runtime, **settings)
    return next(grounder.ground(video, [query]))


def __getattr__(name: str) -> object:
    """The other public names, imported when they are first used."""
    if name in _HOMES:
        return getattr(import_module(f"cospal_cli.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Grounds a sentence in a video: ``ground(video, query)`` returns the subject's tubes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

# The folder ``ground/`` first: importing it later would put the module in the function's place.
import cospal_cli.ranking  # noqa: F401

if TYPE_CHECKING:
    from cospal_cli.config import Config
    from cospal_cli.core.types import Tube

__all__ = ["ground"]
__version__ = "0.1.0"


def ground(
    video: str | Path,
    query: str | Sequence[str],
    *,
    top_k: int = 1,
    checkpoint: str | Path | None = None,
    config: Config | None = None,
    **settings: Any,
) -> list[Tube] | list[list[Tube]]:
    """Find what ``query`` means in ``video``.

    Returns at most ``top_k`` tubes, best first (empty: no match); for a sequence of queries, one
    such list each, after a single pass over the video (one a query where the
    detector is prompted with the sentence). ``settings`` are named as in
    ``cospal config show`` with two underscores for the point: ``video__fps=5``. They, and nothing
    else, change ``config`` (default: all defaults). ``checkpoint``: a folder of trained heads, to
    rank by them; what is left at its default is then as it was in their training. Raises
    ``errors.CospalError``.
    """
    from cospal_cli.detect import open_detector
    from cospal_cli.language.parser.parse import parse_all
    from cospal_cli.pipeline import consult, ground_query, scenes
    from cospal_cli.settings import changed, override

    keys = {name.replace("__", "."): value for name, value in settings.items()}
    chosen = override(config, keys | {"ground.top_k": top_k})
    trained = None if checkpoint is None else Path(checkpoint)
    if trained is not None:
        from cospal_cli.ranking.heads import completed

        chosen = completed(chosen, changed(chosen) | keys.keys(), trained)
    texts = [query] if isinstance(query, str) else list(query)
    queries = parse_all(texts, chosen.language)
    detector, heads = open_detector(chosen.detector), None
    if trained is not None:
        from cospal_cli.ranking.heads import open_heads

        heads = open_heads(trained, chosen, detector)
    passes = scenes(Path(video), chosen, detector, queries, encoder=heads.clips if heads else None)
    found = [
        ground_query(scene, one, chosen, consult(scene, one, chosen, heads))
        for scene, asked in passes
        for one in asked
    ]
    return found[0] if isinstance(query, str) else found

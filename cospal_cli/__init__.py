"""Grounds a sentence in a video: ``ground(video, query)`` returns the subject's tubes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

# The folder ``ground/`` first: importing it later would put the module in the function's place.
import cospal_cli.ground  # noqa: F401

if TYPE_CHECKING:
    from cospal_cli.config import Config
    from cospal_cli.types import Tube

__all__ = ["ground"]
__version__ = "0.1.0"


def ground(
    video: str | Path,
    query: str | Sequence[str],
    *,
    top_k: int = 1,
    config: Config | None = None,
    **settings: Any,
) -> list[Tube] | list[list[Tube]]:
    """Find what ``query`` means in ``video``.

    Returns at most ``top_k`` tubes, best first (empty: no match); for a sequence of queries, one
    such list each, after a single pass over the video (one a query where the
    detector is prompted with the sentence). ``settings`` are named as in
    ``cospal config show`` with two underscores for the point: ``video__fps=5``. They, and nothing
    else, change ``config`` (default: all defaults). Raises ``errors.CospalError``.
    """
    from cospal_cli.detect import open_detector
    from cospal_cli.language.parse import parse_all
    from cospal_cli.pipeline import ground_query, scenes
    from cospal_cli.settings import override

    keys = {name.replace("__", "."): value for name, value in settings.items()}
    chosen = override(config, keys | {"ground.top_k": top_k})
    texts = [query] if isinstance(query, str) else list(query)
    queries = parse_all(texts, chosen.language)
    detector = open_detector(chosen.detector)
    found = [
        ground_query(scene, one, chosen)
        for scene, asked in scenes(Path(video), chosen, detector, queries)
        for one in asked
    ]
    return found[0] if isinstance(query, str) else found

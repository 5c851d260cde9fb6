"""Words whose evidence only the appearance classifier gives -> ImageNet-1k classes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from cospal_cli.core import word_lists

_LISTS = word_lists.load(Path(__file__).with_suffix(".txt"))


@cache
def table() -> dict[str, dict[int, float]]:
    """Word -> ImageNet-1k class index -> weight in (0, 1]."""
    classes: dict[str, dict[int, float]] = {}
    for key, words in (row for listed in _LISTS.values() for row in listed):
        weights = {int(index): weight for index, weight in word_lists.weighted(key.split()).items()}
        classes.update(dict.fromkeys(words, weights))
    return classes

"""Nouns for animals, vehicles and things as detector classes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from cospal_cli.core import word_lists
from cospal_cli.core.vocabulary import COCO

_LISTS = word_lists.load(Path(__file__).with_suffix(".txt"))


@cache
def table() -> dict[str, dict[str, float]]:
    """Noun -> detector class name -> weight in (0, 1]: the three lists and look-alikes."""
    confused = {
        noun: word_lists.weighted(key.split())
        for key, nouns in _LISTS["confused"]
        for noun in nouns
    }
    beasts = dict.fromkeys(COCO[COCO.index("bird") : COCO.index("backpack")], 0.3)
    classes: dict[str, dict[str, float]] = {}
    for key, nouns in (row for name in ("animals", "vehicles", "things") for row in _LISTS[name]):
        weights = word_lists.weighted(key.split())
        likely = [weights]
        for name, weight in weights.items():
            alike = confused.get(name, {})
            likely.append({other: weight * chance for other, chance in alike.items()})
        known, unknown = _likeliest(likely), _likeliest([*likely, beasts])
        for noun in nouns:  # for some animals the detector has no class
            missing = noun in animals() and max(weights.values()) < 1
            classes[noun] = dict(unknown if missing else known)
    return classes


def _likeliest(tables: list[dict[str, float]]) -> dict[str, float]:
    """The greatest weight of each name."""
    names = {name: None for table in tables for name in table}
    return {name: round(max(table.get(name, 0) for table in tables), 3) for name in names}


@cache
def animals() -> frozenset[str]:
    """The nouns for animals: they move by themselves and may wear things."""
    return frozenset(_LISTS["animals"].words)


@cache
def movers() -> frozenset[str]:
    """Nouns for things that move without a person being seen: vehicles and balls."""
    balls = {noun for noun, to in table().items() if max(to, key=to.__getitem__) == "sports ball"}
    return frozenset(_LISTS["vehicles"].words) | balls

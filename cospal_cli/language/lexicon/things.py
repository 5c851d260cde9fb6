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
    confused = _weights("confused")
    beasts = COCO[COCO.index("bird") : COCO.index("backpack")]
    classes: dict[str, dict[str, float]] = {}
    for noun, weights in _weights("animals", "vehicles", "things").items():
        taken = [
            {other: weight * chance for other, chance in confused.get(name, {}).items()}
            for name, weight in weights.items()
        ]
        if noun in animals() and max(weights.values()) < 1:  # the detector has no class for it
            taken.append(dict.fromkeys(beasts, 0.3))
        names = {name: None for likely in (weights, *taken) for name in likely}
        classes[noun] = {
            name: round(max(likely.get(name, 0) for likely in (weights, *taken)), 3)
            for name in names
        }
    return classes


def _weights(*names: str) -> dict[str, dict[str, float]]:
    rows = [row for name in names for row in _LISTS[name]]
    return {noun: word_lists.weighted(key.split()) for key, nouns in rows for noun in nouns}


@cache
def animals() -> frozenset[str]:
    """The nouns for animals: they move by themselves and may wear things."""
    return frozenset(_LISTS["animals"].words)


@cache
def movers() -> frozenset[str]:
    """Nouns for things that move without a person being seen: vehicles and balls."""
    balls = {noun for noun, to in table().items() if max(to, key=to.__getitem__) == "sports ball"}
    return frozenset(_LISTS["vehicles"].words) | balls

"""What a sentence says besides: true, seen, and no part of what is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cospal_cli.datasets.synthetic.actions import Act
from cospal_cli.datasets.synthetic.clothes import Outfit
from cospal_cli.datasets.synthetic.grammar import PERSONS, garment, verb_phrase

_BESIDE = ("next to the", "near the", "beside the", "next to a", "near a")


def draw(
    company: Sequence[tuple[Outfit, Act, bool]], things: Sequence[str], rng: np.random.Generator
) -> str:
    """One of what is true: "next to the bench", "while another man in a red coat waves"; "" where
    nothing is.

    ``company``: who does what meanwhile, and whether it is another one of the target's kind.
    """
    ways = [*(["thing"] if things else []), *(["company"] if company else [])]
    if not ways:
        return ""
    if ways[int(rng.integers(len(ways)))] == "thing":
        return f"{_pick(rng, _BESIDE)} {_pick(rng, things)}"
    outfit, act, alike = company[int(rng.integers(len(company)))]
    person = _pick(rng, PERSONS[outfit.kind])
    dressed = ""
    if rng.random() < 0.5:
        upper = outfit.pieces["upper"]
        dressed = f" in {garment(upper.colour, upper.cut, 'a', rng)}"
    who = f"{'another' if alike else 'a'} {person}{dressed}"
    return f"while {who} {verb_phrase(act, 'ball', rng)}"


def _pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]

"""What a figure wears: clothes, hat, bag and size, and its colours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

RGB = tuple[int, int, int]

# Inside the regions of colour that ``colours`` gives these names to.
COLOURS: dict[str, RGB] = {
    "red": (205, 32, 38), "orange": (240, 132, 28), "yellow": (238, 212, 52),
    "green": (44, 150, 66), "blue": (38, 84, 200), "purple": (124, 48, 158),
    "pink": (240, 128, 178), "white": (238, 238, 236), "gray": (132, 132, 134),
    "black": (26, 26, 30), "brown": (122, 74, 40),
}  # fmt: skip
# Neighbours that shade and compression may confuse: no sentence depends on them.
_NEAR = {
    frozenset(pair.split())
    for pair in """red orange,red pink,red brown,orange yellow,orange brown,purple pink,purple blue,
    black gray,gray white,black brown,white yellow,white pink""".split(",")
}
SKINS: tuple[RGB, ...] = ((236, 188, 156), (214, 160, 122), (172, 116, 82), (112, 74, 52))
HAIRS: tuple[RGB, ...] = (
    (34, 26, 22),
    (74, 48, 30),
    (128, 86, 48),
    (196, 156, 92),
    (120, 118, 116),
)
_BRIGHTER, _TINTED = 6, 2  # no two reds are the same: of all channels, and of each alone


@dataclass(frozen=True)
class Piece:
    """A garment, hat or bag. ``cut`` is what is drawn: long, coat, skirt, cap, backpack ..."""

    colour: str
    cut: str
    rgb: RGB


@dataclass(frozen=True)
class Outfit:
    """One figure. ``kind`` is man, woman or child; ``height`` 1 is an adult's."""

    kind: str
    height: float
    upper: Piece
    lower: Piece
    hat: Piece | None
    bag: Piece | None
    skin: RGB
    hair: RGB

    @property
    def pieces(self) -> dict[str, Piece]:
        """What it wears, by part: upper, lower, hat, bag."""
        worn = {"upper": self.upper, "lower": self.lower, "hat": self.hat, "bag": self.bag}
        return {part: piece for part, piece in worn.items() if piece is not None}


def near(a: str, b: str) -> bool:
    """Whether a viewer could take colour ``a`` for ``b``."""
    return a == b or frozenset((a, b)) in _NEAR


def draw_outfit(rng: np.random.Generator) -> Outfit:
    """A figure at random; upper and lower garments are of clearly different colours."""
    kind = str(rng.choice(["man", "woman", "child"], p=[0.42, 0.42, 0.16]))
    upper = str(rng.choice(list(COLOURS)))
    lower = str(rng.choice([c for c in COLOURS if not near(c, upper)]))
    height = rng.uniform(0.6, 0.72) if kind == "child" else rng.normal(1.0, 0.06)
    bottoms = {"man": [0.82, 0.18, 0.0], "woman": [0.55, 0.1, 0.35], "child": [0.5, 0.35, 0.15]}
    return Outfit(
        kind=kind,
        height=float(np.clip(height, 0.6, 1.15)),
        upper=piece(rng, upper, str(rng.choice(["long", "short", "coat"], p=[0.5, 0.3, 0.2]))),
        lower=piece(rng, lower, str(rng.choice(["trousers", "shorts", "skirt"], p=bottoms[kind]))),
        hat=_maybe(rng, 0.4, ("hat", "cap")),
        bag=_maybe(rng, 0.35, ("backpack", "handbag")),
        skin=SKINS[rng.integers(len(SKINS))],
        hair=HAIRS[rng.integers(len(HAIRS))],
    )


def dressed_as(
    outfit: Outfit, other: Outfit, parts: tuple[str, ...], rng: np.random.Generator
) -> Outfit:
    """``outfit`` with the ``parts`` of ``other`` in the same colours, each a little off."""
    for part, worn in other.pieces.items():
        if part in parts:
            again = {part: piece(rng, worn.colour, worn.cut)}
            outfit = replace(outfit, **again)  # type: ignore[arg-type]
    return replace(outfit, kind=other.kind, height=other.height * rng.uniform(0.96, 1.04))


def piece(rng: np.random.Generator, colour: str, cut: str) -> Piece:
    """One piece in a shade of ``colour``."""
    off = rng.integers(-_BRIGHTER, _BRIGHTER + 1) + rng.integers(-_TINTED, _TINTED + 1, 3)
    shade = np.clip(np.array(COLOURS[colour]) + off, 0, 255)
    red, green, blue = shade.tolist()
    return Piece(colour, cut, (red, green, blue))


def _maybe(rng: np.random.Generator, chance: float, cuts: tuple[str, ...]) -> Piece | None:
    colour, cut = str(rng.choice(list(COLOURS))), str(rng.choice(cuts))
    drawn = piece(rng, colour, cut)
    return drawn if rng.random() < chance else None

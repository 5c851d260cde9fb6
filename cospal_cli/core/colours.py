"""Colour names: from a pixel to a name, and from a word to weights over those names.

The twenty ``NAMES`` are finer than everyday colour words, so that "gray" can mean light gray in the
sun and dark gray in the shade; a word is a soft set of them. Names are decided in CIE LCh.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core import word_lists

NAMES = (
    "black", "darkgray", "gray", "lightgray", "white", "red", "darkred", "orange", "brown", "beige",
    "yellow", "olive", "green", "darkgreen", "cyan", "lightblue", "blue", "navy", "purple", "pink",
)  # fmt: skip
REGIONS = ("whole", "upper", "lower", "head", "feet")

_BITS = 5  # per channel of the lookup table: 32,768 cells

_LISTS = word_lists.load(Path(__file__).with_suffix(".txt"))
_MODIFIERS = _LISTS["modifiers"].by_key


def _weights(name: str) -> dict[str, dict[str, float]]:
    return {word: word_lists.weighted(parts) for word, parts in _LISTS[name]}


# How much each name counts as evidence for a basic word, a shade, a tone ("dark clothes").
BASIC, _SHADES, _TONES = (_weights(name) for name in ("basic", "shades", "tones"))
# Words in use that CSS lacks, or means otherwise than people do (CSS azure is nearly white).
_ALIASES = _LISTS["aliases"].key_of
# Colour words that as often name a thing; on their own they are not colours.
_CSS = _LISTS["css"].key_of
_THINGS = frozenset(_LISTS["things"].words)
_NEVER = frozenset(_LISTS["never"].words)
_LIGHT, _DARK, _NEUTRAL = (frozenset(_MODIFIERS[name]) for name in ("light", "dark", "neutral"))


def is_colour(word: str) -> bool:
    """Whether ``word`` alone is a colour word ("crimson", "reddish"); thing names are not."""
    return word not in _THINGS and _entry(word) is not None


def may_be_colour(word: str) -> bool:
    """Whether ``word`` is a colour before a garment, though alone it is a thing ("tangerine")."""
    return word in _THINGS and word not in _NEVER and _entry(word) is not None


def parse_colour(words: Sequence[str]) -> dict[str, float] | None:
    """Weights over ``NAMES`` for a colour phrase ("dark", "blue"), or None for any other word.

    Unknown modifiers are ignored when a known colour remains; several colours ("black and white")
    share their names by the larger weight.
    """
    words = [part for word in words for part in word.lower().replace("-", " ").split()]
    light, dark = (bool(kind.intersection(words[:-1])) for kind in (_LIGHT, _DARK))
    last = words[-1] if words else ""
    whole = _SHADES.get(_shade(last, light, dark)) or _entry("".join(words))
    if whole:
        return dict(whole)
    weights: dict[str, float] = {}
    for word in words:
        if word == last or word not in _DARK | _LIGHT | _NEUTRAL:
            entry = _entry(word) or {}
            weights = {
                name: max(weights.get(name, 0), entry.get(name, 0)) for name in weights | entry
            }
    return weights or next((dict(_TONES[word]) for word in words if word in _TONES), None)


def name_map(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Index into ``NAMES`` of every pixel of an RGB image (h, w, 3) -> (h, w)."""
    red, green, blue = (part.take(image[..., n]) for n, part in enumerate(_cells()))
    return _table().take(red | green | blue)


def _shade(word: str, light: bool, dark: bool) -> str:
    stem = _ALIASES.get(word, word)
    return f"dark {stem}" if dark else f"light {stem}" if light else word


@cache
def _entry(word: str) -> dict[str, float] | None:
    word = _ALIASES.get(word, word)
    if word in _SHADES or word in BASIC:
        return _SHADES.get(word) or BASIC[word]
    for ending in ("ish", "y"):  # reddish, bluish, greenish, rosy
        stem = word.removesuffix(ending)
        for guess in (stem, stem + "e", stem[:-1]):
            if stem != word and guess in BASIC:
                return BASIC[guess]
    return _css(word)


def _css(word: str) -> dict[str, float] | None:
    name = _CSS.get(word)
    if name is None:
        return None
    spaced = name.replace("dark", "dark ").replace("light", "light ").strip()
    family = _SHADES.get(spaced) or BASIC.get(name) or _SHADES["dark blue"]
    return {**family, name: 1.0}


@cache
def _cells() -> tuple[NDArray[np.uint16], ...]:
    """What a red, a green and a blue value (256,) add to the place of a colour in the table."""
    step = np.arange(256) >> (8 - _BITS)
    red, green, blue = ((step << n * _BITS).astype(np.uint16) for n in (2, 1, 0))
    return red, green, blue


@cache
def _table() -> NDArray[np.uint8]:
    """The name of every quantised RGB colour, (32768,) uint8."""
    steps = (np.arange(1 << _BITS) + 0.5) / (1 << _BITS)
    rgb = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)
    lightness, chroma, hue = _lch(rgb)
    names = np.select(
        [
            (lightness < 7)
            | ((lightness < 17) & (chroma < 20))
            | ((lightness < 24) & (chroma < 14)),
            chroma < np.where(lightness > 60, 9.0, 11.0),
        ],
        [_index("black"), _grays(lightness)],
        _chromatic(lightness, chroma, hue),
    )
    return names.astype(np.uint8)


def _grays(lightness: NDArray[np.float64]) -> NDArray[np.int64]:
    steps = np.digitize(lightness, [22, 42, 64, 83])
    return np.array([_index(n) for n in ("black", "darkgray", "gray", "lightgray", "white")])[steps]


def _chromatic(
    lightness: NDArray[np.float64], chroma: NDArray[np.float64], hue: NDArray[np.float64]
) -> NDArray[np.int64]:
    warm = (hue >= 20) & (hue < 112)
    rules: list[tuple[NDArray[np.bool_], str]] = [
        (warm & (lightness > 88) & (chroma < 14), "white"),
        (warm & (lightness > 62) & (chroma < 34), "beige"),
        ((hue >= 42) & (hue < 88) & (lightness < 56) & (chroma < 62), "brown"),
        (warm & (chroma < 26) & (lightness < 62), "brown"),
        (((hue < 42) | (hue >= 350)) & (lightness > 58) & (chroma < 75), "pink"),
        (((hue < 42) | (hue >= 350)) & (lightness < 36), "darkred"),
        ((hue < 47) | (hue >= 358), "red"),
        (hue < 80, "orange"),
        ((hue < 112) & (lightness < 55), "olive"),
        (hue < 112, "yellow"),
        ((hue < 175) & (lightness < 38), "darkgreen"),
        (hue < 175, "green"),
        (hue < 222, "cyan"),
        ((hue < 318) & (lightness > 60), "lightblue"),
        ((hue < 312) & (lightness < 26), "navy"),
        ((hue < 312), "blue"),
        ((hue >= 335) & (lightness > 52), "pink"),
    ]
    conditions, names = zip(*rules, strict=True)
    return np.select(conditions, [_index(n) for n in names], _index("purple"))


def _index(name: str) -> int:
    return NAMES.index(name)


def _lch(rgb: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """sRGB in [0, 1] (n, 3) -> CIE L* (0..100), chroma, hue in degrees; D65."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = linear @ to_xyz.T / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    a, b = 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])
    return 116 * f[:, 1] - 16, np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360

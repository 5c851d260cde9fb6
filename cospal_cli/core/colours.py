"""Colour names: from a pixel to a name, and from a word to weights over those names.

The twenty ``NAMES`` are finer than everyday colour words, so that "gray" can mean light gray in the
sun and dark gray in the shade; a word is a soft set of them. Names are decided in CIE LCh.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

NAMES = (
    "black", "darkgray", "gray", "lightgray", "white", "red", "darkred", "orange", "brown", "beige",
    "yellow", "olive", "green", "darkgreen", "cyan", "lightblue", "blue", "navy", "purple", "pink",
)  # fmt: skip
REGIONS = ("whole", "upper", "lower", "head", "feet")

_BITS = 5  # per channel of the lookup table: 32,768 cells

# How much each name counts as evidence for a basic word. Shade, white balance and video compression
# move a garment to neighbouring names far more often than to distant ones.
BASIC: dict[str, dict[str, float]] = {
    "black": {"black": 1, "darkgray": 0.65, "navy": 0.25, "darkgreen": 0.2, "darkred": 0.15},
    "gray": {"gray": 1, "lightgray": 0.75, "darkgray": 0.75, "white": 0.15, "beige": 0.2},
    "white": {"white": 1, "lightgray": 0.75, "gray": 0.15, "beige": 0.25, "lightblue": 0.2},
    "red": {"red": 1, "darkred": 0.85, "pink": 0.25, "orange": 0.15, "brown": 0.1},
    "orange": {"orange": 1, "brown": 0.45, "yellow": 0.3, "red": 0.3, "beige": 0.15},
    "brown": {"brown": 1, "beige": 0.4, "orange": 0.4, "olive": 0.35, "darkred": 0.35},
    "beige": {"beige": 1, "brown": 0.35, "lightgray": 0.25, "white": 0.2, "yellow": 0.1},
    "yellow": {"yellow": 1, "olive": 0.4, "beige": 0.2, "orange": 0.3, "green": 0.1},
    "green": {"green": 1, "darkgreen": 0.9, "olive": 0.6, "cyan": 0.3, "yellow": 0.1},
    "cyan": {"cyan": 1, "lightblue": 0.5, "green": 0.2, "blue": 0.3},
    "blue": {"blue": 1, "navy": 0.85, "lightblue": 0.75, "cyan": 0.3, "purple": 0.15},
    "purple": {"purple": 1, "pink": 0.3, "navy": 0.15, "blue": 0.15, "darkred": 0.15},
    "pink": {"pink": 1, "red": 0.2, "purple": 0.25, "beige": 0.1},
}
_SHADES: dict[str, dict[str, float]] = {
    "dark gray": {"darkgray": 1, "gray": 0.5, "black": 0.5},
    "light gray": {"lightgray": 1, "gray": 0.5, "white": 0.5},
    "dark red": {"darkred": 1, "red": 0.5, "brown": 0.3, "purple": 0.1},
    "dark green": {"darkgreen": 1, "green": 0.5, "olive": 0.5, "black": 0.1},
    "light green": {"green": 1, "yellow": 0.3, "olive": 0.3, "cyan": 0.3},
    "olive": {"olive": 1, "darkgreen": 0.5, "green": 0.5, "brown": 0.4, "beige": 0.2},
    "light blue": {"lightblue": 1, "cyan": 0.5, "blue": 0.4, "lightgray": 0.15},
    "dark blue": {"navy": 1, "blue": 0.7, "black": 0.3, "darkgray": 0.2},
    "dark brown": {"brown": 1, "darkred": 0.4, "olive": 0.3, "black": 0.3},
    "denim": {"blue": 1, "navy": 1, "lightblue": 0.7, "gray": 0.15, "darkgray": 0.2},
    "skin": {"beige": 1, "brown": 0.7, "orange": 0.4, "pink": 0.5},
    "silver": {"lightgray": 1, "gray": 0.9, "white": 0.6, "darkgray": 0.25},
    "gold": {"yellow": 1, "orange": 0.6, "brown": 0.5, "olive": 0.4, "beige": 0.4},
    "blond": {"beige": 1, "yellow": 0.8, "brown": 0.5, "orange": 0.3, "olive": 0.3},
    "ginger": {"orange": 1, "brown": 0.8, "darkred": 0.4, "red": 0.3},
    "turquoise": {"cyan": 1, "green": 0.4, "lightblue": 0.5, "blue": 0.3, "darkgreen": 0.2},
    "cream": {"beige": 1, "white": 0.8, "lightgray": 0.5, "yellow": 0.2},
    "colourful": {
        "red": 1, "orange": 1, "yellow": 1, "green": 1, "cyan": 1, "blue": 1, "purple": 1,
        "pink": 1,
    },
}  # fmt: skip
# Words in use that CSS lacks, or means otherwise than people do (CSS azure is nearly white).
_ALIASES = {
    "grey": "gray", "azure": "light blue", "cerulean": "light blue", "cobalt": "blue",
    "sapphire": "blue", "ultramarine": "blue", "indigo": "dark blue", "navy": "dark blue",
    "midnight": "dark blue", "denim": "denim", "charcoal": "dark gray", "slate": "dark gray",
    "graphite": "dark gray", "ash": "light gray", "silver": "silver", "silvery": "silver",
    "ebony": "black", "jet": "black", "onyx": "black", "ivory": "cream", "cream": "cream",
    "creamy": "cream", "offwhite": "cream", "snow": "white", "pearl": "cream",
    "crimson": "red", "scarlet": "red", "ruby": "red", "cherry": "red", "vermilion": "red",
    "maroon": "dark red", "burgundy": "dark red", "wine": "dark red", "claret": "dark red",
    "rust": "ginger", "terracotta": "ginger", "auburn": "ginger", "ginger": "ginger",
    "copper": "ginger", "bronze": "brown", "amber": "orange", "apricot": "orange",
    "tangerine": "orange", "peach": "beige", "salmon": "pink", "coral": "pink", "rose": "pink",
    "fuchsia": "pink", "magenta": "pink", "blush": "pink", "mustard": "gold", "gold": "gold",
    "golden": "gold", "lemon": "yellow", "blond": "blond", "blonde": "blond", "lime": "light green",
    "emerald": "green", "jade": "green", "mint": "light green", "forest": "dark green",
    "moss": "olive", "olive": "olive", "khaki": "olive", "camouflage": "olive", "camo": "olive",
    "teal": "turquoise", "turquoise": "turquoise", "aqua": "cyan", "violet": "purple",
    "lavender": "purple", "lilac": "purple", "mauve": "purple", "plum": "purple",
    "aubergine": "purple", "purplish": "purple", "tan": "beige", "sand": "beige", "sandy": "beige",
    "camel": "brown", "taupe": "brown", "chocolate": "dark brown", "coffee": "dark brown",
    "chestnut": "brown", "hazel": "brown", "caramel": "brown", "nude": "beige", "skin": "skin",
    "brunette": "dark brown", "colorful": "colourful", "colourful": "colourful",
    "multicolored": "colourful", "multicoloured": "colourful", "rainbow": "colourful",
    "slaty": "dark gray", "leaden": "dark gray", "pewter": "gray", "gunmetal": "dark gray",
    "ashen": "light gray", "dove": "light gray", "smoky": "gray", "smoke": "gray",
    "alabaster": "white", "snowy": "white", "milky": "white", "chalky": "white", "lily": "white",
    "raven": "black", "obsidian": "black", "inky": "black", "sable": "black", "sooty": "black",
    "jetblack": "black", "coal": "black", "ink": "black", "dungaree": "denim",
    "ochre": "gold", "ocher": "gold", "saffron": "orange", "flaxen": "blond", "honey": "gold",
    "strawberry": "ginger", "straw": "blond", "platinum": "blond", "canary": "yellow",
    "russet": "ginger", "sienna": "ginger", "umber": "dark brown", "mahogany": "dark brown",
    "mocha": "brown", "cocoa": "dark brown", "tawny": "brown", "fawn": "beige", "buff": "beige",
    "ecru": "cream", "oatmeal": "beige", "eggshell": "cream", "champagne": "beige",
    "carmine": "red", "cardinal": "red", "cerise": "pink", "bordeaux": "dark red",
    "oxblood": "dark red", "garnet": "dark red", "brick": "ginger", "carroty": "ginger",
    "periwinkle": "light blue", "sapphirine": "blue", "prussian": "dark blue", "viridian": "green",
    "verdant": "green", "sage": "light green", "pistachio": "light green", "bottle": "dark green",
    "amethyst": "purple", "grape": "purple", "eggplant": "purple", "heathered": "gray",
    "bubblegum": "pink", "rosy": "pink", "pumpkin": "orange", "carrot": "orange",
    "hoary": "white", "grizzled": "gray", "whitish": "white",
}  # fmt: skip
# Colour words that as often name a thing; on their own they are not colours.
_THINGS = frozenset(
    "snow ash wine cherry pearl sand coffee chocolate lemon peach rose plum forest midnight moss "
    "camel jet skin rainbow slate mint lime salmon coral amber chestnut hazel caramel copper "
    "apricot linen wheat tomato orchid thistle peru chiffon seashell bisque ruby jade "
    "dove smoke raven ink coal sable lily honey straw strawberry canary brick cardinal sage buff "
    "bottle grape eggplant pumpkin carrot dungaree champagne pistachio mahogany cocoa mocha "
    "oatmeal eggshell bubblegum fawn garnet amethyst prussian".split()
)
_NEVER = frozenset("snow sand skin bottle smoke linen forest ink canary honey".split())
_TONES = {  # "dark clothes"
    "dark": {
        "black": 1,
        "darkgray": 1,
        "navy": 0.9,
        "darkgreen": 0.6,
        "darkred": 0.6,
        "brown": 0.5,
    },
    "light": {"white": 1, "lightgray": 1, "beige": 0.9, "lightblue": 0.7, "pink": 0.4},
    "bright": {**dict.fromkeys(_SHADES["colourful"], 1.0), "white": 0.8},
    "pale": {"white": 1, "lightgray": 1, "beige": 0.9, "lightblue": 0.7, "pink": 0.6},
}
_LIGHT = frozenset("light pale pastel soft faded bright baby sky powder ice".split())
_DARK = frozenset("dark deep navy midnight".split())
_NEUTRAL = frozenset("vivid hot neon solid pure off dirty dull royal electric".split())


def is_colour(word: str) -> bool:
    """Whether ``word`` alone is a colour word ("crimson", "reddish"); thing names are not."""
    return word not in _THINGS and _entry(word) is not None


def may_be_colour(word: str) -> bool:
    """Whether ``word`` is a colour before a garment, though alone it is a thing ("tangerine")."""
    return word in _THINGS and word not in _NEVER and _entry(word) is not None


def parse_colour(words: Sequence[str]) -> dict[str, float] | None:
    """Weights over ``NAMES`` for a colour phrase ("dark", "blue"), or None if it is none.

    Unknown modifiers are ignored when a known colour remains; several colours ("black and white")
    share their names by the larger weight.
    """
    words = [part for word in words for part in word.lower().replace("-", " ").split()]
    light, dark = (bool(kind.intersection(words[:-1])) for kind in (_LIGHT, _DARK))
    last = words[-1] if words else ""
    whole = _SHADES.get(_shade(last, light, dark)) or _entry("".join(words))
    if whole:
        return dict(whole)
    found: dict[str, float] = {}
    for word in words:
        if word == last or word not in _DARK | _LIGHT | _NEUTRAL:
            entry = _entry(word) or {}
            found = {name: max(found.get(name, 0), entry.get(name, 0)) for name in found | entry}
    return found or next((dict(_TONES[word]) for word in words if word in _TONES), None)


def name_map(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Index into ``NAMES`` of every pixel of an RGB image (h, w, 3) -> (h, w)."""
    cell = (image >> (8 - _BITS)).astype(np.uint16)
    return _table()[(cell[..., 0] << 2 * _BITS) | (cell[..., 1] << _BITS) | cell[..., 2]]


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
    from PIL import ImageColor  # its table is CSS's; loaded only for words the tables above lack

    value = ImageColor.colormap.get(word)
    if value is None:
        return None
    rgb = ImageColor.getrgb(value) if isinstance(value, str) else value
    name = NAMES[int(name_map(np.array([[rgb[:3]]], np.uint8))[0, 0])]
    spaced = name.replace("dark", "dark ").replace("light", "light ").strip()
    family = _SHADES.get(spaced) or BASIC.get(name) or _SHADES["dark blue"]
    return {**family, name: 1.0}


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

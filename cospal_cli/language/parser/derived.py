"""Adjectives made of garments, hair and colours: "besuited", "raven-haired", "leather-clad"."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from cospal_cli.core import colours
from cospal_cli.language.lexicon.dress import ACCESSORY, ADJECTIVES, REGION
from cospal_cli.language.lexicon.negative import BARE

_HAIR = frozenset("haired tressed maned locked bearded moustached mustached ponytailed".split())
_CLAD = frozenset("clad wearing dressed attired garbed robed suited clothed outfitted".split())
_HUED = frozenset("coloured colored hued tinted toned shaded tinged".split())
# Adjective -> the garment it says; also behind a hyphen ("red-hatted").
_GARMENTS = {
    "besuited": "suit", "suited": "suit", "tuxedoed": "tuxedo", "bespectacled": "spectacles",
    "hatted": "hat", "behatted": "hat", "hooded": "hood", "helmeted": "helmet", "helmetted":
    "helmet", "uniformed": "uniform", "robed": "robe", "cloaked": "cloak", "caped": "cape",
    "capped": "cap", "turbaned": "turban", "turbanned": "turban", "veiled": "veil",
    "jacketed": "jacket", "coated": "coat", "shirted": "shirt", "trousered": "trousers",
    "skirted": "skirt", "booted": "boots", "aproned": "apron", "gowned": "gown",
    "costumed": "costume", "goggled": "goggles", "kilted": "kilt", "bonneted": "bonnet",
    "sweatered": "sweater", "gloved": "gloves", "scarved": "scarf", "scarfed": "scarf",
    "vested": "vest", "sandaled": "sandals", "sandalled": "sandals", "hijabi": "hijab",
    "waistcoated": "waistcoat", "trench-coated": "trenchcoat", "pantsuited": "suit",
    "bikinied": "bikini", "cardiganed": "cardigan", "hoodied": "hoodie", "blazered": "blazer",
    "sunglassed": "sunglasses", "frocked": "frock", "topped": "top", "bloused": "blouse",
}  # fmt: skip
_STYLES = frozenset("sleeveless collarless strapless topless".split())  # of the garment itself
_ONLY_BEHIND = frozenset("topped capped coated vested".split())  # "a capped bottle"


@dataclass(frozen=True)
class Worn:
    """What the adjective says. ``colour``: the colour word in it, or ""."""

    kind: str  # garment, accessory, hair, colour, material or style
    region: str
    garment: str = ""
    colour: str = ""


@cache
def worn(word: str) -> Worn | None:
    """The reading of such an adjective, lower case; None for any other word."""
    first, _, last = word.rpartition("-")
    garment = _GARMENTS.get(word) or _GARMENTS.get(last)
    if garment and (first or last not in _ONLY_BEHIND):
        return _garment(garment, first)
    if lacks(word):
        return Worn("state", "whole")
    if not first:
        return None
    if last in _HAIR and word not in ADJECTIVES:
        return Worn("hair", "head", "hair", _colour(first))
    if last in _CLAD:
        return _clad(first)
    if last in _HUED and _colour(first):
        return Worn("colour", "whole", "", _colour(first))
    if last in ("sleeved", "sleeve") or (first and last in ("necked", "collared", "waisted")):
        return Worn("style", "upper")
    return _shade(first, last)


def lacks(word: str) -> str:
    """What such an adjective says is not there: "hat" of "hatless"; "" for any other word."""
    if word in BARE:
        return BARE[word]
    for ending in ("-less", "less", "-free"):
        bare = word.removesuffix(ending)
        if bare != word and bare in REGION and word not in _STYLES:
            return bare
    return ""


def _clad(first: str) -> Worn | None:
    """ "black-clad", "denim-clad", "lycra-clad", "helmet-wearing"."""
    if _colour(first):
        return Worn("colour", "whole", "", _colour(first))
    if first in REGION:
        return _garment(first, "")
    return Worn("material", "whole")


def _shade(first: str, last: str) -> Worn | None:
    """ "dungaree-blue", "dove-gray": a thing and its colour; "gray-white" is two colours."""
    tone = colours.is_colour(first) or first in ("light", "dark", "pale", "bright", "and", "deep")
    plain = colours.is_colour(last) and not tone and first.isalpha() and last not in REGION
    return Worn("colour", "whole", "", last) if plain else None


def _garment(garment: str, first: str) -> Worn:
    kind = "accessory" if garment in ACCESSORY else "garment"
    return Worn(kind, REGION.get(garment, "whole"), garment, _colour(first))


def _colour(words: str) -> str:
    """``words`` if it is a colour, the names of things included ("raven", "slate")."""
    return words if words and colours.parse_colour([words]) else ""

"""What people wear and carry: garment -> region of the body; body parts; describing words."""

from __future__ import annotations

from pathlib import Path

from cospal_cli.core import word_lists

_LISTS = word_lists.load(Path(__file__).with_suffix(".txt"))
_WORN = {kind: frozenset(words) for kind, words in _LISTS["worn"].by_key.items()}
# The list's names -> the regions where a colour is measured, where they differ.
_REGION_OF = {
    "hair": "head", "neck": "upper", "carried": "upper", "hands": "whole", "belt": "whole"
}  # fmt: skip
HAIR = _WORN["hair"]
ACCESSORY = frozenset().union(
    *(_WORN[kind] for kind in ("head", "feet", "neck", "hands", "belt", "carried"))
)
REGION = {word: _REGION_OF.get(kind, kind) for word, kind in _LISTS["worn"].key_of.items()}
# Words for clothes in general: they say where a colour shows, nothing more.
PLAIN = frozenset(_LISTS["plain"].words)
BODY = frozenset(_LISTS["body"].words)
ADJECTIVES = _LISTS["adjectives"].key_of  # kind of attribute
PATTERN = _LISTS["patterns"].key_of  # adjective -> what its texture is
POSITION = _LISTS["positions"].key_of
# They rank: positions before a noun without "on the".
ORDINALS = frozenset(_LISTS["ordinals"].words)

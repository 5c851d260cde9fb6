"""Texts that a word without other evidence is judged by: the one that is meant against another.

"A woman" against "a man", "a person with a cap" against "a person". What has evidence of its own
(classes, colours, patterns, positions, movements) is left to that.
"""

from __future__ import annotations

from dataclasses import replace

from cospal_cli.core.query import Attribute, Query
from cospal_cli.language.lexicon.person import FEMALE, MALE, PERSON, YOUNG

_PHOTO = "a photo of"
_KINDS = frozenset("garment accessory hair held age gender state material skin style".split())
_OPPOSITES = {"old": "young", "young": "old", "elderly": "young", "little": "big"}


def contrasts(query: Query) -> dict[str, tuple[str, str]]:
    """Unresolved word of ``query`` -> the text with it and the one against it."""
    noun = query.subject if query.subject in PERSON else "person"
    found: dict[str, tuple[str, str]] = {}
    if query.subject in MALE | FEMALE and query.subject in query.unresolved:
        found[query.subject] = _gender(query.subject)
    for attribute in query.attributes:
        if attribute.word in query.unresolved and attribute.kind in _KINDS:
            found[attribute.word] = _attribute(attribute, noun)
    return found


def judged(query: Query) -> Query:
    """``query`` without the unresolved words that an image-text model judges."""
    known = contrasts(query)
    return replace(query, unresolved=tuple(w for w in query.unresolved if w not in known))


def _gender(word: str) -> tuple[str, str]:
    male, female = ("boy", "girl") if word in YOUNG else ("man", "woman")
    own, other = (male, female) if word in MALE else (female, male)
    return f"{_PHOTO} a {own}", f"{_PHOTO} a {other}"


def _attribute(attribute: Attribute, noun: str) -> tuple[str, str]:
    word = attribute.word
    plain = f"{_PHOTO} {_a(noun)}"
    if attribute.kind in ("garment", "accessory", "hair", "held") and word == attribute.garment:
        verb = "holding" if attribute.kind == "held" else "with"
        return f"{plain} {verb} {_a(word)}", plain
    if attribute.garment:
        worn = f"{word} {attribute.garment}"
        return f"{plain} with {_a(worn)}", f"{plain} with {_a(attribute.garment)}"
    other = _OPPOSITES.get(word)
    against = f"{_PHOTO} {_a(f'{other} {noun}')}" if other else plain
    return f"{_PHOTO} {_a(f'{word} {noun}')}", against


def _a(words: str) -> str:
    """With an article, unless it is a plural."""
    if words.endswith("s") and not words.endswith("ss"):
        return words
    return f"{'an' if words[:1] in 'aeiou' else 'a'} {words}"

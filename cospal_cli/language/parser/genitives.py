"""Whose it is: "the man in the suit's bicycle" is the bicycle of the man, not of the suit."""

from __future__ import annotations

from cospal_cli.language.lexicon.person import GENERIC
from cospal_cli.language.parser.chunks import Item, NounPhrase, noun_phrase
from cospal_cli.language.parser.tokens import Token

_DRESSING = frozenset("wear dress clothe hold carry have own".split())

_ENDS = ("VZ", "VD", "VB", "PUNCT", "CONJ", "SUB")


def regrouped(items: list[Item]) -> list[Item]:
    """The items with "the bicycle of the man in the suit" for "the man in the suit's bicycle"."""
    for at, item in enumerate(items):
        cut = _cut(item)
        if not cut or not isinstance(item, NounPhrase):
            continue
        owner, owned = noun_phrase(item.tokens[: cut - 1]), noun_phrase(item.tokens[cut:])
        first = _whose(items, at)
        if first is None or not _beyond(owner, owned):
            continue
        whole = items[first]
        assert isinstance(whole, NounPhrase)
        owned.lead = whole.lead or whole.tokens[0]
        of = Token("of", owner.end, owner.end, "PREP")
        return [*items[:first], owned, of, *items[first:at], owner, *items[at + 1 :]]
    return items


def _cut(item: Item) -> int:
    """Where the owned thing begins in the tokens of a phrase with a genitive; 0: there is none."""
    if not isinstance(item, NounPhrase):
        return 0
    at = next((i for i, t in enumerate(item.tokens) if t.tag == "GEN"), 0)
    parts = item.tokens[:at], item.tokens[at + 1 :]
    nouns = all(any(t.tag in ("NOUN", "ADJ", "POS") for t in part) for part in parts)
    return at + 1 if at and nouns else 0


def _whose(items: list[Item], at: int) -> int | None:
    """The phrase before ``at`` that may own: the last that lives, with no clause in between."""
    for before in range(at - 1, -1, -1):
        item = items[before]
        if isinstance(item, NounPhrase):
            if item.thing.alive or item.thing.lemma in GENERIC:
                return before if before < at - 1 else None
        elif item.tag in _ENDS or (item.verbal and item.lemma not in _DRESSING):
            return None
    return None


def _beyond(owner: NounPhrase, owned: NounPhrase) -> bool:
    """Whether the noun right before 's cannot own the thing: clothes, colours, places, tools."""
    if owner.thing.alive:
        return False
    if owner.bare or owner.place or owner.thing.region:
        return True
    thing = owned.thing
    return bool(thing.alive or thing.mover or thing.region or thing.classes)

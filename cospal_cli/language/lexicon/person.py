"""Nouns for people. All of them are the detector class ``person``."""

from __future__ import annotations

from pathlib import Path

from cospal_cli.core import word_lists

_LISTS = word_lists.load(Path(__file__).with_suffix(".txt"))
_PEOPLE = {kind: frozenset(words) for kind, words in _LISTS["people"].by_key.items()}
# The noun also says a gender or an age, which the detector's class cannot confirm.
MALE, FEMALE, YOUNG = _PEOPLE["male"], _PEOPLE["female"], _PEOPLE["young"]
PERSON = frozenset(_LISTS["people"].words)
GENDER = {**dict.fromkeys(MALE, "he"), **dict.fromkeys(FEMALE, "she")}
IMPLIED = _LISTS["riders"].key_of  # who is what he is by the thing beside him
# Heads without a meaning of their own: the class follows from what is said about them.
GENERIC = frozenset(_LISTS["generic"].words)
# Nouns of amount before "of": the next noun is meant ("a group of people").
PARTITIVE = frozenset(_LISTS["amounts"].words)

_NOT_PEOPLE = frozenset(_LISTS["not_people"].words)
_OCCUPATION = tuple("man woman person boy girl men women ist eer ier ian monger smith".split())


def is_person(lemma: str) -> bool:
    """True for a person noun of the lists, or of an occupation's shape ("watchman", "florist")."""
    if lemma in PERSON:
        return True
    return len(lemma) > 5 and lemma.endswith(_OCCUPATION) and lemma not in _NOT_PEOPLE

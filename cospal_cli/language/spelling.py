"""Misspelt words: one letter wrong, missing, doubled or swapped, in a word of four or more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from cospal_cli import colours
from cospal_cli.errors import WeightsError
from cospal_cli.language import imagenet, lexicon, words_person
from cospal_cli.language.tokens import Token
from cospal_cli.language.words_dress import ADJECTIVES, POSITION
from cospal_cli.language.words_verbs import forms

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_MIN = 4


def correct(tokens: Sequence[Token]) -> tuple[list[Token], tuple[str, ...]]:
    """The tokens with misspelt words replaced (offsets kept), and a warning for each."""
    fixed, warnings = [], []
    for token in tokens:
        word = token.word if _unknown(token.word) else ""
        better = _nearest(word) if word else ""
        if better:
            warnings.append(f"{word!r} is read as {better!r}")
        fixed.append(replace(token, word=better) if better else token)
    return fixed, tuple(warnings)


def _unknown(word: str) -> bool:
    if len(word) < _MIN or not (word.isascii() and word.isalpha()):
        return False
    if lexicon.knows(word) or words_person.is_person(word):
        return False
    return word not in _real_words() and word not in imagenet.names()


def _real_words() -> frozenset[str]:
    from cospal_cli.language.encode import whole_words

    try:
        return whole_words()
    except WeightsError:
        return frozenset()


@cache
def _spellings() -> frozenset[str]:
    words = {*lexicon.nouns(), *forms(), *ADJECTIVES, *POSITION, *colours.BASIC, "with", "wearing"}
    return frozenset(word for word in words if word.isalpha() and len(word) >= _MIN - 1)


def _nearest(word: str) -> str:
    """The known word at distance one, those with the same first letter first; "" if none."""
    found = sorted({edit for edit in _edits(word) if edit in _spellings()})
    found = [w for w in found if w[0] == word[0] or w[1:2] == word[:1]]  # first letters are right
    return min(found, key=lambda w: (abs(len(w) - len(word)), w), default="")


def _edits(word: str) -> Iterator[str]:
    for at in range(len(word) + 1):
        head, tail = word[:at], word[at:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        for letter in _LETTERS:
            yield head + letter + tail
            yield head + letter + tail[1:]
        yield head + tail[1:]

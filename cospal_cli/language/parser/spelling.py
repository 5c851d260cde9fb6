"""Misspelt words: one slip of the hand in a word of four letters or more.

A rare word is far more often right than wrong, so only slips that hands make are undone: two
letters swapped, one doubled or missing, one struck in place of its neighbour on the keyboard. The
ending stays, as it shows what kind of word was meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from cospal_cli.core import colours
from cospal_cli.core.errors import WeightsError
from cospal_cli.language.lexicon import imagenet
from cospal_cli.language.lexicon import person as words_person
from cospal_cli.language.lexicon import words as lexicon
from cospal_cli.language.lexicon.dress import ADJECTIVES, POSITION
from cospal_cli.language.lexicon.verbs import forms
from cospal_cli.language.parser.tokens import Token

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_MIN = 4
_LONG = 5  # shorter words only lack a letter, or have two swapped
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_VOWELS = frozenset("aeiouy")
_CLUSTERS = frozenset(
    """bl br ch cl cr dr dw fl fr gl gr kn ph pl pr rh sc sh sk sl sm sn sp sq st sw th tr tw wh
    wr""".split()
)
_ENDINGS = ("ing", "ed", "er", "or", "ly", "es", "s", "y")


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
    if len(word) < _LONG and _sayable(word):
        return False
    stems = {word.removesuffix(ending) for ending in ("", "s", "es", "ed", "d", "ing")}
    return not (stems & _real_words()) and word not in imagenet.names()


def _sayable(word: str) -> bool:
    """Whether a short word could be one that no list has: "pint", not "wman" or "blck"."""
    cluster = word[0] not in _VOWELS and word[1] not in _VOWELS
    return bool(_VOWELS & set(word[1:])) and not (cluster and word[:2] not in _CLUSTERS)


def _real_words() -> frozenset[str]:
    from cospal_cli.language.encoders.minilm import whole_words

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
    near = sorted({edit for edit in _edits(word) if edit in _spellings()})
    near = [w for w in near if _ending(w) == _ending(word) or sorted(w) == sorted(word)]
    near = [w for w in near if w[0] == word[0] or w[1:2] == word[:1]]  # first letters are right
    return min(near, key=lambda w: (abs(len(w) - len(word)), w), default="")


def _ending(word: str) -> str:
    return next((ending for ending in _ENDINGS if word.endswith(ending)), "")


@cache
def _beside(one: str, other: str) -> bool:
    """Whether two keys touch."""
    places = {letter: (x + y / 2, y) for y, row in enumerate(_ROWS) for x, letter in enumerate(row)}
    (x, y), (u, v) = places.get(one, (-9, -9)), places.get(other, (9, 9))
    return abs(x - u) <= 1 and abs(y - v) <= 1


def _edits(word: str) -> Iterator[str]:
    """What the hand may have meant by ``word``."""
    for at in range(len(word) + 1):
        head, tail = word[:at], word[at:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        for letter in _LETTERS:
            yield head + letter + tail
            near = tail and (_beside(letter, tail[0]) or {letter, tail[0]} <= _VOWELS)
            if near and len(word) >= _LONG:
                yield head + letter + tail[1:]
        if head and tail and head[-1] == tail[0]:
            yield head + tail[1:]

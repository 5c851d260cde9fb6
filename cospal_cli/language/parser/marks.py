"""Marks of writing out of the way: quotes, brackets, dashes, emphasis, emoji, and lost apostrophes.

The text that is left reads as the sentence would without them. Letters and words stay; what is
taken away with a meaning of its own, such as an emoji, is named.
"""

from __future__ import annotations

import html
import re
import unicodedata

from cospal_cli.language.lexicon import words as lexicon
from cospal_cli.language.lexicon.closed import CLOSED

_APOSTROPHES = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\u2032\uff07\u00b4`", "'")
)
_QUOTES = re.compile(
    r"[\"\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a\u201a\uff02\u301d\u301e\u2033\u2036]"
)
_DASHES = re.compile(r"\s*(?:[\u2014\u2013\u2012\u2015\u2212]|--+)\s*|\s+-\s+(?=\w)")
_DOTS = re.compile(r"(?:\u2026|\.\s?\.(?:\s?\.)*)")
_PAUSE = re.compile(r"\s*\u2014\s*(?:\u2014\s*)*(?=(\w*))")
_EMPHASIS = re.compile(r"[*#~^|<>=\\{}\[\]\u2022\u00b7\u2605\u2606\u203b\u00a7\u2020]+")
_BRACKETS = re.compile(r"[()\uff08\uff09]")
_UNDERSCORES = re.compile(r"_+")
_DETACHED = re.compile(r"(?<=\w)\s+'\s?s\b|(?<=\w)'\s+s\b(?!\w)|(?<=\w)\s+'s\b")
_SPLIT_NOT = re.compile(r"(?<=\w)\s+n\s?'\s?t\b", re.I)
_SPLIT_T = re.compile(r"(?<=n)\s*'\s+t\b|(?<=n)\s+'t\b", re.I)
_OPENING = re.compile(r"(?<![\w'])'+(?=\s*\w)")
_CLOSING = re.compile(r"(?<=[\w.,!?;:])'+(?!\w)")
_PLURAL_OWNER = re.compile(r"(?<=s)'(?=\s+\w)")
_STRAY = re.compile(r"(?<!in)(?<!\w')'(?!\w)")
_OWNERS = re.compile(r"\b(man|woman|child|men|women|children)s(?=\s+[a-z])", re.I)
_LOST = re.compile(r"(?<=[a-z])\s+s\s+(?=[a-z])", re.I)
_TAG = re.compile(r"</?(\w+)\s*/?>")
_SPACES = re.compile(r"\s+")
_SYMBOLS = ("So", "Sk", "Co", "Cn")


def plain(text: str) -> tuple[str, tuple[str, ...]]:
    """``text`` without marks, and the signs with a meaning (emoji) that fell out."""
    if "&" in text:
        text = html.unescape(text)
    if "</" in text or not all(lexicon.knows(tag) for tag in _TAG.findall(text.lower())):
        text = _TAG.sub(" ", text)
    text = text.translate(_APOSTROPHES)
    text, signs = _without_signs(text)
    for pattern, instead in (
        (_QUOTES, " "),
        (_DOTS, " \u2014 "),
        (_DASHES, " \u2014 "),
        (_PAUSE, _pause),
        (_EMPHASIS, " "),
        (_BRACKETS, " "),
        (_UNDERSCORES, " "),
        (_SPLIT_NOT, "n't"),
        (_SPLIT_T, "'t"),
        (_DETACHED, "'s"),
        (_LOST, "'s "),
        (_OWNERS, r"\1's"),
    ):
        text = pattern.sub(instead, text)
    return _SPACES.sub(" ", _without_quotes(text)).strip(), signs


def _pause(match: re.Match[str]) -> str:
    """A dash or dots: a comma before a noun, nothing before a word that goes on with the phrase."""
    word = match[1].lower()
    goes_on = CLOSED.get(word) in ("PREP", "REL", "AUX", "CONJ", "TO", "PRT", "NEG")
    acts = any(tag in ("VZ", "VG", "VD") for _, tag in lexicon.verb_readings(word))
    return " " if goes_on or acts or not word else " , "


def _without_signs(text: str) -> tuple[str, tuple[str, ...]]:
    """Spaces for emoji and symbols; nothing for marks that have no width."""
    kept, signs = [], []
    for letter in text:
        kind = unicodedata.category(letter)
        if kind in _SYMBOLS and ord(letter) > 0x7F and letter not in "\u00ae\u2122\u00a9":
            signs.append(letter)
            kept.append(" ")
        elif kind == "Cf" or 0xFE00 <= ord(letter) <= 0xFE0F or 0x1F3FB <= ord(letter) <= 0x1F3FF:
            continue
        else:
            kept.append(letter)
    return "".join(kept), tuple(dict.fromkeys(signs))


def _without_quotes(text: str) -> str:
    """Without single quotes around words; apostrophes within words and of owners stay."""
    opened = len(_OPENING.findall(text))
    text = _OPENING.sub("", text)
    text = _CLOSING.sub("", text, count=opened) if opened else _PLURAL_OWNER.sub("'s", text)
    return _STRAY.sub("", text)

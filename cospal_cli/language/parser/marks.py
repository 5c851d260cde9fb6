"""Marks of writing out of the way: quotes, brackets, dashes, emphasis, emoji, and lost apostrophes.

The text that is left reads as the sentence would without them. Letters and words stay; what is
taken away with a meaning of its own, such as an emoji, is named.
"""

from __future__ import annotations

import re
import unicodedata

from cospal_cli.language.lexicon import words as lexicon
from cospal_cli.language.lexicon.closed import CLOSED

_APOSTROPHES = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\u2032\uff07\u00b4`", "'")
)
# Compiled where they are needed: most sentences have no marks.
_PLAIN = re.compile(r"(?:[A-Za-z0-9 ,?!]|\.(?!\s?\.)|\b-\b)*")
_QUOTES = (
    r"[\"\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a\u201a\uff02\u301d\u301e\u2033\u2036]"
)
_DASHES = r"\s*(?:[\u2014\u2013\u2012\u2015\u2212]|--+)\s*|\s+-\s+(?=\w)"
_DOTS = r"(?:\u2026|\.\s?\.(?:\s?\.)*)"
_PAUSE = r"\s*\u2014\s*(?:\u2014\s*)*(?=(\w*))"
_EMPHASIS = r"[*#~^|<>=\\{}\[\]\u2022\u00b7\u2605\u2606\u203b\u00a7\u2020]+"
_BRACKETS = r"[()\uff08\uff09]"
_UNDERSCORES = r"_+"
_DETACHED = r"(?<=\w)\s+'\s?s\b|(?<=\w)'\s+s\b(?!\w)|(?<=\w)\s+'s\b"
_SPLIT_NOT = r"(?i)(?<=\w)\s+n\s?'\s?t\b"
_SPLIT_T = r"(?i)(?<=n)\s*'\s+t\b|(?<=n)\s+'t\b"
_OPENING = r"(?<![\w'])'+(?=\s*\w)"
_CLOSING = r"(?<=[\w.,!?;:])'+(?!\w)"
_PLURAL_OWNER = r"(?<=s)'(?=\s+\w)"
_STRAY = r"(?<!in)(?<!\w')'(?!\w)"
_OWNERS = r"(?i)\b(man|woman|child|men|women|children)s(?=\s+[a-z])"
_LOST = r"(?i)(?<=[a-z])\s+s\s+(?=[a-z])"
_TAG = r"</?(\w+)\s*/?>"
_SPACES = r"\s+"
_SYMBOLS = ("So", "Sk", "Co", "Cn")


def plain(text: str) -> tuple[str, tuple[str, ...]]:
    """``text`` without marks, and the signs with a meaning (emoji) that fell out."""
    if _PLAIN.fullmatch(text):
        return _owners(text), ()
    if "&" in text:
        import html

        text = html.unescape(text)
    if "</" in text or not all(lexicon.knows(tag) for tag in re.findall(_TAG, text.lower())):
        text = re.sub(_TAG, " ", text)
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
    ):
        text = re.sub(pattern, instead, text)
    return re.sub(_SPACES, " ", _without_quotes(_owners(text))).strip(), signs


def _owners(text: str) -> str:
    """ "The woman s hat", "the mans hat": with their apostrophe."""
    return re.sub(_OWNERS, r"\1's", re.sub(_LOST, "'s ", text))


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
    opened = len(re.findall(_OPENING, text))
    text = re.sub(_OPENING, "", text)
    text = re.sub(_CLOSING, "", text, count=opened) if opened else re.sub(_PLURAL_OWNER, "'s", text)
    return re.sub(_STRAY, "", text)

"""Careless writing as careful writing: "w/", "n", "lil", "drivin", "pls", ..."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cospal_cli.language.lexicon import person as words_person
from cospal_cli.language.lexicon import words as lexicon
from cospal_cli.language.lexicon.negative import CONTRACTED
from cospal_cli.language.lexicon.verbs import forms
from cospal_cli.language.parser.tokens import Token

# Single letters and marks are short for these only between words.
_BETWEEN = {"w": "with", "n": "and", "+": "and", "@": "at", "b": "be", "r": "are"}
_SHORT = {
    "lil": "little", "lilttle": "little", "ppl": "people", "wearin": "wearing", "nxt": "next",
    "blk": "black", "wht": "white", "grn": "green", "gry": "gray", "yelow": "yellow",
    "jkt": "jacket", "tshrt": "t-shirt", "moto": "motorcycle", "veh": "vehicle", "wo": "without",
    "tho": "though", "thru": "through", "goin": "going", "doin": "doing", "havin": "having",
    "hankie": "handkerchief", "wat": "what", "wot": "what", "wut": "what", "hu": "who",
    "bein": "being", "wif": "with",
    "wiv": "with", "da": "the", "teh": "the", "dat": "that",
    "nd": "and", "frm": "from", "infront": "in front of", "doggo": "dog", "kitteh": "kitty",
}  # fmt: skip

_TWO = {
    "thats": ("that", "is"), "whos": ("who", "is"), "whats": ("what", "is"),
    "theres": ("there", "is"), "wheres": ("where", "is"), "whens": ("when", "is"),
    "hes": ("he", "is"), "shes": ("she", "is"),
}  # fmt: skip

_ENDS = ("'re", "'ve", "'ll", "'d")
_FULL = {"'re": "are", "'ve": "have", "'ll": "will", "'d": "would"}


def plain(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with shortened words written out; offsets still cover what was typed."""
    written: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        words = [t.word for t in tokens[at : at + 3]]
        inside = bool(written) and at + 1 < len(tokens)
        if words == ["w", "/", "o"] or (words[:2] == ["w", "/"] and len(words) > 2):
            size = 3 if words[2] == "o" else 2
            word = "without" if size == 3 else "with"
            written.append(replace(token, word=word, end=tokens[at + size - 1].end))
            at += size
            continue
        if words[1:2] in (["'"], ["’"]) and _sounded(token.word):  # drivin'
            written.append(replace(token, word=token.word + "g", end=tokens[at + 1].end))
            at += 2
            continue
        if token.word in _TWO or token.word in CONTRACTED or token.word.endswith(_ENDS):
            first, second = _TWO.get(token.word) or _cut(token.word)
            end = token.start + len(first)
            written += [replace(token, word=first, end=end), replace(token, word=second, start=end)]
            at += 1
            continue
        if token.word in _BETWEEN and inside:
            token = replace(token, word=_BETWEEN[token.word])
        elif token.word in _SHORT:
            token = replace(token, word=_SHORT[token.word])
        elif _sounded(token.word):
            token = replace(token, word=token.word + "g")
        written.append(token)
        at += 1
    return written


def _cut(word: str) -> tuple[str, str]:
    """ "who're" as "who" and "are", "isn't" as "is" and "not"."""
    if word in CONTRACTED:
        return CONTRACTED[word], "not"
    first, mark, last = word.rpartition("'")
    return first, _FULL[mark + last]


def _sounded(word: str) -> bool:
    """Whether a g was dropped: "walkin" is not a word, "walking" is a verb's form."""
    if not word.endswith("in") or len(word) < 5 or lexicon.knows(word):
        return False
    return bool(forms().get(word + "g")) and not words_person.is_person(word)

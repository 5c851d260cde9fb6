"""Where the wh-word stands: questions in any order, as the wh-word with the rest behind it.

"To whom does he talk", "the child watches what" and "who is it that the dog chases" all become
a wh-word and a clause that lacks it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from cospal_cli.language.lexicon import words as lexicon
from cospal_cli.language.lexicon.questions import ADVERBIAL, ASPECTS, BE, HAVE, LOOKS, MODAL, WH
from cospal_cli.language.parser.tokens import VERBAL, Token

_AFTER_WH = frozenset("else exactly all ever actually precisely".split())
_ASIDES = frozenset(
    """so ok okay hey hi um uh well and now then please just can could would will you do does did
    know tell me us i we wonder want need to see say guess anyone anybody let find out show like
    idea have any if""".split()
)
_OATHS = (["the", "heck"], ["the", "hell"], ["on", "earth"], ["in", "the", "world"])
_NO_NOUN = ("DET", "POSS", "ADJ", "NUM", "POS", "GEN", "PREP", "TO", "AUX")


class Question(NamedTuple):
    """A question. ``fronted``: the wh-word is known to be an object, of a verb or preposition."""

    word: Token
    rest: list[Token]
    fronted: bool = False


def fronted(tokens: Sequence[Token]) -> Question | None:
    """The question that ``tokens`` (tagged) ask, its wh-word first; None for a statement."""
    question = _first(list(tokens)) or _within(list(tokens))
    return None if question is None else _plain(question)


def _first(tokens: list[Token]) -> Question | None:
    """The wh-word at the start, or behind a preposition or a phrase of place at the start."""
    if not tokens:
        return None
    at = next((i for i, t in enumerate(tokens) if t.word in WH | ADVERBIAL), len(tokens))
    before, rest = tokens[:at], tokens[at + 1 :]
    if rest and all(t.word in _ASIDES or t.tag == "PUNCT" for t in before):
        return Question(tokens[at], rest)
    if at == len(tokens) or not rest or not (_prepositions(before) or before[0].tag == "PREP"):
        return None
    if _prepositions(before):
        named = rest[0].tag != "AUX" and tokens[at].word in ("which", "what")
        return Question(tokens[at], rest, fronted=named or rest[0].tag in ("AUX", "DET", "POSS"))
    nouns = [t for t in before if t.tag in ("NOUN", "PUNCT")]
    place = before[-1].tag in ("NOUN", "PUNCT") and len(nouns) <= 2
    if place and sum(t.tag in ("DET", "POSS", "PREP") for t in before) <= 2 and _asks(rest):
        behind = [t for t in before if t.tag != "PUNCT"]
        marks = [t for t in rest if t.tag == "PUNCT"][-1:]
        return Question(tokens[at], [*(t for t in rest if t not in marks), *behind])
    return None


def _prepositions(tokens: Sequence[Token]) -> bool:
    """ "Next to", "away from", "to the left of": prepositions alone."""
    side = [t.word for t in tokens[:2]] in (["to", "the"], ["on", "the"], ["at", "the"])
    rest = tokens[3:] if side and tokens[-1].word == "of" else tokens
    return all(t.tag in ("PREP", "TO", "ADV", "PRT") or t.word == "away" for t in rest)


def _asks(rest: Sequence[Token]) -> bool:
    """Whether a question's clause is behind the wh-word, or the noun that it is about."""
    acts = [t.tag == "AUX" or t.verbal for t in rest[:3]]
    return acts[0] or (rest[0].tag in ("NOUN", "ADJ") and any(acts))


def _within(tokens: list[Token]) -> Question | None:
    """ "The child watches what in the room": the wh-word where its noun would stand."""
    for at, token in enumerate(tokens[1:], 1):
        if token.word not in WH - {"whose"} or not (
            tokens[at - 1].verbal or tokens[at - 1].tag in ("PREP", "TO")
        ):
            continue
        named = token.word in ("which", "what") and tokens[at + 1 : at + 2]
        end = at + 1
        while named and end < len(tokens) and tokens[end].tag in ("ADJ", "NOUN", "POS"):
            end += 1
        following = tokens[end].tag if end < len(tokens) else "PUNCT"
        if following not in ("PUNCT", "PREP", "TO", "ADV") or tokens[0].word in WH | ADVERBIAL:
            continue
        rest = [*tokens[at + 1 : end], replace(token, word="", tag="AUX", lemma="")]
        return Question(token, [*rest, *tokens[:at], *tokens[end:]], fronted=True)
    return None


def _plain(question: Question) -> Question:
    """Without what only makes the question longer; counted and described nouns are named."""
    word, rest = question.word, list(question.rest)
    while rest and rest[0].word in _AFTER_WH:
        rest.pop(0)
    for oath in _OATHS:
        if [t.word for t in rest[: len(oath)]] == oath:
            rest = rest[len(oath) :]
    words = [t.word for t in rest]
    if word.word == "how" and words[:1] in (["many"], ["much"]):
        word = replace(word, word="which")
    elif word.word == "how" and rest[1:2] and rest[0].tag != "AUX" == rest[1].tag:
        rest = rest[1:]  # "how often does"
    elif word.word == "which" and words[:1] == ["of"]:
        one = replace(rest[0], word="one", end=rest[0].start, tag="NUM")
        rest = [one, rest[0], *(rest[2:] if rest[1:] and rest[1].tag == "DET" else rest[1:])]
    elif words[1:3] == ["it", "that"] and words[0] in BE:
        rest = rest[3:]
    elif words[1:2] == ["there"] and words[0] in BE:
        rest = [rest[0], *rest[2:]]
    elif words[1:3] in (["you", "see"], ["we", "see"], ["you", "find"], ["you", "spot"]):
        rest = rest[3:]
    elif words[:2] in (["happens", "to"], ["happened", "to"]):
        word, rest = replace(word, word="how"), rest[2:]
    elif words[:2] == ["is", "the"] and words[3:4] == ["of"] and words[2] in ASPECTS:
        word, rest = replace(word, word="how"), rest[4:]
    elif words[1:2] == ["of"] and words[0] in LOOKS:
        rest = rest[2:]  # "what color of ball"
    elif words[:1] and words[0] in ASPECTS and rest[1:2] and rest[1].tag in ("AUX", "PREP"):
        at = next((i for i, t in enumerate(rest) if t.tag == "AUX"), 0)
        word, rest = replace(word, word="how"), rest[at:] if at else rest
    if word.word == "how" and question.fronted:
        question = question._replace(fronted=False)
    return Question(word, _with_verb(_with_noun(word.word, rest)), question.fronted)


def _with_verb(rest: list[Token]) -> list[Token]:
    """Behind "does" stands a bare verb, even where its form is a noun's: "does the boy pet"."""
    done = any(t.tag in ("VN", "VD") or t.word == "been" for t in rest[1:])
    if rest and rest[0].word in HAVE and done:
        rest[0] = replace(rest[0], tag="AUX")  # "what has the boy got"
    start = next((i for i, t in enumerate(rest) if t.word in MODAL and t.tag == "AUX"), None)
    if start is None or rest[start + 1 : start + 2] == [] or rest[start + 1].tag in ("AUX", "NEG"):
        return rest
    verb_at = next((i for i in range(start + 1, len(rest)) if rest[i].tag == "VB"), None)
    if verb_at is not None and not _is_hand(rest, verb_at):
        return rest
    for at in range(verb_at - 1 if verb_at else len(rest) - 1, start + 1, -1):
        lemma = next((v for v, tag in _readings(rest[at].word) if tag == "VB"), "")
        before = rest[at - 1]
        dressed = before.tag == "ADJ" and _described(rest, at - 1)
        nameless = before.tag == "ADJ" and not any(t.tag == "NOUN" for t in rest[start:at])
        if rest[at].tag not in ("NOUN", "ADJ", "VN", "VD"):
            continue
        if lemma and (dressed or nameless or before.tag not in _NO_NOUN):
            rest[at] = replace(rest[at], tag="VB", lemma=lemma)
            if nameless and not dressed:  # "does the stingray hug"
                rest[at - 1] = _as_noun(before)
            break
    return rest


def _described(rest: list[Token], at: int) -> bool:
    """Whether the adjective at ``at`` needs no noun: "in red and white", "that is black"."""
    while at and (rest[at].tag == "ADJ" or rest[at].word in ("and", ",")):
        at -= 1
    return rest[at].word in ("in", "with") or (at > 1 and rest[at].tag == "AUX")


def _is_hand(rest: list[Token], at: int) -> bool:
    """ "does the adult wave hand": a noun behind the verb, taken for the verb."""
    noun = rest[at - 1].tag == "NOUN" == rest[at - 2].tag
    return noun and lexicon.is_noun(rest[at].word) and bool(_readings(rest[at - 1].word))


def _as_noun(token: Token) -> Token:
    return replace(token, tag="NOUN", lemma=lexicon.noun_lemma(token.word))


def _with_noun(word: str, rest: list[Token]) -> list[Token]:
    """ "Which bear is", "which ski does": a noun behind "which", whatever else its form may be."""
    if word not in ("which", "what", "whose", "how") or len(rest) < 2:
        return rest
    first, following = rest[0], rest[1].tag
    acts = following == "AUX" or following in VERBAL
    form = first.tag in ("VB", "ADJ") or (first.tag == "VZ" and following == "AUX")
    if form and lexicon.is_noun(first.word) and (acts or following in ("PREP", "REL", "TO")):
        rest[0] = _as_noun(first)
    return rest


def _readings(word: str) -> tuple[tuple[str, str], ...]:
    """The verbs that ``word`` may be, those too that the lists take for nouns alone."""
    from cospal_cli.language.lexicon.verbs import forms

    return lexicon.verb_readings(word) or forms().get(word, ())

"""How the subject stands to the sentence's other things: "left of the red car", "holding the dog".

Read from the words right before each of them: a preposition, a side with "of", or a verb. Only what
is said of the subject itself is kept; that a thing is merely near says nothing more here.
"""

from __future__ import annotations

from collections.abc import Sequence

from cospal_cli.core import colours
from cospal_cli.core.query import Attribute, Relation
from cospal_cli.language.lexicon import words as lexicon
from cospal_cli.language.lexicon.verbs import HOLD
from cospal_cli.language.parser.chunks import NounPhrase
from cospal_cli.language.parser.clauses import Event, SentenceParts
from cospal_cli.language.parser.subject import role
from cospal_cli.language.parser.tokens import VERBAL, Token

_KINDS = {
    word: kind
    for kind, words in {
        "above": ("above", "over"),
        "below": ("below", "beneath", "under", "underneath"),
        "on": ("on", "on top of", "onto", "upon", "atop", "astride"),
        "in": ("in", "inside", "aboard", "within"),
        "behind": ("behind", "in back of", "after"),
        "front": ("in front of", "ahead of", "before"),
        "between": ("between", "in between"),
        "toward": ("toward", "towards", "up to"),
        "away": ("away from",),
    }.items()
    for word in words
}
_VERBS = {
    verb: kind
    for kind, verbs in {
        "touch": "hug embrace cuddle kiss pet stroke pat caress nuzzle tickle push pull massage",
        "on": "ride mount board straddle",
        "in": "drive steer pilot",
        "behind": "follow chase pursue shadow tail",
        "hold": "carry hold cradle clutch grip grasp lift raise hoist juggle drink eat swing wave",
        "toward": "approach",
    }.items()
    for verb in verbs.split()
}
# How one is by the thing that makes the role: on a bicycle, in a car, with a bat.
_ROLES = {
    "car": "in", "boat": "in", "baseball bat": "hold", "baseball glove": "hold", "cup": "hold"
}  # fmt: skip
_BESIDE = frozenset("ballplayer baller footballer juggler dog-walker".split())
_CLOSEST = frozenset("closest nearest".split())
_SIDES = frozenset("left right".split())
_SIDE_WORDS = frozenset("side hand part".split())
_NUMBERS = {
    "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4,
    "fifth": 5, "5th": 5, "sixth": 6, "6th": 6,
}  # fmt: skip


def relations_of(sentence: SentenceParts, tokens: Sequence[Token]) -> tuple[Relation, ...]:
    """What ``tokens`` say of the subject and each of the context's phrases, in their order."""
    subject = sentence.subject
    assert subject is not None
    phrases = sorted((p for p in sentence.context if p.head.tag == "NOUN"), key=lambda p: p.start)
    found = []
    for at, phrase in enumerate(phrases):
        others = [*phrases[:at], *(p for o, _, p in sentence.relations if o is not subject)]
        if phrase.thing.classes and _of_subject(sentence, subject, phrase, others):
            kind, shown = _kind(sentence, phrase, tokens), _shown(phrase)
            kind = kind or ("near" if shown else "")  # "next to the white car": which of the cars
            if kind:
                classes = phrase.thing.classes
                if kind == "between" and at + 1 < len(phrases):  # "the car and the tree"
                    classes = {**phrases[at + 1].thing.classes, **classes}
                found.append(Relation(kind, phrase.head.word, classes, shown))
    implied = role(subject)
    if implied:
        best = max(implied, key=lambda name: implied[name])
        kind = _ROLES.get(best, "on" if subject.head.lemma not in _BESIDE else "")
        found += [Relation(kind, subject.head.word, implied)] if kind else []
    return tuple(found)


def order_of(tokens: Sequence[Token]) -> tuple[int, str] | None:
    """(2, "left") of "the second man from the left"; None where no such place is named."""
    words = [t.word for t in tokens]
    for at, word in enumerate(words):
        side = at + (2 if words[at + 1 : at + 2] == ["the"] else 1)
        if word == "from" and words[side : side + 1] in (["left"], ["right"]):
            ranks = [_NUMBERS[w] for w in words[:at] if w in _NUMBERS]
            return (ranks[-1], words[side]) if ranks else None
    return None


def _of_subject(
    sentence: SentenceParts, subject: NounPhrase, phrase: NounPhrase, others: Sequence[NounPhrase]
) -> bool:
    """Whether it is the subject that stands so to ``phrase``, no other noun before it."""
    held = any(o is subject and p is phrase for o, _, p in sentence.relations)
    event = _event(sentence, phrase)
    if held or event is not None:
        return held or (event is not None and event.owner is subject and not event.negated)
    return not any(subject.end <= other.start < phrase.start for other in others)


def _event(sentence: SentenceParts, phrase: NounPhrase) -> Event | None:
    """The verb that ``phrase`` is the object or place of."""
    for event in sentence.events:
        if phrase in event.objects or any(p is phrase for _, p in event.places):
            return event
    return None


def _kind(sentence: SentenceParts, phrase: NounPhrase, tokens: Sequence[Token]) -> str:
    before = [t for t in tokens if t.start < phrase.start]
    words = [t.word for t in before if t.tag not in ("DET", "NUM", "POSS")]
    if words[-1:] == ["of"]:
        rest = words[:-1]
        while rest and rest[-1] in _SIDE_WORDS:
            rest = rest[:-1]
        return rest[-1] if rest and rest[-1] in _SIDES else ""
    if words[-1:] == ["to"] and words[-2:-1] and words[-2] in _CLOSEST:
        return "closest"
    if words[-2:] in (["away", "from"], ["up", "to"]):
        return _KINDS[" ".join(words[-2:])]
    last = before[-1] if before else None
    while last is not None and last.tag in ("DET", "NUM", "POSS"):
        before = before[:-1]
        last = before[-1] if before else None
    if last is None:
        return ""
    event = _event(sentence, phrase)
    if last.word == "over" and event is not None:
        return ""  # "jumps over the ball": for a moment only
    if last.word in _KINDS and last.tag not in VERBAL:
        return _KINDS[last.word]
    if event is not None and (phrase in event.objects or last.word == "by"):
        kind = _VERBS.get(event.verb.lemma, "hold" if event.verb.lemma in HOLD else "")
        return kind if not event.passive or kind == "touch" else ""
    held = any(p is phrase and relation == "hold" for _, relation, p in sentence.relations)
    return "hold" if held and not phrase.thing.person else ""


def _shown(phrase: NounPhrase) -> tuple[Attribute, ...]:
    """The colours that are said of the other thing."""
    tokens = [t for t in phrase.described if lexicon.is_colour(t.word) and not t.denied]
    words = [t.word for t in phrase.described if t.word in lexicon.TONES or t in tokens]
    values = colours.parse_colour(words) if tokens else None
    return (Attribute(" ".join(words), "colour", "whole", "", values),) if values else ()

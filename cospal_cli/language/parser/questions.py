"""Questions: whom or what the wh-word stands for, and the sentence that the rest of it makes.

A wh-word that is the object of the verb, or of a preposition left behind, is the subject meant: of
"what does the child watch" or "who is the toy next to" the rest reads as a plain sentence about the
other noun, which becomes context. In any other question the wh-word takes the noun's place.
"""

from __future__ import annotations

from collections.abc import Sequence

from cospal_cli.language.lexicon import words as lexicon
from cospal_cli.language.lexicon.person import GENERIC
from cospal_cli.language.lexicon.questions import (
    ADVERBIAL,
    BE,
    COMPOUND,
    COMPOUND_ENDS,
    DITRANSITIVE,
    INTRANSITIVE,
    OF_A_CLAUSE,
    WH,
)
from cospal_cli.language.lexicon.words import Thing
from cospal_cli.language.parser.asking import Question, fronted
from cospal_cli.language.parser.chunks import Item, NounPhrase, chunk
from cospal_cli.language.parser.clauses import SentenceParts
from cospal_cli.language.parser.scan import scan
from cospal_cli.language.parser.tokens import VERBAL, Token


def read(tokens: Sequence[Token]) -> tuple[SentenceParts, Token | None]:
    """The structure of tagged ``tokens``, and the wh-word if they ask."""
    question = fronted(tokens)
    if question is None:
        return _with_subject(scan(chunk(tokens))), None
    if question.word.word in ADVERBIAL:
        return _with_subject(scan(chunk(_without_auxiliary(question.rest)))), None
    return _with_subject(_answer(question)), question.word


def _answer(question: Question) -> SentenceParts:
    """What a question with a wh-word for a noun says of it."""
    head, clause = _parts(question.rest)
    if question.fronted or _wants_object(question.word.word, head, clause):
        return _about_object(question, head, clause)
    items = chunk(question.rest)
    named = bool(items) and isinstance(items[0], NounPhrase)
    if named and question.word.word in ("what", "which", "whose"):
        return scan(items)  # "what vehicle drives away"
    if _names(items):  # "who is the man in red", "what is the dog doing"
        parts = scan([i for i in items[1:] if not (isinstance(i, Token) and i.lemma == "do")])
        if question.word.word == "who" and parts.subject and parts.subject.thing.lemma in GENERIC:
            parts.subject.thing = lexicon.thing("person")  # "who is the one next to the dog"
        return parts
    return scan(items, stand_in(question.word))


def _parts(rest: Sequence[Token]) -> tuple[list[Token], list[Token]]:
    """What belongs to the wh-word ("which | dog in the yard"), and the clause from its auxiliary.

    Without an auxiliary, the clause begins at its noun: "what | the child watches".
    """
    if rest and rest[0].tag in ("DET", "POSS", "PRON") and rest[0].word not in OF_A_CLAUSE:
        return [], list(rest)
    at = next((i for i, t in enumerate(rest) if t.tag == "AUX"), len(rest))
    if any(t.tag in VERBAL or t.tag in ("REL", "WH") for t in rest[:at]):
        return list(rest), []
    return list(rest[:at]), list(rest[at:])


def _wants_object(word: str, head: list[Token], clause: list[Token]) -> bool:
    """Whether the clause lacks an object, for which the wh-word stands."""
    verbs = [t for t in clause if t.tag in VERBAL]
    items = chunk(clause)
    if not items:
        return False
    first, owner = items[0], items[1] if len(items) > 1 else None
    if isinstance(first, NounPhrase):  # "what the child watches", no auxiliary in front
        return not head and bool(verbs or _stranded(items[1:]))
    if not isinstance(owner, NounPhrase) or (owner.bare and not _determined(owner)):
        return False
    if verbs and verbs[-1].lemma == "do":
        return False  # "what is the dog doing in the yard"
    if first.word not in BE:
        return True
    return _lacks_object(word, bool(head), owner, items[2:])


def _determined(phrase: NounPhrase) -> bool:
    return phrase.determiner != "" and len(phrase.tokens) > 1


def _lacks_object(word: str, named: bool, owner: NounPhrase, rest: list[Item]) -> bool:
    """Whether "is the child ..." leaves a verb or a preposition without its noun."""
    inner = _relative_end(rest)
    if _stranded(rest[inner:]):
        return True
    verbs = [i for i, t in enumerate(rest) if isinstance(t, Token) and t.tag == "VG" and i >= inner]
    if not verbs:
        return False
    verb, behind = rest[verbs[-1]], _without_adverbs(rest[verbs[-1] + 1 :])
    assert isinstance(verb, Token)
    if behind and isinstance(behind[0], NounPhrase) and not _adjunct(behind[0]):
        return verb.lemma in DITRANSITIVE and (word == "what" or named) and len(behind) == 1
    ask_thing = word == "what" and owner.thing.person and verb.lemma not in _posture()
    return ask_thing or verb.lemma not in INTRANSITIVE


def _posture() -> frozenset[str]:
    return frozenset("stand sit lie kneel crouch squat sleep smile laugh".split())


def _adjunct(phrase: NounPhrase) -> bool:
    """ "today", "this time": a noun that is not an object."""
    return phrase.head.word in ("time", "day", "moment", "morning", "evening", "today", "tonight")


def _relative_end(rest: list[Item]) -> int:
    """Behind the verb, and the preposition left behind, of a relative clause of the noun's own."""
    at = next((i for i, t in enumerate(rest) if isinstance(t, Token) and t.tag == "REL"), None)
    if at is None and rest and isinstance(rest[0], NounPhrase) and rest[0].determiner:
        at = -1  # "the man | the dog plays with"
    if at is None:
        return 0
    verb = next(
        (i for i, t in enumerate(rest) if i > at and isinstance(t, Token) and t.tag in VERBAL), None
    )
    owned = isinstance(rest[at + 1], NounPhrase) if at + 1 < len(rest) else False
    if verb is None:
        return 0 if not owned else _first_stranded(rest, at) + 1
    if not owned:
        return verb + 1
    behind = _first_stranded(rest[: verb + 3], verb)
    return (behind if behind > verb else verb) + 1


def _first_stranded(items: list[Item], start: int) -> int:
    return next((i for i in range(start, len(items)) if _left_behind(items, i)), start)


def _stranded(items: list[Item]) -> bool:
    """Whether a preposition has lost its noun: "next to in the playground"."""
    return any(_left_behind(items, at) for at in range(len(items)))


def _left_behind(items: list[Item], at: int) -> bool:
    """Whether the item at ``at`` is a preposition without its noun."""
    token = items[at]
    if not isinstance(token, Token):
        return False
    behind = _without_adverbs(items[at + 1 :])
    following = behind[0] if behind else None
    if token.tag == "PRT" or token.word in ("away", "next"):
        return following is None and token.word in ("away", "next")
    if token.tag not in ("PREP", "TO"):
        return False
    if isinstance(following, NounPhrase):
        return False
    if following is None or following.tag in ("PUNCT", "CONJ", "SUB"):
        return True
    if following.tag not in ("PREP", "TO", "PRT"):
        return False
    previous = items[at - 1] if at else None
    led = isinstance(previous, Token) and previous.word in ("away", "far")
    if token.word == "from" and led:
        return True
    paired = following.word in COMPOUND.get(token.word, COMPOUND_ENDS)
    return not (paired and any(isinstance(i, NounPhrase) for i in behind[1:2]))


def _without_adverbs(items: list[Item]) -> list[Item]:
    at = next(
        (i for i, t in enumerate(items) if not (isinstance(t, Token) and t.tag == "ADV")),
        len(items),
    )
    return items[at:]


def _names(items: list[Item]) -> bool:
    """Whether the noun behind the copula is who is meant: "who is the man in red"."""
    first = items[1] if len(items) > 1 else None
    copula = isinstance(items[0], Token) and items[0].tag == "AUX" if items else False
    if not (copula and isinstance(first, NounPhrase)) or first.pronoun:
        return False
    return not first.bare  # "who is the tallest", "what is not red"


def _about_object(question: Question, head: list[Token], clause: list[Token]) -> SentenceParts:
    """The wh-word, or its noun, as the subject; whoever acts on it is context."""
    meant = scan(chunk(head)) if head else SentenceParts()
    if meant.subject is None:
        meant.subject = stand_in(question.word)
    meant.referral_end = meant.subject.end
    other = scan(chunk(_without_auxiliary(clause)))
    actor = other.subject
    if actor is not None and not actor.pronoun and not actor.place and not actor.bare:
        meant.context.append(actor)
    meant.context += other.context
    meant.events += [e for e in other.events if e.owner is not None]
    return meant


def _without_auxiliary(tokens: Sequence[Token]) -> list[Token]:
    """ "does the child watch" as "the child watch"."""
    kept = list(tokens)
    while kept and kept[0].tag in ("AUX", "NEG"):
        kept.pop(0)
    return kept


def stand_in(word: Token) -> NounPhrase:
    """The noun that a wh-word stands for, at the word's place."""
    noun = "person" if word.word in ("who", "whom") else "object"
    head = Token(noun, word.start, word.end, "NOUN", noun)
    return NounPhrase([head], head, lexicon.thing(noun))


def _with_subject(sentence: SentenceParts) -> SentenceParts:
    if sentence.subject is None:
        head = Token("", 0, 0, "PRON", "")
        sentence.subject = NounPhrase([head], head, Thing(""))
        for event in sentence.events:
            event.owner = event.owner or sentence.subject
    return sentence


__all__ = ["WH", "read", "stand_in"]

"""Words that mean more than one, or count: one subject is returned, so they are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cospal_cli.core.query import Query
from cospal_cli.language.lexicon import words as lexicon
from cospal_cli.language.lexicon.closed import CLOSED
from cospal_cli.language.lexicon.dress import ORDINALS, POSITION, REGION
from cospal_cli.language.parser.chunks import NounPhrase
from cospal_cli.language.parser.clauses import SentenceParts
from cospal_cli.language.parser.tokens import VERBAL, Token

_EACH = frozenset("both every each all these those no none neither".split())
_BODIES = frozenset(
    """everyone everybody all both crowd audience couple family team group squad platoon band choir
    orchestra crew trio duo pair bunch herd flock pack swarm dozen dozens lot lots plenty row
    twins pairs groups several many few""".split()
)
_PLURAL = frozenset("people folks folk others those these".split())
# One thing, though its name is a plural.
_SINGLE = frozenset(
    """glasses scissors clothes skis stairs series news sunglasses binoculars headphones pliers
    tweezers goggles""".split()
)
_ALIKE = frozenset("sheep fish deer aircraft watercraft cattle police".split())
_ONE = frozenset("one either any which single 1".split())
_ONE_RETURNED = "one subject is returned, the likeliest, though the query says "
_APPEAR = frozenset("appear enter arrive come emerge show".split())


_BOUNDS = (
    ("at", "least"), ("at", "most"), ("no", "more", "than"), ("more", "than"), ("less", "than"),
    ("fewer", "than"), ("up to",), ("up", "to"), ("exactly",), ("about",), ("around",), ("over",),
)  # fmt: skip


def without_bounds(tokens: Sequence[Token]) -> list[Token]:
    """ "At least two dogs" as "two dogs"."""
    kept = list(tokens)
    for at in range(len(kept) - 1, -1, -1):
        for bound in _BOUNDS:
            number = [t.word for t in kept[at + len(bound) : at + len(bound) + 1]]
            named = number and (CLOSED.get(number[0]) == "NUM" or _is_number(number[0]))
            words = tuple(t.word for t in kept[at : at + len(bound)])
            firm = at == 0 or bound[-1] in ("least", "most", "than")
            if words != bound or not (named and firm) or (at and kept[at - 1].word == "no"):
                continue
            more = words[0] == "more" and number == ["one"]  # "more than one"
            end = at + len(bound) + more
            kept[at:end] = [replace(kept[end - 1], word="several")] if more else []
            break
    return kept


def _is_number(word: str) -> bool:
    return word.isdigit() or word == "one"


def counted(tokens: Sequence[Token], sentence: SentenceParts) -> list[str]:
    """The words of ``sentence`` that one subject cannot answer; empty for a single one."""
    subject = sentence.subject
    assert subject is not None
    named = _amounts(subject) or _plural(tokens, subject)
    others = [p.head.word for p in sentence.beside]
    return [*named, *others, *(t.word for t in ranks(tokens, subject))]


def warning(words: Sequence[str]) -> str:
    """The warning that names them."""
    named = ", ".join(repr(word) for word in words)
    return f"{_ONE_RETURNED}{named}; --all returns every one that matches"


def of_several(query: Query) -> Query:
    """``query`` where all that are meant are returned: without the warning that only one is."""
    kept = tuple(one for one in query.warnings if not one.startswith(_ONE_RETURNED))
    return replace(query, warnings=kept)


def ranks(tokens: Sequence[Token], subject: NounPhrase) -> list[Token]:
    """ "The first person to jump": ranks in the order of doing, not of place."""
    behind = [t for t in tokens if t.start >= subject.end][:2]
    does = len(behind) == 2 and behind[0].tag == "TO" and behind[1].tag in VERBAL
    ranked = ORDINALS | {"first", "last"}
    return [t for t in subject.described if does and t.word in ranked]


def seen_first(tokens: Sequence[Token], subject: NounPhrase) -> bool:
    """Whether the rank is that of coming into view, which the picture shows: "first to appear"."""
    behind = [t for t in tokens if t.start >= subject.end][1:2]
    return any(t.lemma in _APPEAR for t in behind)


def _amounts(subject: NounPhrase) -> list[str]:
    """Numbers and words such as "both", "every", "a group of"."""
    amounts: list[str] = []
    words = [t.word for t in subject.tokens]
    if _picked(words):
        return []
    for at, token in enumerate(subject.tokens):
        garment = subject.head.lemma in REGION or subject.head.word in _SINGLE
        named = at > 0 and words[at - 1] == "number"
        number = token.tag == "NUM" and token.word not in _ONE and not named
        body = token.word in _BODIES and token is not subject.head and not garment
        lone = token is subject.head and token.word in _BODIES
        each = token.word in _EACH and (token.word != "no" or subject.determiner == "no")
        if each or number or body or lone:
            amounts.append(token.word)
    return amounts


def _picked(words: Sequence[str]) -> bool:
    """ "One of the two men", "the taller of the men": one is meant."""
    before = words[: words.index("of")] if "of" in words else []
    return any(word in _ONE or word in POSITION or word in ORDINALS for word in before)


def _plural(tokens: Sequence[Token], subject: NounPhrase) -> list[str]:
    """The subject's noun where it is a plural: "the people", "dogs"."""
    word, words = subject.head.word, [t.word for t in subject.tokens]
    if subject.head.tag != "NOUN" or subject.determiner in ("a", "an") or _picked(words):
        return []
    dressed = subject.thing.region or subject.thing.lemma in REGION
    if word in _SINGLE or dressed:
        return []
    if word in _ALIKE:
        behind = next((t.word for t in tokens if t.start >= subject.end), "")
        return [word] if behind in ("are", "were", "have") else []
    plural = lexicon.noun_lemma(word) != word or word in _PLURAL
    listed = lexicon.noun_lemma(word) in lexicon.nouns() or word in _PLURAL
    return [word] if plural and listed else []

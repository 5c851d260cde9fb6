"""Everything the word lists know of one word: lemma, tags, and what a noun stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from cospal_cli.core import colours, word_lists
from cospal_cli.language.lexicon import appearance as words_appearance
from cospal_cli.language.lexicon import closed as words_closed
from cospal_cli.language.lexicon import dress as words_dress
from cospal_cli.language.lexicon import person as words_person
from cospal_cli.language.lexicon import things as words_things
from cospal_cli.language.lexicon import verbs as words_verbs
from cospal_cli.language.parser import derived

_LISTS = word_lists.load(Path(__file__).with_suffix(".txt"))
PLURALS = _LISTS["plurals"].key_of  # irregular ones -> singular
TONES = frozenset(_LISTS["tones"].words)
# Written alike, but in these queries never the verb, the noun or the thing.
_ONLY_NOUN = frozenset(_LISTS["only_nouns"].words)
_ONLY_VERB = frozenset(_LISTS["only_verbs"].words)
_COMPOUNDS = ("haired", "tressed", "sleeved", "coloured", "colored", "hued", "clad")
# Compounds of these are garments; shorter ones end other words too ("that", "address").
_CUTS = _LISTS["garment_ends"].words
_REGION = words_dress.REGION
_UNLIKE = frozenset(_LISTS["unlike"].words)


@dataclass(frozen=True)
class Thing:
    """What a noun stands for."""

    lemma: str
    classes: dict[str, float] = field(default_factory=dict)
    appearance: dict[int, float] = field(default_factory=dict)
    region: str = ""  # where on a person: garments, accessories, hair; empty for other things
    person: bool = False
    alive: bool = False  # person or animal: wears things, acts
    mover: bool = False  # vehicle or ball: moves, does not wear
    known: bool = True


@cache
def nouns() -> frozenset[str]:
    """Every noun (lemma) of the lists; several words are joined by spaces."""
    return frozenset(
        words_person.PERSON
        | words_person.GENERIC
        | words_person.PARTITIVE
        | set(words_things.table())
        | set(words_dress.REGION)
        | words_dress.BODY
        | words_closed.SCENE
        | {word for word in words_appearance.table() if not word.endswith("ed")}
    )


def noun_lemma(word: str) -> str:
    """The noun's form in the lists if it has one, else its best guess of a singular."""
    known = nouns()
    if word in PLURALS:
        return PLURALS[word]
    if word in known:
        return word
    for ending, single in (("ies", "y"), ("ves", "f"), ("es", ""), ("s", ""), ("men", "man")):
        if word.endswith(ending) and word[: -len(ending)] + single in known:
            return word[: -len(ending)] + single
    head, _, last = word.rpartition(" ")
    if head:
        return f"{head} {noun_lemma(last)}"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def is_noun(word: str) -> bool:
    """Whether the lists have the word as a noun, in any number."""
    known = noun_lemma(word) in nouns() or _garment_of(word) != ""
    return known and word not in _ONLY_VERB


def _garment_of(word: str) -> str:
    """The known garment that a compound ends in: "tailcoat", "sun-hat", "overtrousers"."""
    ending = next((end for end in _CUTS if word.endswith(end) and len(word) > len(end) + 2), "")
    _, hyphen, last = word.rpartition("-")
    return ending or (last if hyphen and noun_lemma(last) in words_dress.REGION else "")


def is_colour(word: str) -> bool:
    """Whether the word alone is a colour, not a thing."""
    return colours.is_colour(word) and word not in nouns() - {"orange", "denim", "camouflage"}


def is_thing_colour(word: str, following: str) -> bool:
    """ "tangerine" in "tangerine knitwear": a thing's name as the colour of a garment or animal."""
    named = colours.may_be_colour(word) or (colours.is_colour(word) and not is_colour(word))
    near = thing(following) if named and following else None
    return near is not None and bool(near.region or near.alive or near.mover)


def is_tone(word: str, following: str) -> bool:
    """ "baby" in "baby blue", "dark" in "dark clothes"; nouns alone are not tones."""
    return word in TONES and (is_colour(following) or word not in nouns())


def is_adjective(word: str) -> bool:
    """Whether the word describes or ranks."""
    listed = word in words_dress.ADJECTIVES or word in words_dress.ORDINALS or is_colour(word)
    return listed or derived.worn(word) is not None


def is_compound(word: str) -> bool:
    """Whether two words are an adjective that lost its hyphen: "polka dot", "curly haired"."""
    if word in words_dress.ADJECTIVES:
        return True
    made = derived.worn(word) if word.endswith(_COMPOUNDS) else None
    return made is not None and (made.kind in ("hair", "style") or made.colour != "")


def verb_readings(word: str) -> tuple[tuple[str, str], ...]:
    """Possible (verb, tag) of a written form; empty when it is not a verb of the lists."""
    return () if word in _ONLY_NOUN else words_verbs.forms().get(word, ())


@cache
def phrases() -> frozenset[tuple[str, ...]]:
    """Words that belong together ("fire truck", "next to"), as tuples."""
    spaced = {word for word in nouns() | set(words_closed.CLOSED) if " " in word}
    return frozenset(tuple(phrase.split()) for phrase in spaced)


def thing(word: str) -> Thing:
    """What the noun ``word`` stands for; ``known`` is False when the lists lack it."""
    lemma = noun_lemma(word)
    if "-" in lemma and lemma not in nouns():
        lemma = noun_lemma(lemma.rpartition("-")[2])  # "sous-chef"
    kind = lemma if lemma in words_things.table() else _head(lemma)
    classes = words_things.table().get(kind, {})
    appearance = words_appearance.table().get(lemma) or words_appearance.table().get(word, {})
    person = not classes and words_person.is_person(lemma)
    return Thing(
        lemma=lemma,
        classes={"person": 1.0} if person else classes,
        appearance=appearance,
        region=next(
            (_REGION[w] for w in (word, lemma, _garment_of(word), kind) if w in _REGION), ""
        ),
        person=person,
        alive=person or kind in words_things.animals(),
        mover=kind in words_things.movers(),
        known=person or lemma in nouns() or _garment_of(word) != "",
    )


def _head(lemma: str) -> str:
    """The noun that a compound of the lists is a kind of: "brown bear" is a bear."""
    head = lemma.rpartition(" ")[2]
    return noun_lemma(head) if head != lemma and lemma not in _UNLIKE else lemma


def solid(words: Sequence[str]) -> str:
    """The noun that the lists write as one word: "skate", "board"; "" if they do not."""
    whole = "".join(words)
    last = words[-1]
    if len(words) < 2 or noun_lemma(last) in _REGION or verb_readings(last):
        return ""  # a "trench coat" is a coat that can be seen
    opened = any(word in words_closed.CLOSED for word in words)
    return "" if opened or noun_lemma(whole) not in nouns() else whole


def compound(word: str) -> Thing | None:
    """What an unknown word is that two known nouns make, the second a thing's: "deckchair"."""
    for cut in range(3, len(word) - 2):
        first, last = word[:cut], word[cut:]
        if first in nouns() and last not in words_closed.SCENE:
            spaced = f"{first} {noun_lemma(last)}"
            kin = thing(spaced if spaced in nouns() else last)
            if kin.classes or kin.region:
                return replace(kin, lemma=word, known=False)
    return None


def may_be_plural(word: str) -> bool:
    """Whether the noun stands for several, or is written alike for one and for several."""
    return word in PLURALS or noun_lemma(word) != word


def knows(word: str) -> bool:
    """Whether any list has the word, in any form."""
    return (
        word in words_closed.CLOSED
        or word in words_dress.POSITION
        or is_adjective(word)
        or word in TONES
        or bool(words_verbs.forms().get(word))
        or noun_lemma(word) in nouns()
    )

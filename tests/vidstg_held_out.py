"""Patterns of questions written after the parser, to tell how it reads those it was not made for.

Nouns, predicates and readings as in ``vidstg_like``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.vidstg_like import ACTIONS, ANIMALS, PEOPLE, RELATIONS, Noun, Reading, noun

_PLACES = (
    "", "", "", "on the beach", "near the door", "in the snow", "at the station", "under the tree",
    "on the left side", "in a big hall", "over there", "behind the house", "across the street",
    "to inside the garage", "from the right", "in front of many people", "at night", "by itself",
)  # fmt: skip
_MORE = ("", "", "", " with long hair", " in a striped shirt", " with glasses")


def sentences(seed: int, count: int, questions: bool = True) -> Iterator[Reading]:
    """``count`` sentences, the same for the same ``seed``."""
    rng = random.Random(seed)
    makers = (_asks_object, _asks_object, _asks_place, _asks_subject, _asks_passive, _asks_when)
    for _ in range(count):
        one = rng.choice(makers if questions else (_tells,))(rng)
        text = " ".join(one.text.split()).replace(" ,", ",")
        mark = rng.choice(("?", "?", "", ".")) if questions else rng.choice((".", "", "!"))
        cased = rng.choice((text, text, text.capitalize(), text.upper()))
        yield Reading(cased + mark, one.kind, one.subject, one.context, one.colours)


def _actor(rng: random.Random) -> Noun:
    """Somebody, sometimes with a clause of his own; those colours are no one else's."""
    one = noun(rng, (*PEOPLE, *PEOPLE, *ANIMALS))
    more = rng.choice(_MORE) if one.person and not one.colours else ""
    age = rng.choice(("", "", "small ", "old ")) if not one.colours else ""
    first, _, rest = one.text.partition(" ")
    return Noun(one.name, f"{first} {age}{rest}{more}", one.colours)


def _two(rng: random.Random) -> tuple[Noun, Noun, str]:
    first, second = _actor(rng), noun(rng)
    while second.name == first.name:
        second = noun(rng)
    return first, second, rng.choice(_PLACES)


def _reading(rng: random.Random, kind: str, other: Noun, forms: list[tuple[str, str]]) -> Reading:
    text, subject = rng.choice(forms)
    return Reading(text, kind, subject, frozenset({other.name}))


def _asks_object(rng: random.Random) -> Reading:
    first, second, place = _two(rng)
    _third, bare, doing, _done, particle = rng.choice(ACTIONS)
    third, asks, stands, name = _third, second.asks, second.stands, second.name
    modal = rng.choice(("will", "can", "might", "could"))
    forms = [
        (f"{asks} was {first.text} {doing} {particle} {place}", stands),
        (f"{asks} has {first.text} been {doing} {particle} {place}", stands),
        (f"{asks} {modal} {first.text} {bare} {particle} {place}", stands),
        (f"{asks} does {first.text} try to {bare} {particle} {place}", stands),
        (f"{asks} does {first.text} begin to {bare} {particle}", stands),
        (f"{asks} else does {first.text} {bare} {particle}", stands),
        (f"{asks} is it that {first.text} is {doing} {particle} {place}", stands),
        (f"{first.text} {third} {particle} {asks} {place}", stands),
        (f"{first.text} is {doing} {particle} {asks}", stands),
        (f"show me {asks} {first.text} {third} {particle} {place}", stands),
        (f"find {asks} {first.text} is {doing} {particle} {place}", stands),
        (f"which {name} was {first.text} {doing} {particle} {place}", name),
        (f"what {name} did {first.text} {bare} {particle} {place}", name),
        (f"the {name} which {first.text} {third} {particle} {place}", name),
        (f"the {name} {first.text} {third} {particle}", name),
        (f"in the picture, {asks} does {first.text} {bare} {particle}", stands),
        (f"{asks} does {first.text} who stands {place} {bare} {particle}", stands)
        if first.person
        else (f"{asks} did {first.text} {bare} {particle} {place}", stands),
    ]
    return _reading(rng, "asks the object", first, forms)


def _asks_place(rng: random.Random) -> Reading:
    first, second, place = _two(rng)
    relation, asks, stands = rng.choice(RELATIONS), second.asks, second.stands
    still = rng.choice((("sit", "sitting"), ("stand", "standing"), ("walk", "walking")))
    forms = [
        (f"{asks} does {first.text} {still[0]} {relation}", stands),
        (f"{asks} is {first.text} {still[1]} {relation} {place}", stands),
        (f"{asks} was {first.text} {relation} {place}", stands),
        (f"{first.text} is {relation} {asks} {place}", stands),
        (f"{relation} {asks} is {first.text}", stands),
        (f"{asks}'s {first.text} {relation} {place}", stands),
        (f"which {second.name} is {first.text} {still[1]} {relation} {place}", second.name),
        (f"tell me {asks} {first.text} is {relation}", stands),
    ]
    return _reading(rng, "asks the place", first, forms)


def _asks_subject(rng: random.Random) -> Reading:
    first, second, place = _two(rng)
    third, _bare, doing, _done, particle = rng.choice(ACTIONS)
    asks, stands, relation = first.asks, first.stands, rng.choice(RELATIONS)
    tail = f"{particle} {second.text} {place}"
    forms = [
        (f"{asks} was {doing} {tail}", stands),
        (f"{asks} has been {doing} {tail}", stands),
        (f"{asks} can be seen {doing} {tail}", stands),
        (f"{asks} starts {doing} {tail}", stands),
        (f"{asks} is it that {third} {tail}", stands),
        (f"{asks} is standing {relation} {second.text} {place}", stands),
        (f"which {first.name} was {doing} {tail}", first.name),
        (f"{asks} {third} {particle} {second.text} and walks away", stands),
        (f"can you tell me {asks} is {relation} {second.text}", stands),
    ]
    return _reading(rng, "asks the subject", second, forms)


def _asks_passive(rng: random.Random) -> Reading:
    first, second, place = _two(rng)
    done = rng.choice([a for a in ACTIONS if not a[4]])[3]
    asks, stands = second.asks, second.stands
    forms = [
        (f"{asks} gets {done} by {first.text} {place}", stands),
        (f"{asks} has been {done} by {first.text} {place}", stands),
        (f"{asks} was being {done} by {first.text}", stands),
        (f"which {second.name} was {done} by {first.text} {place}", second.name),
    ]
    if first.person:
        return _reading(rng, "asks the passive", first, forms)
    return _reading(rng, "asks the passive", first, forms[:1])


def _asks_when(rng: random.Random) -> Reading:
    first, second, place = _two(rng)
    third, bare, doing, _done, particle = rng.choice(ACTIONS)
    tail = f"{particle} {second.text} {place}"
    text = rng.choice(
        (
            f"when did {first.text} start {doing} {tail}",
            f"when will {first.text} {bare} {tail}",
            f"at what time does {first.text} {bare} {tail}",
            f"tell me when {first.text} {third} {tail}",
            f"the moment when {first.text} {third} {tail}",
            f"where was {first.text} {doing} {tail}",
            f"how does {first.text} {bare} {tail}",
            f"why is {first.text} {doing} {tail}",
        )
    )
    return Reading(text, "asks when", first.name, frozenset({second.name}), first.colours)


def _tells(rng: random.Random) -> Reading:
    first, second, place = _two(rng)
    third, _bare, doing, _done, particle = rng.choice(ACTIONS)
    relation = rng.choice(RELATIONS)
    text = rng.choice(
        (
            f"{first.text} was {doing} {particle} {second.text} {place}",
            f"{first.text} who {third} {particle} {second.text} {place}"
            if first.person
            else f"{first.text} that {third} {particle} {second.text} {place}",
            f"we see {first.text} {doing} {particle} {second.text}",
            f"{first.text} starts {doing} {particle} {second.text} {place}",
            f"{first.text} standing {relation} {second.text} {place}",
            f"there was {first.text} {relation} {second.text}",
        )
    )
    return Reading(text, "tells", first.name, frozenset({second.name}), first.colours)

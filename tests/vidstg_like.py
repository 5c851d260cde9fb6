"""Seeded sentences after VidSTG's pattern, with who is meant in each.

VidSTG writes a sentence for a triplet (subject, predicate, object) of VidOR's 80 categories and 50
predicates: declarative ones about the subject, questions about the subject or about the object.
``Reading`` says who is meant, the other noun, and which colours are the subject's own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

PEOPLE = ("adult", "child", "baby")
ANIMALS = """dog cat bird horse rabbit duck chicken elephant penguin panda bear lion tiger leopard
    pig sheep turtle fish crab snake squirrel hamster kangaroo crocodile camel antelope cattle
    stingray""".split()
VEHICLES = "bicycle car motorcycle scooter bus train aircraft watercraft".split()
THINGS = """ball toy bottle cup chair stool sofa table bench backpack handbag suitcase
    cellphone laptop guitar piano refrigerator oven microwave sink toilet faucet cake bread dish
    fruit vegetable frisbee racket bat ski snowboard skateboard surfboard baby_seat
    electric_fan traffic_light stop_sign""".split()
NAMES = tuple(n.replace("_", " ") for n in (*PEOPLE, *ANIMALS, *VEHICLES, *THINGS))

# third person | bare | -ing | participle | particle
ACTIONS = tuple(
    tuple(line.split("|"))
    for line in """watches|watch|watching|watched|
bites|bite|biting|bitten|
kisses|kiss|kissing|kissed|
licks|lick|licking|licked|
smells|smell|smelling|smelled|
caresses|caress|caressing|caressed|
knocks|knock|knocking|knocked|
pats|pat|patting|patted|
points|point|pointing|pointed|to
squeezes|squeeze|squeezing|squeezed|
holds|hold|holding|held|
presses|press|pressing|pressed|
touches|touch|touching|touched|
hits|hit|hitting|hit|
kicks|kick|kicking|kicked|
lifts|lift|lifting|lifted|
throws|throw|throwing|thrown|
leans|lean|leaning|leaned|on
rides|ride|riding|ridden|
grabs|grab|grabbing|grabbed|
pulls|pull|pulling|pulled|
pushes|push|pushing|pushed|
hugs|hug|hugging|hugged|
carries|carry|carrying|carried|
feeds|feed|feeding|fed|
cuts|cut|cutting|cut|
cleans|clean|cleaning|cleaned|
chases|chase|chasing|chased|
drives|drive|driving|driven|
uses|use|using|used|
opens|open|opening|opened|
closes|close|closing|closed|
gets|get|getting|got|on
gets|get|getting|got|off
plays|play|playing|played|with
shakes hands|shake hands|shaking hands|shaken|with
holds hands|hold hands|holding hands|held|with
waves|wave|waving|waved|to
speaks|speak|speaking|spoken|to
shouts|shout|shouting|shouted|at
releases|release|releasing|released|""".splitlines()
)
RELATIONS = (
    "in front of", "behind", "next to", "above", "beneath", "inside", "away from", "towards",
    "past", "beside", "near", "under", "on", "on top of", "close to", "to the left of",
)  # fmt: skip
PLACES = (
    "", "", "", "in the playground", "outside", "in the room", "on the grass", "on the stage",
    "to outside the room", "from the left", "at home", "in the yard", "indoors", "on the road",
    "in the kitchen", "by the river", "outdoors", "in the park",
)  # fmt: skip
COLOURS = ("red", "black", "white", "blue", "green", "brown", "yellow")
CLOTHES = ("shirt", "dress", "jacket", "coat", "hat")


@dataclass(frozen=True)
class Noun:
    """A category with how the sentence describes it."""

    name: str
    text: str  # "the child in black"
    colours: frozenset[str] = frozenset()

    @property
    def person(self) -> bool:
        return self.name in PEOPLE

    @property
    def asks(self) -> str:
        return "who" if self.person else "what"

    @property
    def stands(self) -> str:
        """The noun for which "who" or "what" stands."""
        return "person" if self.person else "object"


@dataclass(frozen=True)
class Reading:
    """A sentence and what it means. ``context``: nouns that must be context."""

    text: str
    kind: str
    subject: str
    context: frozenset[str] = frozenset()
    colours: frozenset[str] = field(default_factory=frozenset)


def noun(rng: random.Random, names: tuple[str, ...] = NAMES, plain: bool = False) -> Noun:
    """A category with a determiner, at times with a colour, clothes or an age."""
    name = rng.choice(names)
    article = rng.choice(("the", "the", "a"))
    colour, cloth = rng.choice(COLOURS), rng.choice(CLOTHES)
    forms: list[tuple[str, frozenset[str]]] = [(f"{article} {name}", frozenset())] * 3
    if not plain and name != "bear":  # a brown bear is a kind of bear
        forms.append((f"{article} {colour} {name}", frozenset({colour})))
    if name in PEOPLE and not plain:
        worn = frozenset({colour})
        forms = [forms[0], (f"{article} {name} in {colour}", worn)]
        forms.append((f"{article} {name} in a {colour} {cloth}", worn))
        forms.append((f"{article} {name} wearing a {colour} {cloth}", worn))
        forms.append((f"{article} {name} with a {colour} {cloth}", worn))
    text, colours = rng.choice(forms)
    text = text.replace("a a", "an a") if text.startswith("a a") else text
    return Noun(name, text, colours)


def sentences(seed: int, count: int, questions: bool = True) -> Iterator[Reading]:
    """``count`` sentences of the patterns below, the same for the same ``seed``."""
    rng = random.Random(seed)
    asks = (_asks_subject, _asks_object, _asks_object, _asks_place, _asks_passive, _asks_when)
    makers = asks if questions else (_tells, _tells, _tells_place)
    for _ in range(count):
        yield _typed(rng, rng.choice(makers)(rng))


def _typed(rng: random.Random, one: Reading) -> Reading:
    """With the marks and capitals of different hands."""
    text = " ".join(one.text.split())
    mark = rng.choice(("?", "?", "?", "", " ?", "??")) if one.kind[:4] == "asks" else "."
    text = text[0].upper() + text[1:] if rng.random() < 0.3 else text
    return Reading(text + mark, one.kind, one.subject, one.context, one.colours)


def _pair(rng: random.Random) -> tuple[Noun, Noun]:
    """An actor and another thing."""
    first = noun(rng, (*PEOPLE, *PEOPLE, *PEOPLE, *ANIMALS))
    second = noun(rng)
    while second.name == first.name:
        second = noun(rng)
    return first, second


def _asks_subject(rng: random.Random) -> Reading:
    first, second = _pair(rng)
    third, _bare, doing, _done, particle = rng.choice(ACTIONS)
    place, other = rng.choice(PLACES), frozenset({second.name})
    relation = rng.choice(RELATIONS)
    text, subject = rng.choice(
        (
            (f"{first.asks} {third} {particle} {second.text} {place}", first.stands),
            (f"{first.asks} is {doing} {particle} {second.text} {place}", first.stands),
            (f"{first.asks} is {relation} {second.text} {place}", first.stands),
            (f"which {first.name} {third} {particle} {second.text} {place}", first.name),
            (f"which {first.name} is {relation} {second.text} {place}", first.name),
        )
    )
    return Reading(text, "asks the subject", subject, other)


def _asks_object(rng: random.Random) -> Reading:
    first, second = _pair(rng)
    _third, bare, doing, _done, particle = rng.choice(ACTIONS)
    place, other = rng.choice(PLACES), frozenset({first.name})
    text, subject = rng.choice(
        (
            (f"{second.asks} does {first.text} {bare} {particle} {place}", second.stands),
            (f"{second.asks} does {first.text} {bare} {particle} {place}", second.stands),
            (f"{second.asks} is {first.text} {doing} {particle} {place}", second.stands),
            (f"{second.asks} did {first.text} {bare} {particle} {place}", second.stands),
            (f"which {second.name} does {first.text} {bare} {particle} {place}", second.name),
            (f"which {second.name} is {first.text} {doing} {particle} {place}", second.name),
        )
    )
    return Reading(text, "asks the object", subject, other)


def _asks_place(rng: random.Random) -> Reading:
    first, second = noun(rng), noun(rng)
    while second.name == first.name:
        second = noun(rng)
    relation, place = rng.choice(RELATIONS), rng.choice(PLACES)
    if rng.random() < 0.2:
        text = f"which {second.name} is {first.text} {relation} {place}"
        return Reading(text, "asks the place", second.name, frozenset({first.name}))
    text = f"{second.asks} is {first.text} {relation} {place}"
    return Reading(text, "asks the place", second.stands, frozenset({first.name}))


def _asks_passive(rng: random.Random) -> Reading:
    first, second = _pair(rng)
    done = rng.choice([a for a in ACTIONS if not a[4]])[3]
    place, being = rng.choice(PLACES), rng.choice(("", "", "being"))
    text = f"{second.asks} is {being} {done} by {first.text} {place}"
    return Reading(text, "asks the passive", second.stands, frozenset({first.name}))


def _asks_when(rng: random.Random) -> Reading:
    first, second = _pair(rng)
    _third, bare, doing, _done, particle = rng.choice(ACTIONS)
    place, other = rng.choice(PLACES), frozenset({second.name})
    opening = rng.choice((f"when does {first.text} {bare}", f"when is {first.text} {doing}"))
    opening = rng.choice((opening, f"where does {first.text} {bare}"))
    text = f"{opening} {particle} {second.text} {place}"
    return Reading(text, "asks when", first.name, other, first.colours)


def _tells(rng: random.Random) -> Reading:
    first, second = _pair(rng)
    third, _bare, doing, _done, particle = rng.choice(ACTIONS)
    place, other = rng.choice(PLACES), frozenset({second.name})
    verb = rng.choice((third, third, f"is {doing}"))
    text = f"{first.text} {verb} {particle} {second.text} {place}"
    return Reading(text, "tells", first.name, other, first.colours)


def _tells_place(rng: random.Random) -> Reading:
    first, second = noun(rng), noun(rng)
    while second.name == first.name:
        second = noun(rng)
    verb = rng.choice(("is", "is", "that is", "there is"))
    text = f"{first.text} {verb} {rng.choice(RELATIONS)} {second.text} {rng.choice(PLACES)}"
    if verb == "there is":
        text = f"there is {first.text} {rng.choice(RELATIONS)} {second.text}"
    return Reading(text, "tells the place", first.name, frozenset({second.name}), first.colours)

"""The subject's verbs -> actions: kind, directions in the picture, speed."""

from __future__ import annotations

from cospal_cli.core.query import Action
from cospal_cli.language.lexicon.closed import SCENE
from cospal_cli.language.lexicon.dress import BODY
from cospal_cli.language.lexicon.verbs import (
    FAST,
    FAST_WORDS,
    HOLD,
    INHERENT,
    MOVED,
    PHRASAL,
    POSTURE,
    SIGNATURES,
    SLOW,
    SLOW_WORDS,
    kinds,
)
from cospal_cli.language.lexicon.words import verb_readings
from cospal_cli.language.parser.chunks import NounPhrase
from cospal_cli.language.parser.clauses import Event

_PARTICLES = {
    "up": "up", "down": "down", "away": "away", "off": "away", "out": "out", "back": "back",
    "backward": "back", "backwards": "back", "forward": "front", "forwards": "front",
    "in": "in", "inside": "in", "left": "left", "right": "right", "leftwards": "left",
    "leftward": "left", "rightwards": "right", "rightward": "right",
    "upwards": "up", "downwards": "down", "upward": "up",
    "uphill": "up", "downhill": "down", "downward": "down", "out of": "out",
    "outside": "out", "closer": "closer", "upstairs": "up",
    "downstairs": "down",
}  # fmt: skip
_OPPOSITE = {"left": "right", "right": "left", "top": "down", "bottom": "up",
             "front": "away", "back": "closer"}  # fmt: skip
_TOWARD = {"left": "left", "right": "right", "top": "up", "bottom": "down",
           "front": "front", "back": "back"}  # fmt: skip
_TO = frozenset(["to", "toward", "towards", "up to", "over to", "back to", "to the side of"])
_VIEWER = frozenset("camera viewer lens us me".split())
_ROADS = frozenset("street road path lane hall hallway corridor sidewalk highway driveway".split())
_LIGHT = frozenset("take make do have give".split())
_INTO_HAND = frozenset(
    """skim shuffle drop roll slide float lower raise lift
    slip spin swing move fly sail run pass cross""".split()
)
# Furniture is walked away from; smaller things are put down.
_LEFT_BEHIND = frozenset(
    "table desk counter bench couch sofa chair armchair stool bed seat tv workbench piano".split()
)
_SHOWN = frozenset("see view show picture film shoot photograph depict capture spot".split())
_ALONG = frozenset(
    [
        "past",
        "across",
        "along",
        "through",
        "toward",
        "towards",
        "into",
        "away",
        "off",
        "out of",
        "over to",
    ]
)
_OF_HANDS = frozenset("touch launch obtain pick catch lay put release gesture turn".split())
_SPORTS = frozenset(
    "football soccer basketball tennis baseball volleyball hockey badminton".split()
)


def action(event: Event, subject: NounPhrase) -> Action | None:
    """The action of one verb of the subject; None for verbs that only dress or begin."""
    verb, lemma = event.verb, event.verb.lemma
    dressing = event.dressing and not _lively(event)
    if dressing or event.aspect or event.negated or lemma in ("be", "do"):
        return None
    if event.passive and lemma in _SHOWN:
        return None
    if event.passive:
        still = lemma == "park" or kinds().get(lemma) == "still"
        kind = "move" if lemma in MOVED else "still" if still else "unknown"
        return Action(verb.word, kind, tuple(_ways(event, "move")) if kind == "move" else ())
    kind, base = _kind(event, subject)
    ways = _ways(event, kind)
    directions = _unique([*base, *ways]) if not _owns_body(event) else ()
    weight = 0.5 if lemma in HOLD and kind == "still" else 1.0
    signature = _signature(event, kind)
    return Action(verb.word, kind, directions, _speed(event, kind), weight, signature)


def _signature(event: Event, kind: str) -> str:
    """What the action looks like in time, of the verb with its particle or preposition first.

    What hands do to a thing is of the kind limb: "passes the ball", not "passes the house".
    """
    lemma = event.verb.lemma
    done = _verbs_of(event.objects[-1]) if lemma in _LIGHT and event.objects else frozenset()
    if done:  # "gives him a hug"
        return next((SIGNATURES[verb] for verb in sorted(done) if verb in SIGNATURES), "")
    for word in (*event.particles, *event.adverbs, *(prep for prep, _ in event.places)):
        if found := SIGNATURES.get(f"{lemma} {word}"):  # "lays down" is often said of who lies down
            return "lower" if found == "put" and not event.objects else found
    found = SIGNATURES.get(lemma, "")
    return "" if found in _OF_HANDS and kind != "limb" else found


def _kind(event: Event, subject: NounPhrase) -> tuple[str, tuple[str, ...]]:
    """Kind of the verb with its particle and object, and the directions it says by itself."""
    lemma = event.verb.lemma
    words = [*event.particles, *(prep for prep, _ in event.places), *event.adverbs]
    if lemma == "take" and "off" in event.particles and not event.objects:
        return "move", ("up",)
    for particle in words:
        if (lemma, particle) in PHRASAL:
            kind, base = PHRASAL[lemma, particle]
            handled = kind == "move" and lemma == "get" and event.objects
            return ("limb", ()) if handled else (kind, base)
    kind = kinds().get(lemma, "unknown")
    if kind == "unknown" and not event.objects and _goes(event):
        return "move", ()
    base = INHERENT.get(lemma, ())
    thing = event.objects[-1] if event.objects else None
    if lemma in _LIGHT and thing is not None:  # "takes two steps back", "makes a left turn"
        done = {kinds()[verb] for verb in _verbs_of(thing)}
        if done and lemma == "have" and not done & {"move", "jump"}:
            return ("limb" if "limb" in done else min(done)), ()
        if done & {"move", "jump"} or (thing.head.word == "turn" and subject.thing.mover):
            return "jump" if "jump" in done else "move", ()
    if lemma in ("turn", "spin", "rotate") and subject.thing.mover:
        return "move", base
    if lemma == "get" and thing is not None:
        return "limb", ()
    if lemma == "play" and thing is not None and thing.head.word in _SPORTS:
        return "move", ()
    tossed = kind == "jump" and lemma in ("flip", "bounce", "skip")
    if thing is not None and (tossed or (kind == "move" and _handles(lemma, thing))):
        return "limb", ()
    if kind == "limb" and lemma in INHERENT and lemma not in POSTURE:
        return kind, ()
    return kind, base


def _lively(event: Event) -> bool:
    """ "has a stretch": the noun of an action."""
    return event.verb.lemma == "have" and any(_verbs_of(phrase) for phrase in event.objects)


def _verbs_of(phrase: NounPhrase) -> frozenset[str]:
    """The verbs that are written as the phrase's noun."""
    known = phrase.thing.classes or phrase.thing.region or phrase.head.lemma in BODY
    readings = () if known else verb_readings(phrase.head.word)
    return frozenset(verb for verb, _ in readings if verb in kinds())


def _goes(event: Event) -> bool:
    """Whether what follows says that an unknown verb is one of motion: "vrooms past the house"."""
    along = {prep for prep, phrase in event.places if not phrase.pronoun}
    headed = any(w.endswith(("ward", "wards", "hill")) for w in event.adverbs)
    return headed or bool(_ALONG & {*along, *event.particles})


def _handles(lemma: str, thing: NounPhrase) -> bool:
    """Verbs of motion that move only a hand: "drops the cup", "leaves the cup on the table"."""
    if thing.head.lemma in BODY:
        return True
    if lemma in ("leave", "climb", "quit"):
        portable = bool(thing.thing.classes) and not (thing.thing.alive or thing.thing.mover)
        return lemma == "leave" and portable and thing.head.lemma not in _LEFT_BEHIND
    return lemma in _INTO_HAND and thing.head.lemma not in SCENE


def _owns_body(event: Event) -> bool:
    return any(p.head.lemma in BODY for p in event.objects)


def _ways(event: Event, kind: str) -> list[str]:
    """Directions named behind the verb; only for verbs that move the whole subject."""
    lemma = event.verb.lemma
    named = [_PARTICLES[w] for w in (*event.particles, *event.adverbs) if w in _PARTICLES]
    if lemma in _LIGHT:  # "makes a left turn"
        named += [t.word for p in event.objects for t in p.described if t.word in ("left", "right")]
    if kind in ("still", "talk", "unknown"):
        return []
    if kind == "limb":
        if lemma not in POSTURE and lemma != "turn":
            return []
        turn = lemma == "turn"
        wanted = ("left", "right", "back") if turn else ("up", "down")
        sides = [p.place for prep, p in event.places if turn and prep == "to" and p.place]
        return [w for w in (*named, *sides) if w in wanted]
    if "forth" in event.adverbs or "forth" in event.particles:
        named = [w for w in named if w != "back"]
    for prep, phrase in event.places:
        named += _place_ways(prep, phrase, event)
    if kind == "move" and event.objects and lemma in ("carry", "push", "pull", "ride", "drive"):
        return named
    return named


def _place_ways(prep: str, phrase: NounPhrase, event: Event) -> list[str]:
    word, place = phrase.head.word, phrase.place
    if place and prep in ("to", "toward", "towards", "into"):
        return [_TOWARD[place]] if place in _TOWARD else []
    if place and prep == "from":
        said = any(p.place in ("left", "right") and q != "from" for q, p in event.places)
        return [] if said or place not in _OPPOSITE else [_OPPOSITE[place]]
    if word in _VIEWER:
        if "away" in event.particles or prep == "from":
            return [] if "away" in event.particles else ["away"]
        return (
            ["closer"] if prep in ("to", "toward", "towards", "up to", "close to", "near") else []
        )
    if prep in ("into", "inside"):
        return ["in"] if not phrase.thing.region else []
    if prep in _TO and phrase.thing.known and not place:
        return ["to"]
    if prep == "out of":
        return ["out"]
    if prep in ("up", "down") and word in _ROADS:
        index = event.particles.index(prep) if prep in event.particles else -1
        if prep == "down" and index >= 0:
            event.particles.pop(index)
        return []
    return []


def _speed(event: Event, kind: str) -> str:
    if kind not in ("move", "jump"):
        return ""
    words = {event.verb.lemma, *event.adverbs}
    if words & (SLOW_WORDS | SLOW):
        return "slow"
    return "fast" if words & (FAST_WORDS | FAST) else ""


def _unique(words: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))

"""Sentences: a referral by clothes, then one to five actions in their order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cospal_cli.datasets.synthetic.actions import Act
from cospal_cli.datasets.synthetic.clothes import Outfit
from cospal_cli.datasets.synthetic.meaning import Meaning

PERSONS = {
    "man": "man man man guy gentleman person".split(),
    "woman": "woman woman woman lady person".split(),
    "child": "child child kid boy girl".split(),
}
_GARMENTS = {
    "long": "shirt shirt sweater top pullover jacket".split(),
    "short": "shirt shirt T-shirt top".split(),
    "coat": "coat coat jacket".split(),
    "trousers": "trousers trousers pants".split(),
    "shorts": ["shorts"],
    "skirt": ["skirt"],
    "hat": ["hat"],
    "cap": ["cap", "cap", "hat"],
    "backpack": ["backpack", "rucksack"],
    "handbag": ["bag", "handbag"],
}
_PLURAL = frozenset("trousers pants shorts".split())
# {side} is where the way leads, {from} where it began.
_VERBS = {
    "walk left": """walks left|walks to the left|walks left|moves to the left|strolls to the left|
        heads left|goes to the left|steps to the left""",
    "walk right": """walks right|walks to the right|walks right|moves to the right|
        strolls to the right|heads right|goes to the right|steps to the right""",
    "jump": "jumps|jumps|jumps up and down|hops|leaps",
    "crouch": "crouches|crouches down|squats|squats down",
    "wave": "waves|waves|waves a hand|waves an arm",
    "spin": "spins|spins around|turns around|twirls|rotates",
    "fall": "falls|falls down|falls over|topples over",
    "pick up": "picks up a {item}|picks up a {item}|lifts a {item}|grabs a {item}",
    "enter": "enters|enters from the {from}|comes in|walks in|comes in from the {from}",
    "leave": "leaves|leaves to the {side}|exits|walks out|walks away",
}
VERBS = {kind: [" ".join(one.split()) for one in text.split("|")] for kind, text in _VERBS.items()}
_ITEMS = {"ball": ["ball"], "box": ["box", "package"]}
_SIDE = {-1: "left", 0: "", 1: "right"}


def sentence(
    meaning: Meaning,
    outfit: Outfit,
    acts: Sequence[Act],
    item: str,
    rng: np.random.Generator,
    background: str = "",
) -> str:
    """``meaning`` in words; ``acts`` are those named, ``item`` is what is picked up.

    ``background`` stands behind; what happens meanwhile may also stand before.
    """
    person = referral(meaning, outfit, rng)
    verbs = [_pick(rng, VERBS[act.kind]) for act in acts]
    words = {"item": _pick(rng, _ITEMS[item])}
    phrases = [
        text.format(**words, **{"side": _SIDE[act.way], "from": _SIDE[-act.way]})
        for text, act in zip(verbs, acts, strict=True)
    ]
    text = f"{person} {_joined(phrases, rng)}"
    if background.startswith("while") and rng.random() < 0.3:
        text = f"{background}, {text}"
    elif background:
        text = f"{text} {background}"
    text += "."
    return text[0].upper() + text[1:]


def verb_phrase(act: Act, item: str, rng: np.random.Generator) -> str:
    """One action in words; ``item`` is what is picked up."""
    ways = {"side": _SIDE[act.way], "from": _SIDE[-act.way]}
    return _pick(rng, VERBS[act.kind]).format(item=_pick(rng, _ITEMS[item]), **ways)


def referral(meaning: Meaning, outfit: Outfit, rng: np.random.Generator) -> str:
    """ "the man in the red shirt and blue trousers with a backpack"."""
    colours = dict(meaning.clothes)
    article = _pick(rng, ["the", "the", "a"])
    noun = f"{_pick(rng, ['the', 'the', 'the', 'a'])} {_pick(rng, PERSONS[outfit.kind])}"
    named = {
        part: garment(colours[part], outfit.pieces[part].cut, article, rng)
        for part in ("upper", "lower", "hat", "bag")
        if part in colours
    }
    clothes = [named[part] for part in ("upper", "lower") if part in named]
    if rng.random() < 0.25:
        clothes.reverse()
    bag = named.get("bag", "")
    if "hat" in named and (bag or rng.random() < 0.5):
        clothes.append(named.pop("hat"))
    # Nobody wears a bag: "in a coat with a bag", but "wearing a coat with a hat".
    worn = _pick(rng, ["in", "in", "dressed in", "wearing"] if not bag else ["in"])
    extra = bag or named.get("hat", "")
    return f"{noun} {worn} {_listed(clothes)}" + (f" with {extra}" if extra else "")


def garment(colour: str, cut: str, article: str, rng: np.random.Generator) -> str:
    """ "a red shirt"; ``article``: "the" or "a"."""
    word = _pick(rng, _GARMENTS[cut])
    shown = _pick(rng, ["gray", "grey"]) if colour == "gray" else colour
    if article == "a":
        article = "" if word in _PLURAL else "an" if shown[0] in "aeiou" else "a"
    return f"{article} {shown} {word}".strip()


def _listed(items: Sequence[str]) -> str:
    *first, last = items
    return f"{', '.join(first)} and {last}" if first else last


def _joined(phrases: Sequence[str], rng: np.random.Generator) -> str:
    """The verb phrases one after the other: "walks left, then jumps and waves"."""
    text = phrases[0]
    for number, phrase in enumerate(phrases[1:], 2):
        if number < len(phrases):
            links = [", ", ", then "]
        else:
            links = [" and ", " and then ", ", then ", " and afterwards "]
        text += _pick(rng, links) + phrase
    return text


def _pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]

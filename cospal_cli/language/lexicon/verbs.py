"""Verbs by what the picture would show: kind -> verbs, irregular forms, particles."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from cospal_cli.core import word_lists

_LISTS = word_lists.load(Path(__file__).with_suffix(".txt"))
VERBS = {kind: frozenset(verbs) for kind, verbs in _LISTS["kinds"].by_key.items()}
MOVE = VERBS["move"]
_MARKED = {mark: frozenset(verbs) for mark, verbs in _LISTS["marked"].by_key.items()}
WEAR, OWN, HOLD = (_MARKED[mark] for mark in ("wear", "own", "hold"))
ASPECT = _MARKED["aspect"]
# The noun after these does the following verb: "watches the dog run", "asks her to sit".
OTHERS = _MARKED["others"]
MOVED = _MARKED["moved"]  # being done to: the one it is done to moves
FAST, SLOW = _MARKED["fast"], _MARKED["slow"]
# Verbs that change the posture: with "down" or "up" the box itself grows or shrinks.
POSTURE = _MARKED["posture"]
FAST_WORDS, SLOW_WORDS = (frozenset(_LISTS["adverbs"].by_key[pace]) for pace in ("fast", "slow"))
# Verb -> directions that it says by itself.
INHERENT = {verb: (direction,) for verb, direction in _LISTS["directions"].key_of.items()}
# (verb, particle) -> (kind, directions).
PHRASAL = {
    (verb, particle): (kind, tuple(directions))
    for key, (kind, *directions) in _LISTS["phrasal"]
    for verb, particle in [key.split()]
}
# A verb, or a verb and its particle ("sit down") -> what the action looks like in time.
SIGNATURES = _LISTS["signatures"].key_of
_DOUBLED = frozenset(_LISTS["doubled"].words)


def _regular(verb: str) -> tuple[str, str, str]:
    """Forms in -s, -ed and -ing of a regular verb."""
    if verb.endswith(("s", "x", "z", "ch", "sh")) or verb in ("go", "do", "veto"):
        third = verb + "es"
    elif verb.endswith("y") and verb[-2] not in "aeiou":
        third = verb[:-1] + "ies"
    else:
        third = verb + "s"
    if verb in _DOUBLED:
        stem = verb + verb[-1]
        return third, stem + "ed", stem + "ing"
    if verb.endswith("e"):
        stem = verb if verb.endswith(("ee", "oe", "ye")) else verb[:-1]
        return third, verb + "d", stem + "ing"
    if third.endswith("ies"):
        return third, verb[:-1] + "ied", verb + "ing"
    return third, verb + "ed", verb + "ing"


@cache
def kinds() -> dict[str, str]:
    """Verb -> kind of action (move, jump, still, limb, talk)."""
    said = {"sit": "still", "hand": "limb", "get": "move", "join": "move", "visit": "move"}
    return _LISTS["kinds"].key_of | said


@cache
def forms() -> dict[str, tuple[tuple[str, str], ...]]:
    """Written form -> possible (verb, tag): VB base, VZ -s, VD past, VN participle, VG -ing."""
    readings: dict[str, dict[tuple[str, str], None]] = {}

    def add(form: str, verb: str, tag: str) -> None:
        readings.setdefault(form, {})[verb, tag] = None

    irregular = _LISTS["irregular"].by_key
    for verb in (*kinds(), *_LISTS["other"].words, *sorted(WEAR | HOLD | ASPECT | MOVED)):
        third, past, ing = _regular(verb)
        pasts, participles, *ings = irregular.get(verb, (past, past))
        add(verb, verb, "VB")
        add(third, verb, "VZ")
        add(ings[0] if ings else ing, verb, "VG")
        if verb.endswith("l") and verb[-2] in "aeiou" and verb not in irregular and len(verb) > 4:
            add(verb + "ling", verb, "VG")  # "pedalling", as the British write
            add(verb + "led", verb, "VD")
            add(verb + "led", verb, "VN")
        for form in pasts.split(","):
            add(form, verb, "VD")
        for form in participles.split(","):
            add(form, verb, "VN")
    add("has", "have", "VZ")
    for form in _LISTS["dressed"].words:
        add(form, "dress", "VN")
    return {form: tuple(pairs) for form, pairs in readings.items()}

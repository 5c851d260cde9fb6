"""Who is in a scene: the one who is meant, those who resemble him, and everybody else."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from cospal_cli.datasets.synthetic.actions import KINDS
from cospal_cli.datasets.synthetic.clothes import Outfit, draw_outfit, dressed_as
from cospal_cli.datasets.synthetic.meaning import Meaning, wears
from cospal_cli.datasets.synthetic.recipe import Recipe

_SECONDS_EACH = 2.3  # that an action takes with the pause after it, about


@dataclass(frozen=True)
class ScenePlan:
    """What is settled before a scene is drafted, so that no draft's failure changes the mix."""

    seconds: float
    actors: int
    actions: int  # actions in the sentence

    @property
    def room(self) -> int:
        """How many actions fit."""
        return max(self.actions, int((self.seconds - 0.5) / _SECONDS_EACH))


@dataclass(frozen=True)
class Part:
    """One role. ``kinds`` are its actions in order; ``avoid`` must not show in them.

    ``role``: target, twin (dressed alike), rival (acts alike) or bystander. ``named``: the places
    in ``kinds`` of what the sentence says of the target.
    """

    role: str
    outfit: Outfit
    kinds: tuple[str, ...]
    avoid: frozenset[str] = frozenset()
    named: range = range(0)


def plan(recipe: Recipe, rng: np.random.Generator) -> ScenePlan:
    """How long, how many, how many actions the sentence names."""
    low, high = recipe.seconds
    mix = recipe.mix
    chances = np.array(mix.actions) * [1 + _SECONDS_EACH * n <= high for n in range(1, 6)]
    actions = 1 + int(rng.choice(len(mix.actions), p=chances / chances.sum()))
    least = max(low, 1 + _SECONDS_EACH * (actions + mix.besides))
    seconds = rng.uniform(min(least, high), high)
    actors = np.arange(recipe.actors[0], recipe.actors[1] + 1)
    weights = actors**-0.7  # fewer are more usual, many are not rare
    return ScenePlan(seconds, int(rng.choice(actors, p=weights / weights.sum())), actions)


def cast(recipe: Recipe, plan: ScenePlan, rng: np.random.Generator) -> tuple[Meaning, list[Part]]:
    """What the sentence will say, and all parts, the target's first."""
    room, others = plan.room, plan.actors - 1
    target, meaning = _target(plan, min(recipe.mix.besides, room - plan.actions), rng)
    parts = []
    if rng.random() < recipe.rivals:
        parts += [_rival(meaning, room, rng) for _ in range(2 if others >= 6 else 1)]
    if rng.random() < recipe.twins:
        kinds = _some(rng, room, set(meaning.kinds))
        named = tuple(part for part, _ in meaning.clothes)
        outfit = dressed_as(draw_outfit(rng), target.outfit, named, rng)
        parts.append(Part("twin", outfit, kinds, frozenset(meaning.kinds)))
    parts += [_bystander(meaning, room, rng) for _ in range(others - len(parts))]
    return meaning, [target, *(parts[i] for i in rng.permutation(len(parts))[:others])]


def _target(plan: ScenePlan, besides: int, rng: np.random.Generator) -> tuple[Part, Meaning]:
    """The one who is meant, with at least ``besides`` actions that are not named."""
    target, meaning = _draw_target(plan, besides, rng)
    while len(target.kinds) - len(target.named) < besides:  # who enters can do little before it
        target, meaning = _draw_target(plan, besides, rng)
    return target, meaning


def _draw_target(plan: ScenePlan, besides: int, rng: np.random.Generator) -> tuple[Part, Meaning]:
    outfit = draw_outfit(rng)
    kinds = [str(kind) for kind in rng.permutation(KINDS)]
    actions = ordered(kinds[: plan.actions])
    more = kinds[plan.actions :][: int(rng.integers(besides, plan.room - plan.actions + 1))]
    split = int(rng.integers(len(more) + 1))
    before = () if "enter" in actions else ordered(k for k in more[:split] if k != "leave")
    after = () if "leave" in actions else ordered(k for k in more[split:] if k != "enter")
    clothes = tuple((part, outfit.pieces[part].colour) for part in _named(outfit, rng))
    named = range(len(before), len(before) + len(actions))
    target = Part("target", outfit, (*before, *actions, *after), frozenset(actions), named)
    return target, Meaning(clothes, actions)


def _named(outfit: Outfit, rng: np.random.Generator) -> list[str]:
    """Which parts of its clothes the sentence names."""
    sets = [["upper", "lower"], ["upper"], ["lower"]]
    named = sets[rng.choice(3, p=[0.62, 0.26, 0.12])]
    return [*named, *(p for p in ("hat", "bag") if p in outfit.pieces and rng.random() < 0.45)]


def _rival(meaning: Meaning, room: int, rng: np.random.Generator) -> Part:
    """Does all that is said, or some of it, in other clothes."""
    kinds = list(meaning.kinds)
    if len(kinds) > 1 and rng.random() < 0.3:
        kinds.pop(int(rng.integers(len(kinds))))
    more = [str(k) for k in rng.permutation(KINDS) if k not in meaning.kinds]
    more = more[: int(rng.integers(0, max(room - len(kinds), 0) + 1))]
    first, last = (tuple(k for k in more if k == end) for end in ("enter", "leave"))
    rest = tuple(k for k in more if k not in ("enter", "leave"))
    split = 0 if "enter" in kinds else int(rng.integers(len(rest) + 1))
    after = () if "leave" in kinds else rest[split:]
    return Part(
        "rival", _other_outfit(meaning, rng), (*first, *rest[:split], *kinds, *after, *last)
    )


def _bystander(meaning: Meaning, room: int, rng: np.random.Generator) -> Part:
    """Anyone; who happens to be dressed as said does nothing of what is said."""
    outfit = draw_outfit(rng)
    avoid = frozenset(meaning.kinds) if wears(meaning, outfit) else frozenset()
    return Part("bystander", outfit, _some(rng, room, avoid), avoid)


def _other_outfit(meaning: Meaning, rng: np.random.Generator) -> Outfit:
    outfit = draw_outfit(rng)
    while wears(meaning, outfit):
        outfit = draw_outfit(rng)
    return outfit


def _some(rng: np.random.Generator, room: int, avoid: Collection[str]) -> tuple[str, ...]:
    """Up to four actions, none of ``avoid``."""
    free = [str(kind) for kind in rng.permutation(KINDS) if kind not in avoid]
    return ordered(free[: int(rng.integers(0, min(room, 4) + 1))])


def ordered(kinds: Iterable[str]) -> tuple[str, ...]:
    """``kinds`` with entering first and leaving last."""
    rank = {"enter": -1, "leave": 1}
    return tuple(sorted(kinds, key=lambda kind: rank.get(kind, 0)))

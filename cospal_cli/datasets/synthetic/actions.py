"""What a figure does and when: a timetable of actions, and the curves of motion it makes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]

# Seconds of each kind. Those that need a way (left -1, right 1) are in ``WAYS``.
SECONDS = {
    "walk left": (1.3, 2.6), "walk right": (1.3, 2.6), "jump": (1.0, 1.9), "crouch": (1.2, 2.2),
    "wave": (1.2, 2.4), "spin": (1.2, 2.2), "fall": (1.3, 2.2), "pick up": (1.2, 1.9),
    "enter": (1.6, 2.6), "leave": (1.6, 2.6),
}  # fmt: skip
KINDS = tuple(SECONDS)
_GAP_S = (0.3, 0.9)
_RISE_S = 0.8  # to get up after a fall, before anything else
_PACE = (0.45, 0.8)  # heights per second
_LEAST_WALK = 0.3  # heights; shorter ones are steps on the spot
_TURN_S = 0.35  # to turn into the direction of a walk


@dataclass(frozen=True)
class Act:
    """Frames [start, end) of one action. ``way``: -1 to the left, 1 to the right, 0 neither."""

    kind: str
    start: int
    end: int
    way: int = 0

    @property
    def shows(self) -> frozenset[str]:
        """Every kind of action that a viewer may see in it."""
        walks = {-1: "walk left", 1: "walk right"}
        passing = self.kind in ("enter", "leave")
        return frozenset({self.kind, walks[self.way]} if passing else {self.kind})


@dataclass(frozen=True)
class Stage:
    """Where figures may stand and where they wait unseen, in pixels of the world."""

    low: float
    high: float
    outside_left: float
    outside_right: float

    def outside(self, way: int) -> float:
        """The place from which one leaves, or to which one goes, on the side of ``way``."""
        return self.outside_right if way > 0 else self.outside_left


@dataclass(frozen=True)
class ActionCurves:
    """Curves over the frames (F,); lengths in the figure's heights, angles in radians."""

    x: Curve  # pixels of the world
    yaw: Curve  # 0 faces the camera, pi/2 right
    jump: Curve
    crouch: Curve  # 0..1
    bend: Curve
    roll: Curve  # falling over, to the right positive
    gait: Curve  # 0..1, how much it walks
    phase: Curve  # of the legs
    wave: Curve  # 0..1, how far the arm is raised
    beat: Curve  # of the waving hand, -1..1
    spread: Curve  # 0..1, arms held away from the body
    grasp: int | None = None  # the frame from which it holds what it picked up


def timetable(
    kinds: Sequence[str],
    frames: int,
    fps: int,
    avoid: Collection[str],
    rng: np.random.Generator,
    close: Collection[int] | None = None,
) -> list[Act] | None:
    """``kinds`` one after the other; None if they do not fit.

    Directions are drawn such that nothing of ``avoid`` shows. The pauses are short; given
    ``close``, only those behind the actions at these places are, and the others share the rest of
    the video.
    """
    ways = [_way(kind, avoid, rng) for kind in kinds]
    if None in ways:
        return None
    lengths = np.array([rng.uniform(*SECONDS[kind]) for kind in kinds]) * fps
    gaps = np.array([rng.uniform(*_GAP_S) for _ in kinds]) * fps
    gaps += [_RISE_S * fps if kind == "fall" else 0 for kind in kinds]
    if len(kinds):
        gaps[-1] = 0
    spare = frames - 2 - lengths.sum() - gaps.sum()
    if spare < 0:
        return None
    if close is None:
        lead = spare * rng.beta(1.2, 1.2)
    else:
        free = [at for at in range(len(kinds)) if at not in close]
        lead, *rest = (spare * rng.dirichlet(np.ones(len(free) + 1))).tolist()
        gaps[free] += rest
    acts, now = [], 1 + lead
    for kind, way, length, gap in zip(kinds, ways, lengths, gaps, strict=True):
        acts.append(Act(kind, round(now), round(now + length), way or 0))
        now += length + gap
    return acts


def _way(kind: str, avoid: Collection[str], rng: np.random.Generator) -> int | None:
    """The direction of one action; None where both are to be avoided."""
    if kind in ("walk left", "walk right"):
        return -1 if kind == "walk left" else 1
    if kind in ("enter", "leave"):
        walks = {way: Act(kind, 0, 1, way).shows - {kind} for way in (-1, 1)}
        free = [way for way, shown in walks.items() if not shown & set(avoid)]
        return int(rng.choice(free)) if free else None
    return int(rng.choice([-1, 1]))


def perform(
    acts: Sequence[Act],
    frames: int,
    fps: int,
    height: float,
    stage: Stage,
    rng: np.random.Generator,
) -> ActionCurves | None:
    """The curves of a figure of ``height`` pixels; None if its walks do not fit the stage."""
    x = _path(acts, frames, fps, height, stage, rng)
    if x is None:
        return None
    zero = np.zeros(frames)
    curves = {name: zero.copy() for name in ("jump", "crouch", "bend", "roll", "wave", "spread")}
    yaw = np.full(frames, rng.uniform(-0.5, 0.5))
    gait, turns, grasp = zero.copy(), zero.copy(), None
    for act in acts:
        part = slice(act.start, act.end)
        since = (np.arange(frames) - act.start + 0.5) / max(act.end - act.start, 1)
        if act.kind in ("walk left", "walk right", "enter", "leave"):
            yaw[part], gait[part] = act.way * 1.4, 1
        elif act.kind == "spin":
            count = max(1, round((act.end - act.start) / fps / rng.uniform(0.6, 0.9)))
            turns += act.way * 2 * np.pi * count * _ease(since)
            curves["spread"] += _bump(since, 0.25)
        elif act.kind == "pick up":
            yaw[part] = act.way * 1.3
            curves["bend"] += 1.45 * _bump(since, 0.42)
            curves["crouch"] += 0.25 * _bump(since, 0.42)
            grasp = (act.start + act.end) // 2
        elif act.kind == "fall":
            _fall(act, since, fps, frames, curves)
        else:
            _gesture(act, since, fps, curves, rng)
    steps = np.abs(np.diff(x, prepend=x[0])) / height
    seconds = np.arange(frames) / fps
    return ActionCurves(
        x=x,
        yaw=_smooth(yaw, round(_TURN_S * fps)) + turns,
        gait=_smooth(gait, round(0.3 * fps)),
        phase=np.cumsum(steps) * 2 * np.pi / 0.8 + rng.uniform(0, 6),
        beat=np.sin(2 * np.pi * rng.uniform(1.4, 2.2) * seconds),
        grasp=grasp,
        **curves,
    )


def _path(
    acts: Sequence[Act],
    frames: int,
    fps: int,
    height: float,
    stage: Stage,
    rng: np.random.Generator,
) -> Curve | None:
    """Where the figure stands at every frame (F,)."""
    walks = [act for act in acts if act.kind in ("walk left", "walk right")]
    lengths = np.array([rng.uniform(*_PACE) * height * (a.end - a.start) / fps for a in walks])
    moved = np.cumsum([0.0, *(lengths * [a.way for a in walks])])
    room, reach = stage.high - stage.low, np.ptp(moved)
    if reach > room:
        lengths, moved = lengths * room / reach, moved * room / reach
    if len(lengths) and lengths.min() < _LEAST_WALK * height:
        return None
    low, high = stage.low - moved.min(), stage.high - moved.max()
    start = rng.uniform(low, max(high, low))
    sides = [act.way if act.kind == "leave" else -act.way for act in acts if act.shows - {act.kind}]
    if sides:  # near to where it comes from or goes to
        start = (start + (high if sum(sides) > 0 else low)) / 2 if sum(sides) else start
    x, at, prefetch = np.full(frames, start), start, iter(lengths)
    for act in acts:
        since = (np.arange(frames) - act.start + 0.5) / max(act.end - act.start, 1)
        goal = at
        if act.kind == "enter":
            at = stage.outside(-act.way)
            x[:] = at
            goal = start
        elif act.kind == "leave":
            goal = stage.outside(act.way)
        elif act in walks:
            goal = at + act.way * next(prefetch)
        x += (goal - at) * np.clip(since, 0, 1)
        at = goal
    return x


def _gesture(
    act: Act, since: Curve, fps: int, curves: dict[str, Curve], rng: np.random.Generator
) -> None:
    """Add a jump, a crouch or a wave to ``curves``."""
    if act.kind == "jump":
        hops = max(1, round((act.end - act.start) / fps / 0.65))
        cycle = np.where((since >= 0) & (since < 1), since * hops % 1, 0.0)
        flight = np.clip((cycle - 0.25) / 0.6, 0, 1)
        curves["jump"] += rng.uniform(0.2, 0.32) * 4 * flight * (1 - flight)
        curves["crouch"] += 0.45 * np.clip(1 - np.abs(cycle / 0.125 - 1), 0, 1)
        curves["spread"] += 0.7 * 4 * flight * (1 - flight)
    elif act.kind == "crouch":
        curves["crouch"] += _bump(since, 0.25)
    elif act.kind == "wave":
        curves["wave"] += _bump(since, 0.2)


def _fall(act: Act, since: Curve, fps: int, frames: int, curves: dict[str, Curve]) -> None:
    """Over in half a second, lying until the end, then up again."""
    seconds = (np.arange(frames) - act.start) / fps
    down = np.clip(seconds / 0.55, 0, 1) ** 2
    up = _ease((np.arange(frames) - act.end) / (_RISE_S * fps))
    curves["roll"] += act.way * 1.48 * down * (1 - up)
    curves["spread"] += 0.6 * down * (1 - up)
    curves["crouch"] += 0.3 * np.clip(np.sin(np.pi * np.clip(seconds / 0.55, 0, 1)), 0, 1)


def clipped(acts: Sequence[Act], visible: NDArray[np.bool_]) -> list[Act]:
    """``acts`` without the frames at the ends of entering and leaving in which nobody is seen."""
    kept = []
    for act in acts:
        at = np.flatnonzero(visible[act.start : act.end]) + act.start
        if act.kind == "enter" and len(at):
            act = replace(act, start=int(at[0]))
        elif act.kind == "leave" and len(at):
            act = replace(act, end=int(at[-1]) + 1)
        kept.append(act)
    return kept


def _ease(since: Curve) -> Curve:
    """0 before 0, 1 after 1, smooth between."""
    t = np.clip(since, 0, 1)
    return t * t * (3 - 2 * t)


def _bump(since: Curve, ramp: float) -> Curve:
    """0 outside 0..1, up and down over ``ramp`` at its ends, 1 between."""
    return _ease(since / ramp) * _ease((1 - since) / ramp)


def _smooth(curve: Curve, width: int) -> Curve:
    """Mean over ``width`` frames; the ends repeat."""
    width = max(width, 1)
    padded = np.pad(curve, (width // 2, width - 1 - width // 2), mode="edge")
    return np.convolve(padded, np.full(width, 1 / width), mode="valid")

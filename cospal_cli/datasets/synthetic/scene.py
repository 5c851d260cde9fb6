"""One scene: the cast on its stage before a moving camera, checked to be what its sentence says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.boxes import area, clip
from cospal_cli.core.errors import UsageError
from cospal_cli.datasets.synthetic import background, grammar
from cospal_cli.datasets.synthetic.actions import (
    Act,
    ActionCurves,
    Stage,
    clipped,
    perform,
    timetable,
)
from cospal_cli.datasets.synthetic.actors import Figure
from cospal_cli.datasets.synthetic.cast import Part, ScenePlan, cast, plan
from cospal_cli.datasets.synthetic.clothes import Outfit
from cospal_cli.datasets.synthetic.meaning import Meaning, ambiguities, moments
from cospal_cli.datasets.synthetic.recipe import Recipe
from cospal_cli.datasets.synthetic.scenery import Prop
from cospal_cli.datasets.synthetic.skeleton import Frame, View
from cospal_cli.datasets.synthetic.sketch import Drawing, Points, Sketch

FINE = 2  # canvas pixels per pixel of the frame: smooth edges
LIGHT, TINT = (0.86, 1.06), 0.02  # brightness of the whole picture, and of each channel
_TRIES = 400
_CORE = 0.6  # of a box's width that the body fills
_SEEN = 0.15  # share of a body inside the frame from which it is seen
_SHOWN = {"enter": 0.3, "leave": 0.3}  # mean visible share of a named action; others:
_SHOWN_ELSE = 0.5
HORIZON, _NEAR_GROUND = 0.56, 0.38  # of the frame's height
_FAR_HEIGHT, _NEAR_HEIGHT = 0.32, 0.30
_PROPS = {"tree": 1.6, "pole": 1.5, "bush": 0.5, "bench": 0.38, "crate": 0.34}  # adult heights
_SOLID = {"tree": 0.12, "pole": 0.5, "bush": 0.8, "bench": 1.0, "crate": 1.0}  # of their widths


@dataclass(frozen=True)
class Actor:
    """One figure of a scene. Boxes are pixels of the frame, before they are cut to it."""

    role: str
    outfit: Outfit
    acts: tuple[Act, ...]
    depth: float  # 0 far, 1 near
    ground: NDArray[np.float64]  # (F,) where its feet stand, canvas pixels from the top
    drawing: Drawing
    item: Drawing | None  # what it picks up
    item_kind: str
    boxes_xyxy: FloatArray  # (F, 4)
    inside: NDArray[np.float64]  # (F,) share of the box in the frame


@dataclass(frozen=True)
class Scene:
    """Everything that a video of the set shows, and its sentence."""

    number: int
    recipe: Recipe
    frames: int
    view: View
    light: NDArray[np.float64]
    actors: tuple[Actor, ...]  # the target first
    props: tuple[tuple[float, Prop, Drawing], ...]  # with depth
    visible: NDArray[np.float64]  # (actors, F) share of each body that is to be seen
    meaning: Meaning
    sentence: str
    span: tuple[int, int]  # frames [start, end) of the target's named actions
    background: str = ""  # what the sentence says besides: "next to the bench"

    @property
    def name(self) -> str:
        """The video's name without its ending: a number and, behind "_", an id."""
        return self.name_of(self.recipe, self.number)

    @staticmethod
    def name_of(recipe: Recipe, number: int) -> str:
        """The name of video ``number``, before there is a scene."""
        return f"{number:05d}_s{recipe.seed}n{number}"

    def boxes(self, actor: int = 0) -> FloatArray:
        """(F, 4) boxes of an actor, cut to the frame."""
        return clip(self.actors[actor].boxes_xyxy, *self.recipe.size)


def compose(recipe: Recipe, number: int) -> Scene:
    """Scene ``number`` of the set: the first draft that nobody can misunderstand."""
    settled = _settled(recipe, number)
    for attempt in range(_TRIES):
        rng = np.random.default_rng([recipe.seed, number, attempt])
        scene = _draft(recipe, number, settled, rng)
        if scene is not None:
            return scene
    raise UsageError(
        f"no scene number {number} fits {recipe.as_dict()}",
        "give longer --seconds or a wider --size",
    )


def frames_of(recipe: Recipe, number: int) -> int:
    """How many frames scene ``number`` has, without composing it."""
    return round(_settled(recipe, number).seconds * recipe.fps)


def _settled(recipe: Recipe, number: int) -> ScenePlan:
    return plan(recipe, np.random.default_rng([recipe.seed, number]))


def _draft(recipe: Recipe, number: int, plan: ScenePlan, rng: np.random.Generator) -> Scene | None:
    frames = round(plan.seconds * recipe.fps)
    view = camera(recipe, frames, rng)
    light = rng.uniform(*LIGHT) * (1 + rng.uniform(-TINT, TINT, 3))
    meaning, parts = cast(recipe, plan, rng)
    actors = []
    for part in parts:
        actor = _actor(part, recipe, view, light, rng)
        if actor is None:
            return None
        actors.append(actor)
    if ambiguities(meaning, [(a.outfit, a.acts) for a in actors], 0):
        return None
    props = _props(recipe, view, light, rng)
    visible = _visible(actors, props)
    (span,) = moments(meaning, actors[0].acts)
    named = [act for act in actors[0].acts if span[0] <= act.start < span[1]]
    if not _plain(named, visible[0], actors[0].inside, span):
        return None
    beside = ""
    if recipe.mix.background and rng.random() < recipe.mix.background:
        beside = background.draw(
            _company(actors, visible, meaning, span), _near(actors[0], props, span), rng
        )
    text = grammar.sentence(meaning, actors[0].outfit, named, actors[0].item_kind, rng, beside)
    return Scene(
        number, recipe, frames, view, light, tuple(actors), props, visible, meaning, text, span,
        beside,
    )  # fmt: skip


def _company(
    actors: Sequence[Actor], visible: NDArray[np.float64], meaning: Meaning, span: tuple[int, int]
) -> list[tuple[Outfit, Act, bool]]:
    """Who else does something else meanwhile, plainly: the outfit, the action, and whether it is a
    person of the target's kind."""
    company = []
    for number, actor in enumerate(actors[1:], 1):
        for act in actor.acts:
            common = min(act.end, span[1]) - max(act.start, span[0])
            shown = visible[number, act.start : act.end].mean() if act.end > act.start else 0
            if act.shows & set(meaning.kinds) or shown < _SHOWN_ELSE:
                continue
            if common >= 0.5 * min(act.end - act.start, span[1] - span[0]):
                company.append((actor.outfit, act, actor.outfit.kind == actors[0].outfit.kind))
    return company


def _near(
    target: Actor, props: Sequence[tuple[float, Prop, Drawing]], span: tuple[int, int]
) -> list[str]:
    """The things that the target is beside, all the time that is meant."""
    own = target.boxes_xyxy[span[0] : span[1]]
    reach = (own[:, 2] - own[:, 0]).mean()
    kinds = []
    for _, prop, drawing in props:
        box = framed(drawing)[span[0] : span[1]]
        apart = np.maximum(box[:, 0] - own[:, 2], own[:, 0] - box[:, 2])
        if (apart < reach).all() and abs(np.median(box[:, 3] - own[:, 3])) < reach:
            kinds.append(prop.kind)
    return kinds


def camera(recipe: Recipe, frames: int, rng: np.random.Generator) -> View:
    """A camera that stands, sways, pans or zooms."""
    width, height = recipe.size
    t = np.arange(frames) / recipe.fps
    reach = rng.uniform(0.02, 0.1) * width * (rng.random() < 0.7)
    sweep = np.sin(2 * np.pi * t / rng.uniform(8, 24) + rng.uniform(0, 6))
    shake = rng.choice([0.0, 0.0015, 0.004]) * height
    centre = np.stack([width / 2 + reach * sweep, np.full(frames, height / 2)], axis=1)
    for axis in (0, 1):
        for rate in (0.4, 1.1, 2.3):
            centre[:, axis] += shake * np.sin(2 * np.pi * rate * t + rng.uniform(0, 6))
    ends = 1 + rng.uniform(0, 0.18, 2) * (rng.random() < 0.4)
    zoom = FINE * (ends[0] + (ends[1] - ends[0]) * np.linspace(0, 1, frames))
    return View(centre, zoom, (FINE * width / 2, FINE * height / 2))


def _actor(
    part: Part, recipe: Recipe, view: View, light: NDArray[np.float64], rng: np.random.Generator
) -> Actor | None:
    width, height = recipe.size
    frames = len(view.zoom)
    depth = float(rng.uniform(0.25 if part.role == "target" else 0.0, 1.0))
    tall = _height(depth, height) * part.outfit.height
    half = FINE * width / 2 / view.zoom
    left, right = view.centre[:, 0] - half, view.centre[:, 0] + half
    edge = 0.18 * tall
    stage = Stage(
        left.max() + edge, right.min() - edge, left.min() - 0.4 * tall, right.max() + 0.4 * tall
    )
    rehearsed = _rehearse(part, recipe, frames, tall, stage, rng)
    if rehearsed is None:
        return None
    acts, motion = rehearsed
    ground = height * (HORIZON + _NEAR_GROUND * depth)
    frame = Frame(motion, motion.x, ground, tall, view)
    figure = Figure(part.outfit, frame, light)
    drawing = figure.draw()
    boxes = framed(drawing)
    inside = area(clip(boxes, width, height)) / np.maximum(area(boxes), 1e-6)
    kind = str(rng.choice(["ball", "box"]))
    item = _item(kind, figure, motion.grasp, light, rng) if motion.grasp is not None else None
    return Actor(
        part.role,
        part.outfit,
        tuple(clipped(acts, inside > _SEEN)),
        depth,
        view.place(0, ground)[:, 1],
        drawing,
        item,
        kind,
        boxes,
        inside.astype(np.float64),
    )


def _rehearse(
    part: Part,
    recipe: Recipe,
    frames: int,
    tall: float,
    stage: Stage,
    rng: np.random.Generator,
) -> tuple[list[Act], ActionCurves] | None:
    """When the part acts, and how it moves; None if that does not fit time and stage.

    Of what a twin or a bystander does, the first may be left out.
    """
    kinds = part.kinds
    close = part.named[:-1] if recipe.mix.loose else None
    while True:
        acts = timetable(kinds, frames, recipe.fps, part.avoid, rng, close)
        motion = None
        if acts is not None:
            motion = perform(acts, frames, recipe.fps, tall, stage, rng)
        if acts is not None and motion is not None:
            return acts, motion
        if part.role in ("target", "rival"):
            return None
        kinds = kinds[1:]


def framed(drawing: Drawing) -> FloatArray:
    """A drawing's boxes in pixels of the frame (F, 4)."""
    return (drawing.boxes_xyxy / FINE).astype(np.float32)


def _height(depth: float, frame_height: int) -> float:
    """Pixels of an adult at ``depth``."""
    return frame_height * (_FAR_HEIGHT + _NEAR_HEIGHT * depth)


def _item(
    kind: str, figure: Figure, grasp: int, light: NDArray[np.float64], rng: np.random.Generator
) -> Drawing:
    """What lies on the ground until frame ``grasp`` and is then held."""
    frame, hand = figure.frame, figure.hand()
    view = frame.view
    size = 0.055 * frame.scale
    taken = (hand[grasp] - view.middle) / view.zoom[grasp] + view.centre[grasp]
    lying: Points = view.place(taken[0], frame.ground - 0.06 * frame.height)
    at = np.where(np.arange(len(hand))[:, None] < grasp, lying, hand)
    sketch = Sketch(light)
    if kind == "ball":
        sketch.disc(at, size, (226, 226, 220), 0)
        sketch.disc(at - 0.25 * size[:, None], 0.45 * size, (150, 150, 160), 1)
    else:
        arm = np.stack([size, 0 * size], axis=1)
        sketch.limb(at - arm, at + arm, (1.7 * size, 1.7 * size), (176, 136, 88), 0)
        sketch.limb(at - arm, at + arm, (0.3 * size, 0.3 * size), (140, 104, 62), 1)
    return sketch.finish()


def _props(
    recipe: Recipe, view: View, light: NDArray[np.float64], rng: np.random.Generator
) -> tuple[tuple[float, Prop, Drawing], ...]:
    """Things on the stage; some stand before everybody."""
    width, height = recipe.size
    props = []
    for _ in range(int(rng.integers(0, 5))):
        kind = str(rng.choice(list(_PROPS)))
        depth = float(rng.uniform(0, 1.12))
        tall = _PROPS[kind] * _height(depth, height) * rng.uniform(0.85, 1.15)
        ground = height * (HORIZON + _NEAR_GROUND * depth)
        prop = Prop(kind, float(rng.uniform(-0.05, 1.05)) * width, ground, tall)
        props.append((depth, prop, prop.draw(view, light, rng)))
    return tuple(props)


def _visible(
    actors: list[Actor], props: tuple[tuple[float, Prop, Drawing], ...]
) -> NDArray[np.float64]:
    """Share of every body that is in the frame and behind nothing (actors, F)."""
    cores = [(a.depth, _core(a.boxes_xyxy, _CORE)) for a in actors]
    things = [(d, _core(framed(g), _SOLID[p.kind])) for d, p, g in props]
    shares = []
    for actor, (depth, core) in zip(actors, cores, strict=True):
        x = core[:, :1] + (core[:, 2:3] - core[:, :1]) * np.linspace(0.1, 0.9, 4)
        y = core[:, 1:2] + (core[:, 3:] - core[:, 1:2]) * np.linspace(0.05, 0.95, 7)
        free = np.ones((len(core), 7, 4), bool)
        for other, box in (*cores, *things):
            if other > depth:
                over_x = (x >= box[:, :1]) & (x <= box[:, 2:3])
                over_y = (y >= box[:, 1:2]) & (y <= box[:, 3:])
                free &= ~(over_y[:, :, None] & over_x[:, None, :])
        shares.append(free.mean(axis=(1, 2)) * actor.inside)
    return np.array(shares)


def _core(boxes: FloatArray, share: float) -> FloatArray:
    """Boxes of ``share`` of the width."""
    cut = (boxes[:, 2] - boxes[:, 0]) * (1 - share) / 2
    return (boxes + np.stack([cut, 0 * cut, -cut, 0 * cut], axis=1)).astype(np.float32)


def _plain(
    named: list[Act],
    visible: NDArray[np.float64],
    inside: NDArray[np.float64],
    span: tuple[int, int],
) -> bool:
    """Whether the target and every action named can be seen."""
    during = slice(*span)
    if inside[during].min() < 0.08 or visible[during].mean() < 0.6:
        return False
    return all(
        act.end - act.start >= 3
        and visible[act.start : act.end].mean() >= _SHOWN.get(act.kind, _SHOWN_ELSE)
        for act in named
    )

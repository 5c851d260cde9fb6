"""The synthetic set: what is drawn, what is said of it, and that the two agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cospal_cli.core.boxes import iou
from cospal_cli.core.colours import NAMES, name_map, parse_colour
from cospal_cli.datasets.synthetic import grammar, render, simulate
from cospal_cli.datasets.synthetic.actions import KINDS, Act, Stage, perform, timetable
from cospal_cli.datasets.synthetic.actors import Figure
from cospal_cli.datasets.synthetic.cast import cast, plan
from cospal_cli.datasets.synthetic.clothes import COLOURS, Outfit, Piece, near
from cospal_cli.datasets.synthetic.clothes import piece as draw_piece
from cospal_cli.datasets.synthetic.meaning import Meaning, ambiguities, moments, shows, wears
from cospal_cli.datasets.synthetic.recipe import Recipe
from cospal_cli.datasets.synthetic.scene import LIGHT, TINT, Scene, compose
from cospal_cli.datasets.synthetic.skeleton import Frame, View
from cospal_cli.datasets.synthetic.sketch import Drawing
from cospal_cli.language.parser.parse import parse

# What the parser must find of each action: kinds, directions of which one must be among its own.
READ_AS = {
    "walk left": ("move", "left"), "walk right": ("move", "right"), "jump": ("jump", ""),
    "crouch": ("limb", "down"), "wave": ("limb", ""), "spin": ("limb", ""),
    "fall": ("move limb", "down"), "pick up": ("limb", ""), "enter": ("move", "in"),
    "leave": ("move", "out away"),
}  # fmt: skip


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """Scenes of the default recipe."""
    return [compose(Recipe(seed=11), number) for number in range(25)]


def piece(colour: str, cut: str = "long") -> Piece:
    return Piece(colour, cut, COLOURS[colour])


def person(upper: str, lower: str, hat: str = "") -> Outfit:
    """A man in given colours."""
    worn = piece(hat, "cap") if hat else None
    skin, hair = (214, 160, 122), (34, 26, 22)
    return Outfit("man", 1.0, piece(upper), piece(lower, "trousers"), worn, None, skin, hair)


# --- meaning


RED = Meaning((("upper", "red"), ("lower", "blue")), ("jump", "wave"))
TARGET = (person("red", "blue"), [Act("jump", 5, 10), Act("wave", 12, 20)])


def test_the_checker_accepts_who_shares_the_clothes_or_the_actions() -> None:
    twin = (person("red", "blue"), [Act("fall", 0, 9)])
    rival = (person("green", "blue"), [Act("jump", 0, 9), Act("wave", 10, 15)])
    assert ambiguities(RED, [TARGET, twin, rival], 0) == []
    assert moments(RED, TARGET[1]) == [(5, 20)]


@pytest.mark.parametrize(
    ("other", "trouble"),
    [
        ((person("red", "blue"), [Act("wave", 0, 9)]), "does wave"),
        ((person("red", "blue", "pink"), [Act("jump", 0, 9)]), "does jump"),
        ((person("orange", "blue"), [Act("jump", 0, 9), Act("wave", 9, 12)]), "does jump, wave"),
    ],
    ids=["one action of two", "more clothes than said", "a colour that could be meant"],
)
def test_the_checker_finds_others_who_could_be_meant(
    other: tuple[Outfit, list[Act]], trouble: str
) -> None:
    (found,) = ambiguities(RED, [TARGET, other], 0)
    assert "actor 1" in found
    assert trouble in found


def test_the_checker_finds_a_moment_that_could_be_another() -> None:
    outfit, acts = TARGET
    twice = [*acts, Act("jump", 22, 30), Act("wave", 31, 40)]
    assert "2 times" in ambiguities(RED, [(outfit, twice)], 0)[-1]
    again = [*acts, Act("wave", 31, 40)]
    assert "another time" in ambiguities(RED, [(outfit, again)], 0)[0]
    turned = [acts[1], acts[0]]
    assert "0 times" in ambiguities(RED, [(outfit, turned)], 0)[0]
    assert ambiguities(RED, [(person("green", "blue"), acts)], 0) == [
        "the target is not dressed as said"
    ]


def test_entering_from_the_left_shows_a_walk_to_the_right() -> None:
    walking = Meaning((("upper", "red"),), ("walk right",))
    assert shows(walking, [Act("enter", 0, 5, way=1)]) == {"walk right"}
    assert shows(walking, [Act("enter", 0, 5, way=-1)]) == set()


def test_every_sentence_means_one_actor_once(scenes: Sequence[Scene]) -> None:
    for scene in scenes:
        cast_ = [(actor.outfit, actor.acts) for actor in scene.actors]
        assert ambiguities(scene.meaning, cast_, 0) == []
        named, told = dict(scene.meaning.clothes), set(scene.meaning.kinds)
        for actor in scene.actors[1:]:  # said once more, without the checker's words
            worn = {part: piece.colour for part, piece in actor.outfit.pieces.items()}
            alike = all(near(worn.get(part, ""), colour) for part, colour in named.items())
            assert not (alike and told & {kind for act in actor.acts for kind in act.shows})


def test_the_mix_has_twins_rivals_and_one_to_five_actions(scenes: Sequence[Scene]) -> None:
    twins = [any(wears(s.meaning, a.outfit) for a in s.actors[1:]) for s in scenes]
    rivals = [any(shows(s.meaning, a.acts) for a in s.actors[1:]) for s in scenes]
    assert 0.2 < np.mean(twins) < 0.9
    assert np.mean(rivals) > 0.6
    settled = [plan(Recipe(), np.random.default_rng(seed)) for seed in range(300)]
    assert {p.actions for p in settled} == {1, 2, 3, 4, 5}
    assert {p.actors for p in settled} == set(range(2, 13))
    assert all(9 <= p.seconds <= 18 and p.seconds > 2.3 * p.actions for p in settled)


# --- words


def sentences(count: int) -> list[tuple[str, Meaning, Outfit]]:
    """Sentences without scenes around them."""
    found = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        meaning, parts = cast(Recipe(), plan(Recipe(), rng), rng)
        acts = timetable(meaning.kinds, 10_000, 10, (), rng)
        assert acts is not None
        item = str(rng.choice(["ball", "box"]))
        text = grammar.sentence(meaning, parts[0].outfit, acts, item, rng)
        found.append((text, meaning, parts[0].outfit))
    return found


def test_the_parser_reads_every_sentence_as_it_is_meant() -> None:
    for text, meaning, outfit in sentences(400):
        query = parse(text)
        assert not query.warnings, text
        assert query.classes == {"person": 1.0}, text
        assert len(query.actions) == len(meaning.kinds), text
        for action, kind in zip(query.actions, meaning.kinds, strict=True):
            kinds, ways = READ_AS[kind]
            assert action.kind in kinds.split(), text
            assert not ways or set(ways.split()) & set(action.directions), text
        assert _colours(text) == _worn(meaning, outfit), text
        assert text.lower().startswith(query.referral), text
        assert len(query.local_phrases) == len(meaning.kinds), text


def _colours(text: str) -> set[tuple[str, str]]:
    """Region and colour of every coloured thing that the parser finds on the subject."""
    found = [a for a in parse(text).attributes if a.kind in ("colour", "held")]
    words = [(a.region, a.word.replace("grey", "gray")) for a in found]
    return {(region, word) for region, word in words if word in COLOURS}


def _worn(meaning: Meaning, outfit: Outfit) -> set[tuple[str, str]]:
    """The same as it was meant."""
    regions = {"upper": "upper", "lower": "lower", "hat": "head"}
    regions["bag"] = "upper" if outfit.bag and outfit.bag.cut == "backpack" else "whole"
    return {(regions[part], colour) for part, colour in meaning.clothes}


def test_sentences_vary() -> None:
    texts = [text for text, _, _ in sentences(300)]
    assert len(set(texts)) > 280
    words = {word.strip(".,").lower() for text in texts for word in text.split()}
    assert {"walks", "strolls", "hops", "twirls", "trousers", "pants", "lady", "rucksack"} <= words
    for verbs in grammar.VERBS.values():
        assert len(set(verbs)) >= 3
    assert set(grammar.VERBS) == set(KINDS)


# --- pictures


def act_out(
    kind: str, way: int = 1, outfit: Outfit | None = None, seed: int = 0
) -> tuple[Drawing, Act, NDArray[np.float64]]:
    """One action of two seconds by someone in the middle of a still picture; its drawing, the
    action, and where the feet are on the canvas at every frame."""
    frames, fps, height = 50, 10, 100.0
    rng = np.random.default_rng(seed)
    act = Act(kind, 15, 35, way)
    motion = perform([act], frames, fps, height, Stage(60, 260, -60, 380), rng)
    assert motion is not None
    view = View(np.tile([160.0, 96.0], (frames, 1)), np.full(frames, 2.0), (320.0, 192.0))
    frame = Frame(motion, motion.x, 150.0, height, view)
    feet = view.place(motion.x, 150.0)
    return Figure(outfit or person("red", "blue"), frame, np.ones(3)).draw(), act, feet


def painted(drawing: Drawing, number: int) -> NDArray[np.uint8]:
    """The drawing alone on black, at the canvas's size."""
    canvas = Image.new("RGB", (640, 384))
    render.paint(ImageDraw.Draw(canvas), drawing, number)
    return np.asarray(canvas)


@pytest.mark.parametrize("kind", ["wave", "walk left", "fall", "pick up", "spin"])
def test_boxes_are_as_large_as_what_is_painted(kind: str) -> None:
    outfit = replace(person("red", "blue", "yellow"), bag=piece("green", "backpack"))
    drawing, act, _ = act_out(kind, -1 if kind == "walk left" else 1, outfit)
    for number in (0, act.start + 3, (act.start + act.end) // 2, act.end - 1):
        rows, columns = np.nonzero(painted(drawing, number).any(axis=2))
        found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(drawing.boxes_xyxy[number], found, atol=2)


@pytest.mark.parametrize("way", [-1, 1])
def test_walks_lead_where_they_should(way: int) -> None:
    drawing, act, feet = act_out("walk left" if way < 0 else "walk right", way)
    moved = feet[act.end, 0] - feet[act.start, 0]
    assert moved * way > 60
    assert np.ptp(feet[: act.start, 0]) == 0
    centres = drawing.boxes_xyxy[:, [0, 2]].mean(axis=1)
    assert (centres[act.end] - centres[act.start]) * way > 50


def test_entering_comes_in_and_leaving_goes_out() -> None:
    _, act, feet = act_out("enter", 1)
    assert feet[act.start - 1, 0] < 0 < feet[act.end, 0]
    _, act, feet = act_out("leave", 1)
    assert feet[act.start - 1, 0] < 640 < feet[act.end, 0]


def test_actions_show_in_boxes_or_inside_them() -> None:
    heights = {}
    for kind in ("jump", "crouch", "fall", "pick up", "wave", "spin"):
        drawing, act, _ = act_out(kind)
        boxes = drawing.boxes_xyxy
        during, before = slice(act.start, act.end), slice(0, act.start - 4)
        sides = boxes[:, 2:] - boxes[:, :2]
        heights[kind] = sides[during, 1].min() / sides[before, 1].mean()
        widths = sides[during, 0].max() / sides[before, 0].mean()
        lifted = boxes[before, 3].mean() - boxes[during, 3].min()
        assert (lifted > 20) == (kind == "jump")
        if kind in ("wave", "spin"):
            assert widths > 1.3
            still = np.abs(np.diff([painted(drawing, n).astype(int) for n in range(3, 9)], axis=0))
            at = range(act.start + 4, act.end - 4)
            moving = np.abs(np.diff([painted(drawing, n).astype(int) for n in at], axis=0))
            assert moving.mean() > 5 * still.mean() + 0.05
    assert heights["crouch"] < 0.75
    assert heights["fall"] < 0.65
    assert heights["pick up"] < 0.75


@pytest.mark.parametrize("colour", COLOURS)
def test_colours_are_what_their_words_mean_in_every_light(colour: str) -> None:
    weights = parse_colour([colour])
    assert weights is not None
    rng = np.random.default_rng(0)
    fits = []
    for _ in range(60):
        light = rng.uniform(*LIGHT) * (1 + rng.uniform(-TINT, TINT, 3))
        shade = np.clip(np.array(draw_piece(rng, colour, "long").rgb) * light, 0, 255)
        name = NAMES[int(name_map(shade.astype(np.uint8)[None, None])[0, 0])]
        fits.append(weights.get(name, 0.0))
    assert np.mean(fits) > 0.7
    assert min(fits) >= 0.15


def test_frames_show_the_target_in_its_box() -> None:
    scene = compose(Recipe(seed=2, twins=0, rivals=0, actors=(1, 1)), 0)
    target, (start, end) = scene.actors[0], scene.span
    middle = (start + end) // 2
    image = next(frame for n, frame in enumerate(render.frames(scene)) if n == middle)
    assert image.shape == (192, 320, 3)
    x1, y1, x2, y2 = scene.boxes()[middle].astype(int)
    shown = name_map(image[y1:y2, x1:x2])
    lit = np.array([[target.outfit.upper.rgb]]) * scene.light
    wanted = int(name_map(np.clip(lit, 0, 255).astype(np.uint8))[0, 0])
    assert (shown == wanted).mean() > 0.08


def test_the_camera_moves_in_some_scenes_and_things_stand_in_the_way(
    scenes: Sequence[Scene],
) -> None:
    pans = [np.ptp(scene.view.centre[:, 0]) for scene in scenes]
    zooms = [np.ptp(scene.view.zoom) for scene in scenes]
    assert sum(pan > 5 for pan in pans) >= 5
    assert sum(zoom > 0.05 for zoom in zooms) >= 3
    assert sum(len(scene.props) for scene in scenes) > 15
    hidden = [scene.visible < 0.5 * np.array([a.inside for a in scene.actors]) for scene in scenes]
    assert np.mean([rows.any() for rows in hidden]) > 0.3


# --- the simulated detector


def test_simulated_detections_are_near_the_truth_with_mistakes(scenes: Sequence[Scene]) -> None:
    overlaps, plain, hidden, wrong, lost, people = [], [], [], 0, 0, 0
    for scene in scenes[:12]:
        found = simulate.detections(scene)
        assert [one.frame_index for one in found] == list(range(scene.frames))
        for one in found:
            for actor, visible in enumerate(scene.visible[:, one.frame_index]):
                box = scene.boxes(actor)[one.frame_index]
                if visible < 0.3:
                    continue
                people += 1
                fits = iou(box[None], one.boxes_xyxy) if len(one) else np.zeros(1)
                if fits.max() < 0.5:
                    lost += 1
                    continue
                best = int(fits.argmax())
                overlaps.append(fits[best])
                (plain if visible > 0.9 else hidden).append(one.scores[best])
                wrong += one.labels[best] != simulate.CLASSES.index(simulate.PERSON)
    assert 0.8 < np.mean(overlaps) < 0.97
    assert np.mean(plain) > np.mean(hidden) + 0.1
    assert 0.005 < lost / people < 0.15
    assert 0.01 < wrong / people < 0.12


def test_a_perfect_detector_can_be_asked_for(scenes: Sequence[Scene]) -> None:
    none = simulate.Mistakes(
        jitter=0, misses=0, confused=0, known=0, false_per_frame=0, least_visible=0.01, drift=0
    )
    scene = scenes[0]
    for one in simulate.detections(scene, none):
        visible = scene.visible[:, one.frame_index]
        seen = np.flatnonzero(visible >= 0.01)
        boxes = np.array([scene.boxes(n)[one.frame_index] for n in seen]).reshape(-1, 4)
        wide = (boxes[:, 2:] - boxes[:, :2] >= 2).all(axis=1)
        assert sorted(one.boxes_xyxy.tolist()) == sorted(boxes[wide].tolist())
        assert (one.labels == 0).all()

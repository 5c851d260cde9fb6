"""Curves of actions on made-up tubelets: values worked out by hand, and the moments of scenes."""

from __future__ import annotations

import numpy as np
import pytest

from cospal_cli.core.query import Action, Query
from cospal_cli.core.tubelets import BoxColours, Tubelet
from cospal_cli.language.lexicon.verbs import SIGNATURES, kinds
from cospal_cli.language.parser.parse import parse
from cospal_cli.ranking import signatures
from cospal_cli.ranking.body import Body
from cospal_cli.ranking.candidates import Candidate, candidates
from cospal_cli.ranking.odds import RATE, highest, mean, odds, usual
from cospal_cli.ranking.pair import Pair
from cospal_cli.ranking.span import extent, span
from tests.acted import CLASSES, KINDS, SIZE, TIMELINE, moving, scene

TIMES = np.arange(100) / 10


def boxed(
    number: int,
    left: np.ndarray | float,
    top: np.ndarray | float,
    right: np.ndarray | float,
    bottom: np.ndarray | float,
    thumbs: np.ndarray | None = None,
) -> Tubelet:
    """Ten seconds of exactly these sides, at ten frames per second."""
    boxes = np.stack(np.broadcast_arrays(left, top, right, bottom, TIMES)[:4], axis=1)
    thumbs = np.full((100, 12, 12), 99, np.uint8) if thumbs is None else thumbs
    return Tubelet(
        number, np.arange(100), TIMES, boxes.astype(np.float32), np.full(100, 0.7, np.float32),
        np.ones(100, bool), np.array([0.7, *[0.01] * 6], np.float32),
        colours=BoxColours(np.full((100, 5, 11), 23, np.uint8), thumbs),
    )  # fmt: skip


def made(*tubelets: Tubelet) -> list[Candidate]:
    return candidates(tubelets, SIZE, TIMELINE)


def between(start: float, end: float, inside: float, outside: float) -> np.ndarray:
    return np.where((start - 1e-6 <= TIMES) & (end + 1e-6 >= TIMES), inside, outside)


def iou(a: tuple[float, float], b: tuple[float, float]) -> float:
    shared = min(a[1], b[1]) - max(a[0], b[0])
    return max(shared, 0) / (max(a[1], b[1]) - min(a[0], b[0]))


def test_odds_are_even_at_one_value_and_plain_at_another() -> None:
    values = np.array([0.0, 0.1, 0.2, 0.3, 9.0])
    assert odds(values, 0.1, 0.3) == pytest.approx([-RATE / 2, 0, RATE / 2, RATE, RATE])
    assert odds(-values, -0.1, 0.0) == pytest.approx([RATE, 0, -RATE, -RATE, -RATE])


def test_windows_look_as_far_back_and_ahead_as_they_are_told() -> None:
    spike = np.array([0.0, 0, 0, 1, 0, 0])
    assert highest(spike, back=1, ahead=0).tolist() == [0, 0, 0, 1, 1, 0]
    assert highest(spike, back=0, ahead=2).tolist() == [0, 1, 1, 1, 0, 0]
    assert mean(spike, back=1, ahead=0).tolist() == [0, 0, 0, 0.5, 0.5, 0]
    assert usual(np.array([5.0, 1, 2, 3, 4]), 1, 0.5).tolist() == [5, 2, 2, 3, 4]


def test_low_is_by_how_much_the_head_sinks_while_the_feet_stay() -> None:
    crouches = boxed(1, 200, between(4, 5, 230, 200), 250, 300)  # 30 of its 100 pixels
    comes_nearer = boxed(2, 200, 200 + 3 * TIMES, 250, 300 + 9 * TIMES)
    low = Body(made(crouches)[0]).low
    assert low == pytest.approx(between(4, 5, 0.3, 0.0), abs=1e-6)
    assert Body(made(comes_nearer)[0]).low.max() < 0.05


def test_a_lower_side_on_the_border_is_no_foot() -> None:
    cut = boxed(1, 200, between(4, 5, 180, 150), 290, 360)  # 30 of its 210 pixels
    assert Body(made(cut)[0]).low == pytest.approx(between(4, 5, 30 / 210, 0.0), abs=1e-6)


def test_thrust_is_the_vertical_acceleration_of_head_and_feet() -> None:
    flight = np.clip(TIMES - 4, 0, 0.8)
    up = 100 * 5.8 / 2 * flight * (0.8 - flight)  # thrown up and falling at 5.8 heights/s²
    jumps, sinks = boxed(1, 200, 200 - up, 250, 300 - up), boxed(2, 200, 200 + up, 250, 300)
    assert Body(made(jumps)[0]).thrust[44] == pytest.approx(5.8, abs=0.01)
    assert Body(made(jumps)[0]).thrust[:30].max() < 1e-3
    assert Body(made(sinks)[0]).thrust.max() < 1e-3


def test_stir_is_of_the_parts_named() -> None:
    thumbs = np.full((100, 12, 12), 99, np.uint8)
    thumbs[40:60:2, :4, :6], thumbs[40:60:2, :4, 6:] = 129, 69  # the head's third only
    waver = Body(made(boxed(1, 200, 200, 250, 300, thumbs))[0])
    assert waver.stir(0)[45:55].min() > 5
    assert waver.stir(2).max() == 0


def test_gap_and_share_are_those_of_the_boxes() -> None:
    other = 300 + between(5, 9.9, 0, -60)  # touches from the inside, then 50 pixels off
    subject, thing = made(boxed(1, 200, 200, 250, 300), boxed(2, other, 200, other + 50, 300))
    pair = Pair(subject, thing.tubelet)
    size = np.sqrt(50 * 100)
    assert pair.usable
    assert pair.gap == pytest.approx(between(5, 9.9, 50 / size, 0.0), abs=1e-6)
    assert pair.shared == pytest.approx(between(5, 9.9, 0.0, 0.2), abs=1e-6)
    assert not Pair(subject, subject.tubelet).usable


def test_what_is_carried_is_not_handled() -> None:
    walk, up = 20 * TIMES, 10 * TIMES
    man, carried, lifted = made(
        boxed(1, 100 + walk, 200, 150 + walk, 300),
        boxed(2, 130 + walk, 240, 150 + walk, 260),
        boxed(3, 130 + walk, 270 - up, 150 + walk, 290 - up),
    )
    assert np.abs(Pair(man, carried.tubelet).handled).max() < 1e-4
    assert Pair(man, lifted.tubelet).handled[:, 1] == pytest.approx(
        np.full(100, -10 / 5000**0.5), abs=1e-3
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_moment_of_each_scene_is_found(kind: str) -> None:
    """At least half of the moment, on the mean of ten scenes; the whole tubelet has a tenth."""
    found, whole = [], []
    for seed in range(10):
        made_up = scene(kind, np.random.default_rng(seed))
        field = made(*made_up.tubelets)
        told = span(field[0], parse(made_up.sentence), field, CLASSES)
        found.append(iou((told.start, told.end), made_up.span_s))
        whole.append(iou(extent(field[0].tubelet), made_up.span_s))
    assert np.mean(found) >= 0.5
    assert np.mean(whole) <= 0.25


@pytest.mark.parametrize("signature", sorted(set(SIGNATURES.values())))
def test_who_only_stands_beside_a_thing_does_nothing(signature: str) -> None:
    rng = np.random.default_rng(3)
    man = moving(1, "person", [(0, 200, 300, 42, 110)], rng)
    ball = moving(2, "sports ball", [(0, 215, 250, 14, 14)], rng, jitter=0.05)
    woman = moving(3, "person", [(0, 260, 300, 42, 110)], rng)
    field = made(man, ball, woman)
    assert signatures.curve(signature, field[0], field[1:]) is None
    action = Action("does", "limb", signature=signature)
    whole = span(field[0], Query("q", "q", "man", {"person": 1.0}, actions=(action,)), field)
    assert (whole.start, whole.end) == pytest.approx((0.0, 15.95))


def test_of_five_boxes_nothing_is_said() -> None:
    rng = np.random.default_rng(4)
    short = moving(1, "person", [(0, 200, 300, 42, 110)], rng, seen=(0.0, 0.4))
    assert all(signatures.curve(one, *made(short)) is None for one in set(SIGNATURES.values()))


def test_actions_follow_one_another_in_the_order_of_the_sentence() -> None:
    """He crouches, jumps, crouches again: which crouch is meant is told by the order."""
    hop = [(2.0 + s, 0, -33 * 4 * s * (1 - s), 1, 1) for s in (0, 0.17, 0.33, 0.5, 0.67, 0.83)]
    points = [(0.0, 250.0, 300.0, 42.0, 110.0)]
    for start in (3.0, 8.0):
        points += [(start, 250, 300, 42, 110), (start + 0.3, 250, 300, 43, 76),
                   (start + 1.2, 250, 300, 43, 76), (start + 1.5, 250, 300, 42, 110)]  # fmt: skip
        if start == 3.0:
            points += [(4.0 + s, 250, 300 + dy, 42, 110) for s, _, dy, _, _ in hop]
            points += [(7.0, 250, 300, 42, 110)]
    (man,) = made(moving(1, "person", points, np.random.default_rng(5), jitter=0.005))
    first = span(man, parse("the man crouches and then jumps"), [man], CLASSES)
    second = span(man, parse("the man jumps and then crouches"), [man], CLASSES)
    assert (first.start, first.end) == pytest.approx((3.0, 6.9), abs=0.5)
    assert (second.start, second.end) == pytest.approx((6.0, 9.5), abs=0.4)


def test_against_the_order_of_the_sentence_each_action_counts_where_it_shows() -> None:
    """Crouches once, walks off once, in this order; the sentence says it the other way round."""
    points = [(0.0, 250, 300, 42, 110), (3.0, 250, 300, 42, 110), (3.3, 250, 300, 43, 76),
              (4.2, 250, 300, 43, 76), (4.5, 250, 300, 42, 110), (6.0, 250, 300, 42, 110),
              (8.0, 450, 300, 42, 110)]  # fmt: skip
    (man,) = made(moving(1, "person", points, np.random.default_rng(6), jitter=0.005))
    for text in ("the man crouches and walks to the right", "the man walks right and crouches"):
        told = span(man, parse(text), [man], CLASSES)
        assert (told.start, told.end) == pytest.approx((3.0, 8.0), abs=0.4)


def test_more_verbs_than_boxes_are_no_trouble() -> None:
    rng = np.random.default_rng(7)
    points = [(0.0, 100, 300, 42, 110), (0.3, 300, 300, 42, 110)]
    (short,) = made(moving(1, "person", points, rng, seen=(0.0, 0.3)))
    told = span(short, parse("the man walks, runs, moves, goes and strolls"), [short], CLASSES)
    assert (told.start, told.end) == pytest.approx((0.0, 0.25))


@pytest.mark.parametrize(
    ("sentence", "signature"),
    [
        ("the man hugs the woman", "touch"),
        ("the boy throws the ball and runs away", "launch"),
        ("the player shoots", "launch"),
        ("the man lets go of the dog", "release"),
        ("the man picks up the box", "pick"),
        ("the man picks the child up", "pick"),
        ("the woman puts the cup on the table", "lay"),
        ("the woman puts down the cup", "put"),
        ("the man takes the cup", "obtain"),
        ("the woman hands the cup to the man", "lay"),
        ("the woman gets on the bike", "mount"),
        ("the man gets into the car", "mount"),
        ("the man gets out of the car", "dismount"),
        ("the man gets off the horse", "dismount"),
        ("the dog chases the cat", "follow"),
        ("the woman pushes the man", "shove"),
        ("the man sits down", "lower"),
        ("the man gets up", "rise"),
        ("the man bends over", "bend"),
        ("the boy falls off the bike", "fall"),
        ("the girl jumps", "jump"),
        ("the man turns around", "turn"),
        ("the man waves", "gesture"),
        ("the man gives the woman a hug", "touch"),
        ("the man gives the woman the cup", "lay"),
        ("the man lays down on the bed", "lower"),
        ("the man lays down the bag", "put"),
        ("the boy runs after the dog", "follow"),
        ("the man walks behind the woman", "follow"),
        ("the man shakes hands with the woman", "touch"),
        ("the car stops at the light", "stop"),
        ("the man lifts the child", "pick"),
        ("the girl passes the ball to the boy", "lay"),
        ("the man takes a step back", ""),
        # What lasts, or is another action of the same verb, has none.
        ("the man sits on the bench", ""),
        ("the man stands", ""),
        ("the car passes the house", ""),
        ("the plane takes off", ""),
        ("the car turns left", ""),
        ("the man talks", ""),
    ],
)
def test_the_signature_of_a_verb_is_that_of_its_particle(sentence: str, signature: str) -> None:
    assert parse(sentence).actions[0].signature == signature


def test_every_signature_has_a_curve_and_every_verb_is_known() -> None:
    assert set(SIGNATURES.values()) == set(signatures.WITH) | set(signatures.ALONE)
    unknown = {entry.split()[0] for entry in SIGNATURES} - set(kinds())
    assert unknown == {"collapse", "let", "lug"}


def test_let_go_is_one_verb() -> None:
    query = parse("the man lets go of the rope and falls")
    assert [action.word for action in query.actions] == ["lets", "falls"]
    assert query.local_phrases == ("the man lets go", "the man falls")


def test_who_does_not_let_go_has_no_such_moment() -> None:
    assert parse("the man does not let go of the dog").actions == ()

"""Ranking, spans and cutting on tubelets whose answers are known by construction."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cospal_cli.core.colours import NAMES, REGIONS, parse_colour
from cospal_cli.core.frames import Timeline
from cospal_cli.core.query import Action, Attribute, Query
from cospal_cli.core.tube import Tube
from cospal_cli.core.tubelets import BoxColours, Tubelet
from cospal_cli.ranking import w_gdino, zero_shot
from cospal_cli.ranking.candidates import Candidate, candidates
from cospal_cli.ranking.cut import cut
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.method import Method, tubes_of
from cospal_cli.ranking.moments import stretches
from cospal_cli.settings import GroundConfig

CLASSES = ("person", "car", "dog")
SIZE = (640, 360)
FPS = 30
TIMELINE = Timeline(
    np.arange(300), np.arange(300) * 512, np.arange(300) / FPS, end_s=10.0
)  # ten seconds


def tubelet(
    number: int,
    label: str = "person",
    *,
    start: float = 0.0,
    end: float = 9.9,
    x: Callable[[np.ndarray], np.ndarray] | float = 300.0,
    height: float = 150.0,
    upper: str = "gray",
    lower: str = "black",
) -> Tubelet:
    times = np.round(np.arange(start, end + 1e-6, 0.1), 3)
    n = len(times)
    left = x(times) if callable(x) else np.full(n, x)
    boxes = np.stack([left, np.full(n, 100.0), left + height / 2, np.full(n, 100 + height)], 1)
    colours = np.zeros((n, len(REGIONS), len(NAMES)), np.uint8)
    for region, name in (("upper", upper), ("lower", lower), ("whole", upper)):
        colours[:, REGIONS.index(region), NAMES.index(name)] = 200
    scores = np.full(len(CLASSES), 0.01, np.float32)
    scores[CLASSES.index(label)] = 0.7
    return Tubelet(
        number, np.round(times * FPS).astype(np.int64), times, boxes.astype(np.float32),
        np.full(n, 0.7, np.float32), np.ones(n, bool), scores,
        colours=BoxColours(colours, np.zeros((n, 12, 12), np.uint8)), track_ids=(number,),
    )  # fmt: skip


def ranked_by(
    method: Method, field: Sequence[Candidate], query: Query, evidence: Evidence, **settings: Any
) -> list[Tube]:
    config = GroundConfig(**({"min_match": 0.0} | settings))
    return tubes_of(method(field, query, evidence, config), query, evidence, config)


def run(tubelets: Sequence[Tubelet], query: Query, **settings: object) -> list[Tube]:
    field = candidates(tubelets, SIZE, TIMELINE)
    return ranked_by(zero_shot.rank, field, query, Evidence(TIMELINE, CLASSES), **settings)


def ask(**parts: object) -> Query:
    return Query("a test", "a test", "man", **({"classes": {"person": 1.0}} | parts))


def wearing(colour: str, region: str) -> Attribute:
    return Attribute(colour, "colour", region, values=parse_colour([colour]) or {})


def test_class_decides() -> None:
    tubes = run(
        [tubelet(1, "car", height=300), tubelet(2, "dog", height=40)], ask(classes={"dog": 1})
    )
    assert [tube.id for tube in tubes] == [2]
    assert tubes[0].detected == "dog"


def test_nothing_of_the_class_is_no_match() -> None:
    assert run([tubelet(1, "car")], ask(classes={"dog": 1})) == []
    assert run([], ask()) == []


def test_any_class_when_the_noun_is_unknown() -> None:
    assert [t.id for t in run([tubelet(1, "car")], ask(classes={}))] == [1]


@pytest.mark.parametrize(("region", "winner"), [("upper", 1), ("lower", 2)])
def test_colour_binds_to_its_region(region: str, winner: int) -> None:
    rivals = [tubelet(1, upper="red", lower="black"), tubelet(2, upper="gray", lower="red")]
    assert run(rivals, ask(attributes=(wearing("red", region),)))[0].id == winner


@pytest.mark.parametrize(("place", "winner"), [("left", 1), ("middle", 2), ("right", 3)])
def test_position(place: str, winner: int) -> None:
    row = [tubelet(1, x=20.0), tubelet(2, x=290.0), tubelet(3, x=540.0)]
    assert run(row, ask(positions=(place,)))[0].id == winner


@pytest.mark.parametrize(("words", "winner"), [("small", 1), ("big", 2)])
def test_size_words(words: str, winner: int) -> None:
    pair = [tubelet(1, height=110, x=100.0), tubelet(2, height=150)]
    assert run(pair, ask(attributes=(Attribute(words, "size"),)))[0].id == winner


def test_still_against_moving() -> None:
    pair = [tubelet(1), tubelet(2, x=lambda t: 40 + 50 * t)]
    assert run(pair, ask(actions=(Action("stands", "still"),)))[0].id == 1
    assert run(pair, ask(actions=(Action("walks", "move"),)))[0].id == 2


@pytest.mark.parametrize(("direction", "winner"), [("left", 1), ("right", 2)])
def test_direction(direction: str, winner: int) -> None:
    pair = [tubelet(1, x=lambda t: 540 - 50 * t), tubelet(2, x=lambda t: 40 + 50 * t)]
    assert run(pair, ask(actions=(Action("walks", "move", (direction,)),)))[0].id == winner


def test_enter_and_leave() -> None:
    pair = [tubelet(1, end=5.0), tubelet(2, start=5.0)]
    assert run(pair, ask(actions=(Action("leaves", "move", ("out",)),)))[0].id == 1
    assert run(pair, ask(actions=(Action("enters", "move", ("in",)),)))[0].id == 2


def walks_late(times: np.ndarray) -> np.ndarray:
    return np.where(times < 6, 100, 100 + 100 * (times - 6))


def test_movement_verb_trims_the_still_part() -> None:
    (tube,) = run([tubelet(1, x=walks_late)], ask(actions=(Action("walks", "move", ("right",)),)))
    assert tube.span_s == pytest.approx((6.0, 9.95), abs=0.35)


@pytest.mark.parametrize("kind", ["limb", "still", "talk", "unknown"])
def test_other_verbs_keep_the_whole_tubelet(kind: str) -> None:
    (tube,) = run([tubelet(1, x=walks_late)], ask(actions=(Action("does", kind),)))
    assert tube.span_s == pytest.approx((0, 9.95), abs=0.05)


def test_last_verb_bounds_only_the_end() -> None:
    stops = tubelet(1, x=lambda t: 100 + 100 * np.minimum(t, 4))
    actions = (Action("waves", "limb"), Action("walks", "move", ("right",)))
    (tube,) = run([stops], ask(actions=actions))
    assert tube.span_s == pytest.approx((0, 4), abs=0.35)


def test_looks_are_asked_lazily_and_decide() -> None:
    asked: list[int] = []

    def appearance_of(candidate: object) -> np.ndarray:
        asked.append(candidate.tubelet.id)  # type: ignore[attr-defined]
        probabilities = np.zeros(1000, np.float32)
        probabilities[834] = 0.8 if candidate.tubelet.id == 2 else 0.0  # type: ignore[attr-defined]
        return probabilities

    people = [tubelet(1), tubelet(2), tubelet(3, "car")]
    field, config = candidates(people, SIZE, TIMELINE), GroundConfig()
    evidence = Evidence(TIMELINE, CLASSES, appearance_of)
    zero_shot.rank(field, ask(), evidence, config)
    assert asked == []
    query = ask(appearance={"suit": {834: 1.0}})
    (tube,) = tubes_of(zero_shot.rank(field, query, evidence, config), query, evidence, config)
    assert tube.id == 2
    assert set(asked) == {1, 2}  # the car is out of the race


def test_why_adds_up_and_top_k_is_ranked() -> None:
    pair = [tubelet(1, upper="red"), tubelet(2, upper="green")]
    tubes = run(pair, ask(attributes=(wearing("red", "upper"),)), top_k=5)
    assert [t.id for t in tubes] == [1, 2]
    assert sum(t.score for t in tubes) == pytest.approx(1)
    gap = sum(tubes[0].why.values()) - sum(tubes[1].why.values())
    assert np.exp(gap) == pytest.approx(tubes[0].score / tubes[1].score, rel=1e-4)


def test_cut_gives_every_source_frame_one_box() -> None:
    moving = tubelet(1, start=2.0, end=4.0, x=lambda t: 100 * t)
    tube = cut(moving, (2.5, 3.5), TIMELINE, score=1)
    assert tube.frame_indices.tolist() == list(range(75, 105))
    assert tube.boxes_xyxy[:, 0] == pytest.approx(100 * tube.times_s, abs=1e-3)
    assert tube.span_s == pytest.approx((2.5, 3.5))
    assert (~tube.interpolated).sum() == 10  # sampled at 10 of the 30 frames


def test_cut_of_a_sliver_keeps_the_nearest_frame() -> None:
    tube = cut(tubelet(1), (5.001, 5.002), TIMELINE, score=1)
    assert tube.frame_indices.tolist() == [150]


def test_stretches_join_over_short_pauses() -> None:
    on = np.array([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1], bool)
    assert stretches(on, np.arange(11) * 0.2) == [(1, 6), (10, 11)]
    assert stretches(on, np.arange(11) * 0.5) == [(1, 3), (5, 6), (10, 11)]
    assert stretches(on[:1], np.zeros(1)) == []


def there_and_back(times: np.ndarray) -> np.ndarray:
    return 50 + 100 * (np.clip(times, 0, 2) + np.clip(times - 8, 0, 2))


@pytest.mark.parametrize(("direction", "span"), [("to", (0, 2.5)), ("away", (8, 9.95))])
def test_arrivals_are_first_and_departures_last(direction: str, span: tuple) -> None:
    query = ask(actions=(Action("walks", "move", (direction,)),))
    (tube,) = run([tubelet(1, x=there_and_back)], query)
    assert tube.span_s == pytest.approx(span, abs=0.35)


def test_min_score_keeps_only_likely_tubes() -> None:
    pair = [tubelet(1, upper="red"), tubelet(2, upper="green")]
    query = ask(attributes=(wearing("red", "upper"),))
    assert [t.id for t in run(pair, query, top_k=5, min_score=0.5)] == [1]
    assert run(pair, query, min_score=1.0) == []


def test_a_part_detected_beside_its_whole_stands_behind_it() -> None:
    whole = tubelet(1, height=150)
    part = tubelet(2, end=4.0, height=120)
    apart = tubelet(3, end=4.0, height=120, x=500.0)
    other = tubelet(4, "car", end=4.0, height=120)
    field = candidates([whole, part, apart, other], SIZE, TIMELINE)
    assert [c.echo for c in field] == [False, True, False, False]
    assert run([part, whole], ask())[0].id == 1


def test_another_thing_with_a_trace_of_the_class_is_no_match() -> None:
    scores = np.array([0.6, 0.12, 0.01], np.float32)  # mostly a person
    trace = replace(tubelet(1), label_scores=scores)
    assert run([trace], ask(classes={"car": 1.0})) == []
    assert run([trace], ask(classes={"person": 1.0}))[0].id == 1


@pytest.mark.parametrize(("rank", "winner"), [("first", 1), ("last", 2), ("tallest", 2)])
def test_ranks_in_time_and_height(rank: str, winner: int) -> None:
    pair = [tubelet(1, end=6.0, height=140, x=50.0), tubelet(2, start=3.0, x=400.0)]
    assert run(pair, ask(positions=(rank,)))[0].id == winner


def test_near_rivals_are_not_at_opposite_ends() -> None:
    pair = [tubelet(1, x=300.0, upper="red"), tubelet(2, x=312.0, upper="green")]
    query = ask(positions=("right",), attributes=(wearing("red", "upper"),))
    assert run(pair, query)[0].id == 1


def referred(one: Tubelet, score: float) -> Tubelet:
    """``one`` as a prompted detector sees it: every box fits the referral by ``score``."""
    return replace(one, referral=np.full(len(one), score, np.float32))


def test_the_referral_takes_the_place_of_the_class() -> None:
    pair = [referred(tubelet(0), 0.3), referred(tubelet(1, x=100.0), 0.8)]
    best = run(pair, ask())[0]
    assert best.id == 1
    assert "class" not in best.why
    assert best.why["referral"] == pytest.approx(1.5 * np.log(0.82), abs=1e-5)


def test_a_prompted_detector_counts_in_the_sentences_own_nouns() -> None:
    unnamed = ask(classes={"bench": 1.0, "chair": 1.0})  # neither is what it was asked for
    pair = [referred(tubelet(0, "car"), 0.9), referred(tubelet(1), 0.4)]
    assert [tube.id for tube in run(pair, unnamed, top_k=2)] == [1]


def baseline(tubelets: Sequence[Tubelet], query: Query, **settings: object) -> list[Tube]:
    field = candidates(tubelets, SIZE, TIMELINE)
    return ranked_by(w_gdino.rank, field, query, Evidence(TIMELINE, CLASSES), **settings)


def test_w_gdino_takes_the_surest_tubelet_for_its_whole_life() -> None:
    weak, sure = referred(tubelet(0, end=9.0), 0.3), referred(tubelet(1, start=2, end=5), 0.5)
    walking = ask(
        actions=(Action("walks", "move", ("left",)),), attributes=(wearing("red", "upper"),)
    )
    best, second = baseline([weak, sure], walking, top_k=2)
    assert (best.id, second.id) == (1, 0)
    assert best.score == pytest.approx(0.5)
    assert best.span_s == pytest.approx((1.95, 5.05), abs=0.04)
    assert set(best.why) == {"referral"}
    assert (best.match, second.match) == pytest.approx((0.5, 0.3))  # absolute as they are


def test_w_gdino_means_over_observed_frames_only() -> None:
    seen = np.arange(100) % 2 == 0
    flicker = replace(
        tubelet(0), observed=seen, colours=None, referral=np.linspace(0, 1, 50, dtype=np.float32)
    )
    assert baseline([flicker], ask())[0].score == pytest.approx(0.5)


def test_w_gdino_without_a_prompted_detector_falls_back_to_the_class() -> None:
    found = baseline([tubelet(0, "car"), tubelet(1)], ask(), top_k=5)
    assert [tube.id for tube in found] == [1, 0]
    assert found[0].score == pytest.approx(0.7)
    assert set(found[0].why) == {"class"}
    assert baseline([tubelet(0, "car")], ask(), min_score=0.1) == []
    assert [tube.id for tube in baseline([tubelet(3, "car")], ask(classes={}))] == [3]
    assert baseline([], ask()) == []

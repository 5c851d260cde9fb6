"""``match``: absolute, so that an absent subject is refused, and every present one returned."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cospal_cli import Grounder, ground
from cospal_cli.cli import run as cospal
from cospal_cli.core.query import Action, Query
from cospal_cli.outputs import tube_json
from cospal_cli.ranking import match, open_method, zero_shot
from cospal_cli.ranking.candidates import candidates
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.method import closest, tubes_of
from cospal_cli.settings import Config, GroundConfig
from tests.test_ground import CLASSES, SIZE, TIMELINE, ask, referred, tubelet, wearing
from tests.test_outputs_tube_json import check, make, make_tube

VIDEO = Path(__file__).parent.parent / "examples" / "bikes.mp4"
SECOND = ["--start", "3s", "--duration", "1s"]
LEAST = match.calibration().least


def matched(one: Any, query: Query, *others: Any) -> float:
    field = candidates([one, *others], SIZE, TIMELINE)
    evidence = Evidence(TIMELINE, CLASSES, everything=field)
    return float(match.match(field, query, evidence)[0])


def answer(tubelets: list, query: Query, method: str = "zero-shot", **settings: Any) -> list:
    field = candidates(tubelets, SIZE, TIMELINE)
    evidence = Evidence(TIMELINE, CLASSES, everything=field)
    config = GroundConfig(method=method, **settings)
    return tubes_of(open_method(method)(field, query, evidence, config), query, evidence, config)


RED = ask(attributes=(wearing("red", "upper"),))
ALL_RED = ask(attributes=(wearing("red", "upper"), wearing("red", "lower")))


def test_a_single_candidate_is_not_certain() -> None:
    (right,) = answer([tubelet(1, upper="red")], RED, min_match=0.0)
    (wrong,) = answer([tubelet(1, upper="green")], RED, min_match=0.0)
    assert right.score == wrong.score == 1
    assert LEAST < right.match < 1
    assert wrong.match < right.match / 3
    assert matched(tubelet(1, upper="green"), ALL_RED) < LEAST
    assert wrong.match < LEAST  # nothing red at all
    assert answer([tubelet(1, upper="green")], RED) == []


def test_it_does_not_depend_on_the_others_nor_on_the_method() -> None:
    alone = matched(tubelet(1, upper="red"), RED)
    assert alone == matched(tubelet(1, upper="red"), RED, tubelet(2), tubelet(3, "car", x=50.0))
    pair = [tubelet(1, upper="red"), tubelet(2, x=50.0)]
    for method in ("zero-shot", "w-gdino", "largest", "random"):
        tubes = answer(pair, RED, method, top_k=2, min_match=0.0)
        assert {t.id: t.match for t in tubes}[1] == pytest.approx(alone), method


def test_weights_of_the_ranking_do_not_change_it() -> None:
    (tube,) = answer([tubelet(1, upper="red")], RED, colour_weight=0.0, prior_weight=9.0)
    assert tube.match == pytest.approx(matched(tubelet(1, upper="red"), RED))


def shares(person: float, car: float, dog: float) -> Any:
    return replace(tubelet(1), label_scores=np.array([person, car, dog], np.float32))


def test_more_evidence_never_lowers_it() -> None:
    by_class = [matched(shares(p, 0.6, 0.1), ask(classes={"person": 1, "car": 0.1}))
                for p in (0.1, 0.2, 0.4, 0.6, 0.8)]  # fmt: skip
    assert by_class == sorted(by_class)
    assert by_class[0] < by_class[-1]
    walks = ask(actions=(Action("walks", "move", ("left",)),))
    by_motion = [matched(tubelet(1, x=lambda t, v=v: 500 - v * t), walks) for v in (0, 10, 20, 40)]
    assert by_motion == sorted(by_motion)
    assert by_motion[0] < by_motion[-1]
    fitted = match.calibration()
    signs = dict(zip(match.FEATURES, fitted.weights.tolist(), strict=True))
    assert all(signs[name] >= 0 for name in match.RISING)
    assert all(signs[name] <= 0 for name in match.FALLING)


def test_a_thing_beside_the_subject_that_the_video_does_not_show_counts_against() -> None:
    beside = ask(context={"car": {"car": 1.0}})
    unknown = ask(context={"road": {}})  # no detector class: nothing to miss
    there = tubelet(2, "car", x=310.0)
    assert matched(tubelet(1), beside) < matched(tubelet(1), beside, there)
    assert matched(tubelet(1), unknown) == matched(tubelet(1), ask())


@pytest.mark.parametrize(
    ("label", "classes", "other"),
    [
        ("dog", {"person": 1.0}, True),
        ("car", {"person": 1.0}, True),
        ("person", {"person": 1.0}, False),
        ("car", {"dog": 1.0, "car": 0.3}, False),  # easily taken for each other
        ("car", {}, False),  # anything may be meant
    ],
)
def test_another_sort_of_thing_is_excluded(label: str, classes: dict, other: bool) -> None:
    assert (matched(tubelet(1, label), ask(classes=classes)) == 0) is other


def test_a_bear_with_a_trace_of_a_man_is_no_man() -> None:
    bear = shares(0.25, 0.01, 0.6)
    query = ask()
    assert answer([bear], query) == []
    (best,) = answer([bear], query, min_match=0.0)
    assert (best.score, best.match) == (1.0, 0.0)
    near = shares(0.45, 0.01, 0.6)  # a person in an odd posture: the detector wavers
    assert answer([near], query)[0].match > 0


def test_a_prompted_detector_says_it_itself() -> None:
    assert matched(referred(tubelet(1), 0.35), RED) == pytest.approx(0.35)


def test_a_subject_without_a_class_needs_the_classifiers_word() -> None:
    query = ask(classes={}, appearance={"brown bear": {294: 1.0}})
    query = replace(query, subject="brown bear")
    field = candidates([tubelet(1)], SIZE, TIMELINE)
    chances = []
    for chance in (0.0, 0.2, 0.9):
        row = np.zeros(1000, np.float32)
        row[294] = chance
        evidence = Evidence(TIMELINE, CLASSES, lambda _, row=row: row)
        chances.append(float(match.match(field, query, evidence)[0]))
    assert chances[0] < LEAST < chances[1] <= chances[2]


def test_min_match_refuses_and_says_what_was_closest() -> None:
    field = candidates([tubelet(1, upper="green")], SIZE, TIMELINE)
    evidence = Evidence(TIMELINE, CLASSES, everything=field)
    ranked = zero_shot.rank(field, ALL_RED, evidence, GroundConfig())
    assert tubes_of(ranked, ALL_RED, evidence, GroundConfig()) == []
    assert tubes_of(ranked, ALL_RED, evidence, GroundConfig(min_match=1.0)) == []
    near = closest(ranked, ALL_RED, evidence, GroundConfig(min_match=1.0, min_score=1.0))
    assert near is not None
    assert (near.id, near.detected) == (1, "person")
    nothing = zero_shot.rank(field, ask(classes={"car": 1}), evidence, GroundConfig())
    assert closest(nothing, ALL_RED, evidence, GroundConfig()) is None


def test_all_returns_every_one_that_matches_and_no_part_twice() -> None:
    team = [
        tubelet(1, upper="red"), tubelet(2, upper="red", x=100.0), tubelet(3, upper="green", x=500),
        tubelet(4, upper="red", height=120, end=4.0),  # a part of the first
    ]  # fmt: skip
    assert len(answer(team, RED)) == 1
    assert sorted(t.id for t in answer(team, RED, all=True)) == [1, 2]
    assert sorted(t.id for t in answer(team, RED, all=True, min_match=0.0)) == [1, 2, 3]
    assert answer(team, RED, all=True, min_match=1.0) == []
    scores = [t.score for t in answer(team, RED, all=True)]
    assert scores == sorted(scores, reverse=True)


def test_every_term_of_the_ranking_is_judged_or_left_out_on_purpose() -> None:
    relative = {"position", "prior", "pattern"}  # compared within a video
    names = {"looks": "appearance", "relation": "company"}
    query = ask(appearance={"suit": {834: 1.0}})
    field = candidates([tubelet(1)], SIZE, TIMELINE)
    evidence = Evidence(TIMELINE, CLASSES, lambda _: np.zeros(1000, np.float32))
    why = zero_shot.rank(field, query, evidence, GroundConfig()).why
    assert {names.get(name, name) for name in why} - relative <= set(match.FEATURES)


def test_documents_carry_it_and_confidence_for_old_readers() -> None:
    document = check(make([make_tube(match=0.375)]))
    (tube,) = document["tubes"]
    assert tube["match"] == tube["confidence"] == 0.375
    (read,) = tube_json.load_tubes(document)
    assert read.match == read.confidence == 0.375
    del tube["match"]  # as 0.1 wrote it
    assert tube_json.load_tubes(check(document))[0].match == 0.375
    tube["match"] = 0.5
    del tube["confidence"]  # as a later version may
    assert tube_json.load_tubes(document)[0].match == 0.5


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example clip's document and pictures of a subject that it does not show."""
    folder = tmp_path_factory.mktemp("empty")
    arguments = ["ground", str(VIDEO), "the zebra next to the elephant", "-o", str(folder)]
    assert cospal([*arguments, *SECOND]) == 0
    return folder


def test_an_absent_subject_is_no_match(empty: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (written,) = empty.glob("*.json")
    document = check(json.loads(written.read_text("utf-8")))
    assert document["tubes"] == []
    assert next(empty.glob("*.mp4")).stat().st_size > 1000
    arguments = ["ground", str(VIDEO), "the zebra", *SECOND, "--json"]
    assert cospal([*arguments, "--fail-on-empty"]) == 7
    assert "no match" in capfd.readouterr().err


def test_the_closest_is_named_on_stderr_and_in_the_json(capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["ground", str(VIDEO), "the man", "--min-match", "1", *SECOND, "--json"]
    assert cospal(arguments) == 0
    out, err = capfd.readouterr()
    document = check(json.loads(out))
    assert document["tubes"] == []
    assert document["closest"]["detected"] == "person"
    assert 0 < document["closest"]["match"] < 1
    assert "no match; the closest is a person, 3." in err


def test_plural_sentences_get_all_without_the_warning(capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["ground", str(VIDEO), "the people", *SECOND, "--json"]
    assert cospal(arguments) == 0
    assert "--all" in capfd.readouterr().err
    assert cospal([*arguments, "--all"]) == 0
    out, err = capfd.readouterr()
    assert "one subject is returned" not in err
    assert len(json.loads(out)["tubes"]) > 1


def test_results_from_python() -> None:
    result = ground(VIDEO, "the man", video__start="3s", video__duration="1s")
    assert result.match == result[0].match > 0
    assert result.closest is None
    refused = Grounder(
        replace(result.config, ground=replace(result.config.ground, min_match=1.0))
    ).answer(result.observation, "the man")
    assert (refused.match, len(refused)) == (0.0, 0)
    assert refused.closest is not None
    assert refused.closest.id == result[0].id


def test_evaluation_scores_every_answer() -> None:
    assert Config().ground.min_match is None
    source = Path(ground.__code__.co_filename).with_name("predict.py").read_text("utf-8")
    assert "min_match=0.0" in source

"""What trained heads say becomes tubes: ranking, segments, and what the heads are asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from cospal_cli.core.errors import UsageError
from cospal_cli.core.grounding import GroundingInputs, GroundingScores
from cospal_cli.core.observation import HeadFeatures, TimeSpan
from cospal_cli.core.phrases import Phrase, Phrases
from cospal_cli.core.query import Query
from cospal_cli.core.tube import Tube
from cospal_cli.core.tubelets import Tubelet
from cospal_cli.model.metadata import HeadsMetadata, Sizes
from cospal_cli.ranking import baselines, cospal, open_method, prediction
from cospal_cli.ranking.candidates import candidates
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.method import tubes_of
from cospal_cli.ranking.prediction import HeadScores
from cospal_cli.ranking.segment import overlaps, segment
from cospal_cli.settings import GroundConfig, ModelConfig, SettingError, TemporalConfig
from tests.test_ground import CLASSES, SIZE, TIMELINE, tubelet

QUERY = Query("a man walks", "a man", "man", {"person": 1.0})


def scores(
    tubelets: Sequence[float], proposals: Sequence[tuple[float, float]], told: Sequence[float]
) -> GroundingScores:
    return GroundingScores(
        np.array(tubelets, np.float32),
        np.array(proposals, np.float32).reshape(-1, 2),
        np.array(told, np.float32),
    )


def run(
    tubelets: Sequence[Tubelet],
    answer: HeadScores | None,
    method: str = "cospal",
    **settings: object,
) -> list[Tube]:
    field = candidates(tubelets, SIZE, TIMELINE)
    evidence = Evidence(TIMELINE, CLASSES, prediction=answer)
    config = GroundConfig(**({"min_match": 0.0} | settings))
    ranked = open_method(method)(field, QUERY, evidence, config)
    return tubes_of(ranked, QUERY, evidence, config)


def test_the_best_tubelet_is_cut_to_the_best_segment() -> None:
    answer = HeadScores((1, 2), scores([0.2, 0.8], [(0.1, 0.9), (0.3, 0.5)], [0.4, 0.6]))
    (tube,) = run([tubelet(1), tubelet(2, x=50.0)], answer)
    assert tube.id == 2
    assert tube.span_s == pytest.approx((3.0, 5.0), abs=0.04)
    assert tube.score == pytest.approx(0.8)
    assert tube.why == pytest.approx({"tubelet": np.log(0.8), "segment": np.log(0.6)}, abs=1e-5)


def test_the_order_is_by_score() -> None:
    answer = HeadScores((1, 2, 3), scores([0.2, 0.5, 0.3], [(0, 1)], [1]))
    tubes = run([tubelet(3), tubelet(1), tubelet(2)], answer, top_k=5)
    assert [tube.id for tube in tubes] == [2, 3, 1]
    assert [t.id for t in run([tubelet(1), tubelet(2)], answer, top_k=5, min_score=0.6)] == [2]


def test_a_tubelet_is_cut_to_the_part_of_the_segment_in_which_it_is_there() -> None:
    answer = HeadScores((1,), scores([1.0], [(0.2, 0.9)], [1]))
    (tube,) = run([tubelet(1, start=4.0, end=6.0)], answer)
    assert tube.span_s == pytest.approx((3.95, 6.05), abs=0.04)


def test_where_they_never_meet_the_segment_stays_with_the_nearest_boxes() -> None:
    late = tubelet(1, start=6.0, end=8.0, x=lambda t: 20 * t)
    (tube,) = run([late], HeadScores((1,), scores([1.0], [(0.1, 0.2)], [1])))
    assert tube.span_s == pytest.approx((1.0, 2.0), abs=0.04)
    assert tube.boxes_xyxy[:, 0] == pytest.approx(120)


def test_time_first_leaves_out_who_is_not_there() -> None:
    early, late = tubelet(1, end=3.0), tubelet(2, start=5.0)
    other = tubelet(3, start=4.0, x=50.0)
    answer = HeadScores((1, 2, 3), scores([0.6, 0.3, 0.1], [(0.6, 0.9)], [1]))
    field = [early, late, other]
    assert run(field, answer)[0].id == 1
    tubes = run(field, answer, temporal_first=True, top_k=3)
    assert [tube.id for tube in tubes] == [2, 3]
    assert [tube.score for tube in tubes] == pytest.approx([0.75, 0.25])
    assert run([early], answer, temporal_first=True)[0].id == 1  # nobody is: better than nothing


def test_what_the_heads_did_not_see_is_out() -> None:
    answer = HeadScores((2,), scores([1.0], [(0, 1)], [1]))
    assert [t.id for t in run([tubelet(1), tubelet(2)], answer, top_k=5)] == [2]


def test_without_heads_it_says_what_is_needed() -> None:
    with pytest.raises(UsageError, match="needs trained heads"):
        run([tubelet(1)], None)
    assert run([], None) == []


PROPOSALS = [(0.0, 0.1), (0.4, 0.8), (0.5, 0.8), (0.45, 0.9)]


def test_best_is_the_one_told_best() -> None:
    answer = HeadScores((1,), scores([1], PROPOSALS, [0.5, 0.2, 0.2, 0.1]))
    assert segment(answer, "best", TIMELINE)[0] == pytest.approx((0.0, 1.0))


def test_the_vote_goes_to_the_middle_of_the_crowd() -> None:
    answer = HeadScores((1,), scores([1], PROPOSALS, [0.5, 0.2, 0.2, 0.1]))
    when, told = segment(answer, "vote", TIMELINE)
    assert when == pytest.approx((4.0, 8.0))
    assert told == pytest.approx(np.log(0.2))


def test_a_tied_vote_goes_to_the_one_told_better() -> None:
    answer = HeadScores((1,), scores([1], [(0.1, 0.2), (0.6, 0.7)], [0.3, 0.7]))
    assert segment(answer, "vote", TIMELINE)[0] == pytest.approx((6.0, 7.0))


def test_the_hull_goes_around_the_parts() -> None:
    whole = scores([1], [(0.0, 1.0)], [1])
    parts = scores([1], PROPOSALS, [0.1, 0.7, 0.1, 0.1]), scores([1], PROPOSALS, [0, 0, 0, 1])
    when, told = segment(HeadScores((1,), whole, parts), "hull", TIMELINE)
    assert when == pytest.approx((4.0, 9.0))
    assert told == pytest.approx(np.log(0.7))
    assert segment(HeadScores((1,), whole), "hull", TIMELINE)[0] == pytest.approx((0, 10))


def test_the_blind_rule_listens_to_nobody() -> None:
    for proposals in (PROPOSALS, PROPOSALS[:1]):
        answer = HeadScores((1,), scores([1], proposals, [1] + [0] * (len(proposals) - 1)))
        assert segment(answer, "blind", TIMELINE)[0] == pytest.approx((1.5, 8.5))


def test_segments_stay_inside_the_video_and_count_from_its_first_frame() -> None:
    later = replace(TIMELINE, times_s=TIMELINE.times_s + 20, end_s=30.0)
    answer = HeadScores((1,), scores([1], [(-0.2, 0.5)], [1]))
    assert segment(answer, "best", later)[0] == pytest.approx((20.0, 25.0))


def test_overlaps_are_those_of_intervals() -> None:
    found = overlaps(np.array([(0.0, 0.5), (0.25, 0.75), (0.8, 0.8)]))
    np.testing.assert_allclose(found[:2, :2], [[1, 1 / 3], [1 / 3, 1]])
    np.testing.assert_array_equal(found[2], 0)


class Recorder:
    """A runtime that remembers what it was asked and answers by the number of words."""

    def __init__(self, words: Sequence[str] = ("man", "walks")) -> None:
        sizes = Sizes(tubelets=3, clips=4, words=2, vocabulary=len(words) + 1)
        self.metadata = HeadsMetadata(
            sizes, ModelConfig(), {}, tuple(words), temporal=TemporalConfig(hidden="words")
        )
        self.asked: list[GroundingInputs] = []

    def run(self, inputs: GroundingInputs) -> GroundingScores:
        self.asked.append(inputs)
        return scores([0.5, 0.5], [(0, len(inputs.words) / 10)], [1])


def phrase(*words: str) -> Phrase:
    n = len(words)
    return Phrase(words, np.ones((n, 2), np.float32), np.zeros(n, bool), np.ones(n, bool))


PHRASES = Phrases(
    phrase("a", "man", "walks", "and", "sits"),
    phrase("man", "sits", "man", "walks"),
    (phrase("man", "walks"), phrase("man", "sits", "sits")),
)


def view(f: int = 3, c: int = 4) -> HeadFeatures:
    features = np.zeros((2, 5, f), np.float32)
    return HeadFeatures((4, 7), features, np.ones((2, 5), bool), np.zeros((6, c), np.float32))


def test_the_refined_query_is_read_unless_the_sentence_is_asked_for() -> None:
    runtime = Recorder()
    answer = prediction.run(runtime, view(), PHRASES, GroundConfig())
    assert answer is not None
    assert (answer.ids, answer.parts, answer.unknown) == ((4, 7), (), ("sits",))
    assert [len(one.words) for one in runtime.asked] == [4]
    assert runtime.asked[0].word_ids.tolist() == [1, 0, 1, 2]
    answer = prediction.run(runtime, view(), PHRASES, GroundConfig(query_form="sentence"))
    assert answer is not None
    assert answer.unknown == ("a", "and", "sits")
    assert len(runtime.asked[1].words) == 5


def test_sub_phrases_are_asked_only_for_the_hull() -> None:
    runtime = Recorder()
    answer = prediction.run(runtime, view(), PHRASES, GroundConfig(segment="hull"))
    assert answer is not None
    assert [len(one.words) for one in runtime.asked] == [4, 2, 3]
    assert [part.proposals[0, 1] for part in answer.parts] == pytest.approx([0.2, 0.3])


def test_no_tubelet_no_answer() -> None:
    runtime = Recorder()
    assert prediction.run(runtime, replace(view(), ids=()), PHRASES, GroundConfig()) is None
    assert runtime.asked == []


@pytest.mark.parametrize(("sizes", "named"), [((9, 4), "tubelet"), ((3, 9), "clip")])
def test_other_lengths_are_refused_with_both_sides(sizes: tuple[int, int], named: str) -> None:
    with pytest.raises(UsageError, match=rf"a {named}'s features: .* vectors of \d, found 9"):
        prediction.run(Recorder(), view(*sizes), PHRASES, GroundConfig())


def test_heads_of_0_1_are_not_shown_the_motion_of_described_tubelets() -> None:
    runtime = Recorder()
    runtime.metadata = replace(
        runtime.metadata, features={"tubelets": {"name": "detector", "dim": 3}}
    )
    seen = replace(view(), tubelets=np.tile(np.arange(13, dtype=np.float32), (2, 5, 1)))
    assert prediction.run(runtime, seen, PHRASES, GroundConfig(segment="hull")) is not None
    for one in runtime.asked:
        np.testing.assert_array_equal(one.tubelets, seen.tubelets[..., :3])
    with pytest.raises(UsageError, match=r"a tubelet's features: .* vectors of 3, found 12"):
        prediction.run(runtime, view(12), PHRASES, GroundConfig())


def test_an_answer_as_json() -> None:
    answer = HeadScores(
        (4, 7), scores([0.25, 0.75], PROPOSALS[:2], [0.25, 0.75]), unknown=("sits",)
    )
    assert answer.as_dict(TimeSpan(2.0, 12.0)) == {
        "tubelets": [{"id": 7, "score": 0.75}, {"id": 4, "score": 0.25}],
        "proposals": [
            {"start_time": pytest.approx(6.0), "end_time": pytest.approx(10.0), "score": 0.75},
            {"start_time": pytest.approx(2.0), "end_time": pytest.approx(3.0), "score": 0.25},
        ],
        "parts": [],
        "unknown": ["sits"],
        "read": None,
    }


def test_the_largest_of_the_subjects_class() -> None:
    field = [tubelet(1, height=100), tubelet(2, height=180, end=3.0), tubelet(3, "car", height=220)]
    tubes = run(field, None, "largest", top_k=2)
    assert [tube.id for tube in tubes] == [2, 1]
    assert tubes[0].span_s == pytest.approx((0, 3.05), abs=0.04)
    assert run([field[2]], None, "largest")[0].id == 3


def test_random_answers_differ_by_seed_and_only_by_it() -> None:
    field = [tubelet(number, start=number / 2, end=9.0) for number in range(8)]
    first = [run(field, None, "random", seed=seed)[0].id for seed in range(40)]
    assert first == [run(field, None, "random", seed=seed)[0].id for seed in range(40)]
    assert set(first) == set(range(8))
    whole = run(field, None, "random", seed=3)[0]
    assert whole.span_s == pytest.approx((max(whole.id / 2 - 0.05, 0), 9.05), abs=0.04)


def test_random_segments_are_between_two_even_times() -> None:
    spans = [run([tubelet(1)], None, "random-segment", seed=seed)[0].span_s for seed in range(300)]
    lengths = np.diff(spans, axis=1)
    assert lengths.mean() == pytest.approx(10 / 3, abs=0.4)  # that of two uniform numbers
    assert np.mean(spans) == pytest.approx(5, abs=0.4)


def test_baselines_of_an_empty_field() -> None:
    evidence = Evidence(TIMELINE, CLASSES)
    for method in (baselines.random, baselines.random_segment, baselines.largest, cospal.rank):
        ranked = method([], QUERY, evidence, GroundConfig())
        assert tubes_of(ranked, QUERY, evidence, GroundConfig()) == []


@pytest.mark.parametrize("setting", [{"segment": "middle"}, {"query_form": "lips"}, {"seed": -1}])
def test_settings_are_checked(setting: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=f"ground.{next(iter(setting))}"):
        GroundConfig(**setting)

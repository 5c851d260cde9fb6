"""The whole way from a real clip to tubes, from Python as from the command line."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cospal_cli import ground
from cospal_cli.core.observation import Observation
from cospal_cli.grounder import Grounder
from cospal_cli.language.parser.parse import parse
from cospal_cli.outputs import tube_json
from cospal_cli.ranking.shared import Shared
from cospal_cli.result import Result
from cospal_cli.settings import Config

CLIP = Path(__file__).parent.parent / "examples" / "bikes.mp4"
CONFIG = replace(Config(), video=replace(Config().video, start="4.2s", end="5.4s"))


QUERY = "the cyclist in the black shirt"


@pytest.fixture(scope="module")
def grounder() -> Grounder:
    return Grounder.open(CONFIG)


@pytest.fixture(scope="module")
def seen(grounder: Grounder) -> Observation:
    return grounder.observe(CLIP)


@pytest.fixture
def shared(grounder: Grounder, seen: Observation) -> Shared:
    return Shared(seen, CONFIG, grounder._classify)


def test_the_cyclist_of_the_example(grounder: Grounder, seen: Observation) -> None:
    (tube,) = grounder.answer(seen, QUERY)
    assert (tube.label, tube.detected) == ("cyclist", "person")
    middle = tube.boxes_xyxy[len(tube.boxes_xyxy) // 2]
    np.testing.assert_allclose(middle, [345, 8, 482, 268], atol=25)
    assert tube.frame_indices.tolist() == list(
        range(tube.frame_indices[0], tube.frame_indices[-1] + 1)
    )


def test_appearance_is_kept_and_the_classifier_let_go(grounder: Grounder, shared: Shared) -> None:
    candidate = max(shared.candidates, key=lambda c: c.size)
    assert shared.appearance_of is not None
    kept = shared.appearance_of(candidate)
    assert kept.shape == (1000,)
    assert kept.sum() == pytest.approx(1, abs=1e-3)
    grounder.release()
    assert shared.appearance_of(candidate) is kept


def test_a_tubelet_without_pictures_has_no_looks(shared: Shared) -> None:
    candidate = shared.candidates[0]
    unseen = replace(candidate, tubelet=replace(candidate.tubelet, id=-1, track_ids=()))
    assert shared.appearance_of is not None
    assert shared.appearance_of(unseen).max() == 0


def test_stopping_ends_the_pass_early() -> None:
    stopped = Grounder.open().observe(CLIP, stopped=lambda: True)
    assert stopped.interrupted
    assert 0 < stopped.timeline.end_s < 3


def test_the_same_twice(grounder: Grounder, seen: Observation) -> None:
    again = grounder.observe(CLIP)
    assert len(again.tubelets) == len(seen.tubelets)
    for one, other in zip(seen.tubelets, again.tubelets, strict=True):
        np.testing.assert_array_equal(one.boxes_xyxy, other.boxes_xyxy)


def test_several_queries_and_what_a_result_tells(
    grounder: Grounder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = []
    observe = Grounder.observe
    monkeypatch.setattr(Grounder, "observe", lambda *a, **k: passes.append(1) or observe(*a, **k))
    reported: list[tuple[str, float]] = []
    first, second = grounder.ground(
        CLIP, [QUERY, "the woman sings"], lambda stage, done, total: reported.append((stage, done))
    )
    assert passes == [1]
    assert {stage for stage, _ in reported} == {"watch"}
    assert (first.status, first.query.text, len(first)) == ("complete", QUERY, 1)
    assert [*first] == [first[0]] == [*first.tubes]
    assert "sings" in second.unresolved
    document = first.document()
    assert document["tubes"][0]["score"] == pytest.approx(first[0].score, abs=1e-4)
    first.save_json(tmp_path / "a.json")
    assert tube_json.load_tubes(tmp_path / "a.json")[0].span_s == pytest.approx(first[0].span_s)
    assert first.save_video(tmp_path / "a.mp4")
    assert (tmp_path / "a.mp4").stat().st_size > 1000


def test_the_function_gives_the_same(grounder: Grounder, seen: Observation) -> None:
    found = ground(CLIP, QUERY, video__start="4.2s", video__end="5.4s")
    assert isinstance(found, Result)
    for one, other in zip(found, grounder.answer(seen, QUERY), strict=True):
        np.testing.assert_array_equal(one.boxes_xyxy, other.boxes_xyxy)
        assert one.score == other.score


def test_warnings_come_from_the_sentence_and_the_video(
    grounder: Grounder, seen: Observation
) -> None:
    query = replace(parse(QUERY), warnings=("a word",))
    noted = replace(seen, timeline=replace(seen.timeline, warnings=("a frame",)))
    assert grounder.answer(noted, query).warnings == ("a word", "a frame")


def test_without_a_detector_no_video_is_observed(seen: Observation) -> None:
    stored = Grounder(CONFIG)
    assert len(stored.answer(seen, QUERY)) == 1
    with pytest.raises(ValueError, match="detector"):
        stored.observe(CLIP)

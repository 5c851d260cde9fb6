"""The fair kind of the synthetic set: other actions, times anywhere, backgrounds; its controls."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from cospal_cli.core.errors import UsageError
from cospal_cli.datasets.synthetic import background
from cospal_cli.datasets.synthetic.actions import Act, timetable
from cospal_cli.datasets.synthetic.cast import cast, plan
from cospal_cli.datasets.synthetic.clothes import COLOURS, Outfit, Piece
from cospal_cli.datasets.synthetic.controls import blind_controls
from cospal_cli.datasets.synthetic.meaning import ambiguities
from cospal_cli.datasets.synthetic.recipe import MIXES, Recipe
from cospal_cli.datasets.synthetic.scene import Scene, compose
from cospal_cli.language.parser.parse import parse

FAIR = Recipe(seed=3, kind="fair", seconds=MIXES["fair"].seconds)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [compose(FAIR, number) for number in range(16)]


def test_every_sentence_means_one_actor_once(scenes: Sequence[Scene]) -> None:
    for scene in scenes:
        cast_ = [(actor.outfit, actor.acts) for actor in scene.actors]
        assert ambiguities(scene.meaning, cast_, 0) == []


def test_the_target_does_at_least_two_other_things(scenes: Sequence[Scene]) -> None:
    for scene in scenes:
        assert len(scene.actors[0].acts) - len(scene.meaning.kinds) >= 2


def test_the_parser_reads_the_acts_and_leaves_the_background_out(scenes: Sequence[Scene]) -> None:
    beside = [scene for scene in scenes if scene.background]
    assert 3 <= len(beside) < len(scenes)
    for scene in scenes:
        query = parse(scene.sentence)
        assert len(query.local_phrases) == len(query.actions) == len(scene.meaning.kinds)
        said = " ".join(query.local_phrases)
        assert not any(word in said for word in ("while", "next to", "near", "beside"))
        assert scene.background.casefold() in scene.sentence.casefold()


def test_most_sentences_have_one_to_three_acts_and_some_background() -> None:
    plans = [plan(FAIR, np.random.default_rng(seed)) for seed in range(300)]
    assert all(14 <= one.seconds <= 22 for one in plans)
    assert np.mean([one.actions <= 3 for one in plans]) > 0.85


@pytest.mark.parametrize("seconds", [(4.0, 4.0), (4.0, 6.0)])
def test_short_videos_have_what_they_have_time_for(seconds: tuple[float, float]) -> None:
    recipe = Recipe(kind="fair", seconds=seconds)
    for seed in range(50):
        rng = np.random.default_rng(seed)
        settled = plan(recipe, rng)
        assert seconds[0] <= settled.seconds <= seconds[1]
        cast(recipe, settled, rng)


def test_loose_acts_lie_anywhere_and_named_ones_close_together() -> None:
    kinds, starts = ("jump", "wave", "spin", "crouch"), []
    for seed in range(200):
        acts = timetable(kinds, 300, 10, (), np.random.default_rng(seed), close=range(1, 2))
        assert acts is not None
        pauses = [two.start - one.end for one, two in pairwise(acts)]
        assert pauses[1] <= 10
        assert acts[-1].end <= 299
        starts.append((acts[1].start + acts[2].end) / 600)
    assert np.std(starts) > 0.12


def test_a_set_of_0_1_can_be_continued() -> None:
    assert "kind" not in Recipe().as_dict()
    assert Recipe(kind="fair").as_dict()["kind"] == "fair"
    with pytest.raises(UsageError, match="--kind 'hard' is not known"):
        Recipe(kind="hard")


def test_backgrounds_say_what_is_true() -> None:
    outfit = Outfit(
        "woman", 1.0, Piece("red", "coat", COLOURS["red"]),
        Piece("blue", "trousers", COLOURS["blue"]), None, None, (0, 0, 0), (0, 0, 0),
    )  # fmt: skip
    rng = np.random.default_rng(0)
    assert background.draw([], [], rng) == ""
    things = {background.draw([], ["bench"], rng) for _ in range(30)}
    assert all(one.endswith(" bench") for one in things)
    others = [background.draw([(outfit, Act("jump", 0, 9), True)], [], rng) for _ in range(30)]
    assert all(one.startswith("while another ") for one in others)
    assert any("red coat" in one or "red jacket" in one for one in others)


def facts(start: int, end: int, *acts: tuple[str, int, int]) -> dict[str, Any]:
    record = {"img_num": 100, "st_frame": start + 1, "bbox": [[0, 0, 1, 1]] * (end - start)}
    return {"record": record, "actors": [{"acts": [list(act) for act in acts]}]}


def test_blind_controls_by_hand() -> None:
    found = blind_controls(
        [facts(15, 85, ("wave", 15, 85)), facts(40, 60, ("enter", 20, 40), ("jump", 40, 60))]
    )
    assert found["middle"] == pytest.approx((1 + 20 / 70) / 2, abs=1e-3)
    assert found["whole video"] == pytest.approx((0.7 + 0.2) / 2, abs=1e-3)
    assert found["whole tubelet"] == pytest.approx((0.7 + 20 / 80) / 2, abs=1e-3)
    assert found["hull of all actions"] == pytest.approx((1 + 0.5) / 2, abs=1e-3)
    assert blind_controls([]) == {}

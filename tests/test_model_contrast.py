"""The heads of the contrast: what each side sees, and scores worked out another way."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from cospal_cli.core.contract import ABSENT, HEAD_INPUTS
from cospal_cli.core.grounding import GroundingInputs
from cospal_cli.core.head_inputs import assemble, collate
from cospal_cli.core.phrases import Phrase
from cospal_cli.model.contrast import BANK, ContrastHeads, log_mean_exp
from cospal_cli.model.heads import build
from cospal_cli.model.metadata import HeadsMetadata, Sizes
from cospal_cli.settings import ModelConfig, TemporalConfig

SIZES = Sizes(9, 5, 4, 20, appearance=3, motion=4, phrases=3)
MODEL = ModelConfig(dim=16, heads=2, dropout=0.2, input_noise=0.3)


@pytest.fixture
def heads() -> ContrastHeads:
    torch.manual_seed(0)
    made = ContrastHeads(SIZES, MODEL).eval()
    made.temporal.mean.fill_(0.3)
    made.temporal.sd.fill_(0.7)
    made.temporal.bank.normal_()
    return made


def inputs(seed: int = 0, k: int = 3, t: int = 6) -> GroundingInputs:
    rng = np.random.default_rng(seed)
    mask = rng.random((k, t)) < 0.8
    mask[:, 0] = True
    return GroundingInputs(
        tubelets=rng.normal(size=(k, t, 9)).astype(np.float32) * mask[..., None],
        tubelet_mask=mask,
        clips=rng.normal(size=(2, 5)).astype(np.float32),
        clip_mask=np.ones(2, bool),
        words=rng.normal(size=(7, 4)).astype(np.float32),
        word_mask=np.ones(7, bool),
        referral_mask=np.array([True, True, False, False, False, False, False]),
        content_mask=np.ones(7, bool),
        word_ids=np.arange(7),
        phrase_ids=np.array([0, 0, 0, 1, 1, 2, 2]),
    )


def run(heads: ContrastHeads, *samples: GroundingInputs) -> dict[str, np.ndarray]:
    batch = {name: torch.from_numpy(rows) for name, rows in collate(samples).items()}
    assert set(batch) == set(HEAD_INPUTS)
    with torch.inference_mode():
        found = heads(**batch)
    return {name: value.numpy() for name, value in found._asdict().items()}


def test_scores_and_curves_are_the_equations_sentence_by_sentence(heads: ContrastHeads) -> None:
    one = inputs()
    found = run(heads, one)
    with torch.inference_mode():
        words = torch.from_numpy(one.words)
        query = sum(heads.spatial.word_query(words[n]) for n in (0, 1))
        totals = []
        for k in range(3):
            there = torch.from_numpy(one.tubelet_mask[k])
            rows = torch.from_numpy(one.tubelets[k])
            seen = rows[there][:, :3].mean(0)
            key = heads.spatial.tubelet_key(heads.spatial.norm(heads.spatial.input(seen)))
            total = float(query @ key) / 4
            motion = ((rows[:, -4:] - 0.3) / 0.7).clamp(-4, 4) * there[:, None]
            h = heads.temporal.encoder(motion[None])[0]
            for j, part in enumerate(([3, 4], [5, 6])):
                p = heads.temporal.phrase_query(words[part].mean(0))
                s = h @ p / 4
                total += float(s[there].exp().mean().log())
                usual = float((heads.temporal.bank @ p / 4).exp().mean().log())
                expected = torch.where(there, s - usual, torch.tensor(ABSENT))
                np.testing.assert_allclose(found["curves"][0, k, :, j], expected, atol=1e-5)
            totals.append(total)
        expected_scores = torch.tensor(totals).softmax(0)
    np.testing.assert_allclose(found["tubelet_scores"][0], expected_scores, atol=1e-6)


def test_a_sub_phrase_that_is_not_there_has_no_curve(heads: ContrastHeads) -> None:
    assert (run(heads, inputs())["curves"][..., 2] == ABSENT).all()


def test_without_sub_phrases_appearance_alone_decides(heads: ContrastHeads) -> None:
    one = replace(inputs(), phrase_ids=np.zeros(7, np.int64))
    moved = np.array(one.tubelets)
    moved[..., -4:] += 1.0
    found, other = run(heads, one), run(heads, replace(one, tubelets=moved))
    np.testing.assert_array_equal(found["tubelet_scores"], other["tubelet_scores"])
    assert (found["curves"] == ABSENT).all()


def test_what_tells_when_does_not_see_what_tells_who(heads: ContrastHeads) -> None:
    one = inputs()
    painted = np.array(one.tubelets)
    painted[..., :5] = 7.0  # appearance, and what lies between
    found, other = run(heads, one), run(heads, replace(one, tubelets=painted))
    np.testing.assert_array_equal(found["curves"], other["curves"])
    assert not np.allclose(found["tubelet_scores"], other["tubelet_scores"])


def test_words_of_the_sentence_do_not_reach_the_curves(heads: ContrastHeads) -> None:
    one = inputs()
    words = np.array(one.words)
    words[:3] += 1.0
    np.testing.assert_array_equal(
        run(heads, one)["curves"], run(heads, replace(one, words=words))["curves"]
    )


def test_padding_changes_nothing(heads: ContrastHeads) -> None:
    small, large = inputs(1, k=2, t=6), inputs(2, k=5, t=6)
    alone, both = run(heads, small), run(heads, small, large)
    np.testing.assert_allclose(both["tubelet_scores"][0, :2], alone["tubelet_scores"][0], atol=1e-6)
    assert (both["tubelet_scores"][0, 2:] < 1e-6).all()
    np.testing.assert_allclose(both["curves"][0, :2], alone["curves"][0], atol=1e-5)


def test_log_mean_exp_is_of_what_the_mask_has() -> None:
    logits = torch.tensor([math.log(2.0), math.log(4.0), 50.0])
    mask = torch.tensor([True, True, False])
    assert log_mean_exp(logits, mask).item() == pytest.approx(math.log(3))
    assert log_mean_exp(logits[:2]).item() == pytest.approx(math.log(3))


def test_metadata_says_which_heads_to_build() -> None:
    contrast = HeadsMetadata(SIZES, MODEL, {}, (), temporal=TemporalConfig(objective="contrast"))
    assert isinstance(build(contrast), ContrastHeads)
    assert build(contrast).state_dict()["temporal.bank"].shape == (BANK, 16)
    assert contrast.outputs == ("tubelet_scores", "curves")


def test_a_sub_phrase_s_words_follow_the_sentence_s_and_tell_nobody() -> None:
    def phrase(*words: str) -> Phrase:
        n = len(words)
        return Phrase(words, np.ones((n, 4), np.float32), np.ones(n, bool), np.ones(n, bool))

    one = inputs()
    found = assemble(
        one.tubelets, one.tubelet_mask, one.clips, phrase("red", "man"), {"waves": 3},
        [phrase("waves"), phrase("walks", "in")],
    )  # fmt: skip
    assert found.phrase_ids.tolist() == [0, 0, 1, 2, 2]
    assert found.referral_mask.tolist() == [True, True, False, False, False]
    assert found.word_ids.tolist() == [0, 0, 3, 0, 0]
    assert found.word_mask.all()

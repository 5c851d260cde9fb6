"""The torch runtime: a checkpoint's folder or a live model, the same answer every time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cospal_cli.core.errors import DeviceError, UsageError, WeightsError
from cospal_cli.core.grounding import GroundingInputs
from cospal_cli.core.head_inputs import assemble
from cospal_cli.core.phrases import Phrase
from cospal_cli.model.checkpoint import save
from cospal_cli.model.cospal import CoSPaL
from cospal_cli.model.metadata import HeadsMetadata, Sizes
from cospal_cli.runtime import open_runtime
from cospal_cli.runtime.torch import TorchRuntime
from cospal_cli.settings import ModelConfig, TemporalConfig

WORDS = ("man", "walks", "red")
METADATA = HeadsMetadata(
    Sizes(tubelets=6, clips=5, words=4, vocabulary=4),
    ModelConfig(dim=16, ffn=16, heads=2, temporal_layers=1, proposals=3),
    {},
    WORDS,
    temporal=TemporalConfig(hidden="words"),
)


@pytest.fixture(scope="module")
def model() -> CoSPaL:
    torch.manual_seed(0)
    return CoSPaL(METADATA.sizes, METADATA.model).eval()


def inputs(tubelets: int = 3, seed: int = 0) -> GroundingInputs:
    rng = np.random.default_rng(seed)
    words = ("the", "man", "in", "red", "walks")
    phrase = Phrase(
        words,
        rng.normal(size=(5, 4)).astype(np.float32),
        np.isin(words, ("man", "red")),
        np.isin(words, WORDS),
    )
    features = rng.normal(size=(tubelets, 8, 6)).astype(np.float32)
    clips = rng.normal(size=(12, 5)).astype(np.float32)
    mask = np.ones((tubelets, 8), bool)
    return assemble(features, mask, clips, phrase, METADATA.word_ids)


def test_a_saved_checkpoint_answers_as_the_model_does(model: CoSPaL, tmp_path: Path) -> None:
    save(tmp_path, model, METADATA)
    runtime = open_runtime("torch", tmp_path, "cpu")
    assert runtime.metadata == METADATA
    live = TorchRuntime.of(model, METADATA)
    for seed in range(3):
        one, other = runtime.run(inputs(seed=seed)), live.run(inputs(seed=seed))
        np.testing.assert_array_equal(one.tubelet_scores, other.tubelet_scores)
        np.testing.assert_array_equal(one.proposals, other.proposals)
        np.testing.assert_array_equal(one.proposal_scores, other.proposal_scores)


def test_scores_are_shares(model: CoSPaL) -> None:
    found = TorchRuntime.of(model, METADATA).run(inputs(5))
    assert (found.tubelet_scores.shape, found.proposals.shape) == ((5,), (3, 2))
    assert found.tubelet_scores.sum() == pytest.approx(1, abs=1e-5)
    assert found.proposal_scores.sum() == pytest.approx(1, abs=1e-5)
    assert found.tubelet_scores.dtype == np.float32


def test_a_model_in_training_answers_without_dropout_and_stays_in_training(model: CoSPaL) -> None:
    runtime = TorchRuntime.of(model, METADATA)
    expected = runtime.run(inputs())
    model.train()
    state = torch.random.get_rng_state()
    again = runtime.run(inputs())
    assert model.training
    assert torch.equal(torch.random.get_rng_state(), state)
    np.testing.assert_array_equal(again.proposals, expected.proposals)
    np.testing.assert_array_equal(again.tubelet_scores, expected.tubelet_scores)
    model.eval()


def test_lower_precision_is_near(model: CoSPaL, tmp_path: Path) -> None:
    save(tmp_path, model, METADATA)
    half = TorchRuntime(tmp_path, "cpu", "bf16").run(inputs())
    full = TorchRuntime(tmp_path, "cpu").run(inputs())
    assert half.tubelet_scores.dtype == np.float32
    np.testing.assert_allclose(half.tubelet_scores, full.tubelet_scores, atol=0.02)
    assert not np.array_equal(half.tubelet_scores, full.tubelet_scores)


def test_not_a_number_is_no_answer(model: CoSPaL) -> None:
    broken = CoSPaL(METADATA.sizes, METADATA.model).eval()
    with torch.no_grad():
        for value in broken.spatial.parameters():
            value.fill_(float("nan"))
    with pytest.raises(WeightsError, match="not finite"):
        TorchRuntime.of(broken, METADATA).run(inputs())


def test_what_cannot_be_opened_says_why(model: CoSPaL, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a checkpoint of the heads"):
        TorchRuntime(tmp_path)
    save(tmp_path, model, METADATA)
    with pytest.raises(UsageError, match="unknown device 'tpu'"):
        TorchRuntime(tmp_path, "tpu")
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="cuda"):
            TorchRuntime(tmp_path, "cuda")
    with pytest.raises(UsageError, match="unknown runtime 'tensorflow'"):
        open_runtime("tensorflow", tmp_path)
    save(tmp_path, model, replace(METADATA, model=replace(METADATA.model, proposals=2)))
    with pytest.raises(WeightsError, match="expected"):
        TorchRuntime(tmp_path)

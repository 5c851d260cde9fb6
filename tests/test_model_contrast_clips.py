"""Clips as a second input of the side that tells when, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cospal_cli.core.grounding import GroundingInputs
from cospal_cli.core.head_inputs import collate
from cospal_cli.model.contrast import ContrastHeads, near
from cospal_cli.model.metadata import Sizes
from cospal_cli.settings import Config, ModelConfig
from cospal_cli.training.contrast import ContrastObjective

SIZES = Sizes(9, 5, 4, 20, appearance=3, motion=4, phrases=3)
BOTH = ModelConfig(dim=16, heads=2, temporal_input="both")


def made(config: ModelConfig = BOTH) -> ContrastHeads:
    torch.manual_seed(0)
    return ContrastHeads(SIZES, config).eval()


def inputs(clips: int, seed: int = 0) -> GroundingInputs:
    rng = np.random.default_rng(seed)
    return GroundingInputs(
        tubelets=rng.normal(size=(2, 6, 9)).astype(np.float32),
        tubelet_mask=np.ones((2, 6), bool),
        clips=rng.normal(size=(clips, 5)).astype(np.float32),
        clip_mask=np.ones(clips, bool),
        words=rng.normal(size=(5, 4)).astype(np.float32),
        word_mask=np.ones(5, bool),
        referral_mask=np.array([True, True, False, False, False]),
        content_mask=np.ones(5, bool),
        word_ids=np.arange(5),
        phrase_ids=np.array([0, 0, 0, 1, 2]),
    )


def curves(heads: ContrastHeads, *samples: GroundingInputs) -> np.ndarray:
    batch = {name: torch.from_numpy(rows) for name, rows in collate(samples).items()}
    with torch.inference_mode():
        return heads(**batch).curves[0].numpy()


def test_fewer_clips_than_times_are_joined_by_lines() -> None:
    """Two clips, at 1/4 and 3/4; times at 1/8, 3/8, 5/8, 7/8."""
    clips = torch.tensor([[[0.0], [4.0]]])
    found = near(clips, torch.ones(1, 2, dtype=torch.bool), 4)
    np.testing.assert_allclose(found[0, :, 0], [0, 1, 3, 4], atol=1e-6)


def test_more_clips_than_times_are_shared_out() -> None:
    """Four clips at 1/8, ..., 7/8; weights 3/4, 3/4, 1/4 at the first time of two."""
    clips = torch.tensor([[[0.0], [1.0], [2.0], [3.0]]])
    found = near(clips, torch.ones(1, 4, dtype=torch.bool), 2)
    np.testing.assert_allclose(found[0, :, 0], [1.25 / 1.75, 4 - 1 - 1.25 / 1.75], atol=1e-6)


@pytest.mark.parametrize("times", [1, 3, 32])
def test_one_clip_is_there_at_all_times_and_padding_counts_for_nothing(times: int) -> None:
    clips = torch.tensor([[[7.0], [0.0]], [[1.0], [1.0]]])
    mask = torch.tensor([[True, False], [True, True]])
    found = near(clips, mask, times)
    np.testing.assert_allclose(found[..., 0], [[7] * times, [1] * times], atol=1e-6)


def test_clips_reach_the_curves_only_where_they_are_asked_for() -> None:
    one = inputs(4)
    other = replace(one, clips=one.clips[::-1].copy())
    both, alone = made(), made(replace(BOTH, temporal_input="clips"))
    assert np.abs(curves(both, one) - curves(both, other))[..., :2].max() > 1e-3
    np.testing.assert_array_equal(curves(alone, one), curves(alone, other))
    assert alone.temporal.clip_input is None


def test_what_stays_the_same_adds_nothing() -> None:
    """A video's look would tell which video it is."""
    still, other = inputs(4), inputs(4)
    still.clips[:] = still.clips[0]
    other.clips[:] = 5 * still.clips[0, ::-1]
    np.testing.assert_allclose(curves(made(), still), curves(made(), other), atol=1e-6)


def test_padding_of_clips_changes_nothing() -> None:
    alone, both = curves(made(), inputs(3)), curves(made(), inputs(3), inputs(8, 1))
    np.testing.assert_allclose(alone, both, atol=1e-5)


def test_they_learn_and_stay_within_their_video() -> None:
    heads = made()
    samples = [inputs(4), inputs(2, 1), inputs(5, 2)]
    samples[1].tubelet_mask[0] = False
    batch = {name: torch.from_numpy(rows) for name, rows in collate(samples).items()}
    batch |= {"video": torch.arange(3), "progress": torch.tensor(1.0)}
    objective = ContrastObjective(heads, Config())
    objective(batch)["loss"].backward()
    assert heads.temporal.clip_input is not None
    gradient = heads.temporal.clip_input.weight.grad
    assert gradient is not None
    assert gradient.abs().max() > 0
    with torch.no_grad():
        loss = float(objective(batch)["loss"])
        turned = [2, 0, 1]
        mixed = {name: rows[turned] if rows.ndim else rows for name, rows in batch.items()}
        assert float(objective(mixed)["loss"]) == pytest.approx(loss, abs=1e-4)

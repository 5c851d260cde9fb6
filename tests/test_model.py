"""The heads: equations by hand, masks that hide, learning, and checkpoints that refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cospal_cli.core.contract import HEAD_INPUTS
from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.core.grounding import GroundingInputs
from cospal_cli.core.head_inputs import assemble, collate
from cospal_cli.core.phrases import Phrase
from cospal_cli.model import checkpoint
from cospal_cli.model.cospal import CoSPaL
from cospal_cli.model.layers import Noise
from cospal_cli.model.metadata import HeadsMetadata, Sizes
from cospal_cli.model.temporal import Moments, turns
from cospal_cli.settings import LossConfig, ModelConfig, TemporalConfig
from cospal_cli.training.objective import ReconstructObjective

SIZES = Sizes(tubelets=6, clips=5, words=4, vocabulary=9)
SMALL = ModelConfig(dim=16, heads=2, ffn=16, temporal_layers=1, proposals=3)
VOCABULARY = {f"w{number}": number for number in range(1, SIZES.vocabulary)}


def sample(
    seed: int, tubelets: int = 3, frames: int = 4, clips: int = 7, words: int = 5
) -> GroundingInputs:
    rng = np.random.default_rng(seed)
    mask = np.ones((tubelets, frames), bool)
    mask[0, frames // 2 + 1 :] = False
    ids = rng.integers(1, SIZES.vocabulary, words)
    phrase = Phrase(
        tuple(f"w{number}" for number in ids),
        rng.normal(size=(words, SIZES.words)).astype(np.float32),
        np.arange(words) < 2,
        np.arange(words) % 2 == 0,
    )
    features = rng.normal(size=(tubelets, frames, SIZES.tubelets)) * mask[..., None]
    return assemble(
        features.astype(np.float32), mask, rng.normal(size=(clips, SIZES.clips)), phrase, VOCABULARY
    )


def batch_of(*samples: GroundingInputs) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array) for name, array in collate(samples).items()}


def for_training(*samples: GroundingInputs) -> dict[str, Tensor]:
    batch = batch_of(*samples)
    batch["masked"] = batch["word_mask"] & (torch.arange(batch["words"].shape[1]) % 3 == 0)
    batch["video"] = torch.arange(len(samples))
    batch["progress"] = torch.tensor(0.5)
    return batch


def heads(config: ModelConfig = SMALL, seed: int = 0) -> CoSPaL:
    torch.manual_seed(seed)
    return CoSPaL(SIZES, config).eval()


def test_forward_takes_exactly_the_contract() -> None:
    names = CoSPaL.forward.__annotations__.keys() - {"return"}
    assert names == set(HEAD_INPUTS)


def test_scores_have_their_shapes_and_ranges() -> None:
    scores = heads()(**batch_of(sample(0), sample(1, tubelets=2, clips=4, words=3)))
    assert scores.tubelet_scores.shape == (2, 3)
    assert scores.tubelet_scores.sum(dim=1).tolist() == pytest.approx([1, 1])
    assert scores.tubelet_scores[1, 2].item() == 0  # padding is no tubelet
    assert scores.proposals.shape == (2, 3, 2)
    assert (scores.proposals[..., 0] <= scores.proposals[..., 1]).all()
    assert scores.proposal_scores.sum(dim=1).tolist() == pytest.approx([1, 1])


@pytest.mark.parametrize(
    "config", [SMALL, ModelConfig(**{**vars(SMALL), "temporal_input": "both"})]
)
def test_a_sample_scores_the_same_alone_and_padded_in_a_batch(config: ModelConfig) -> None:
    model, one = heads(config), sample(1, tubelets=2, clips=4, words=3)
    alone = model(**batch_of(one))
    padded = model(**batch_of(sample(0, tubelets=5, clips=9, words=8), one))
    for found, wanted in zip(padded, alone, strict=True):
        torch.testing.assert_close(found[1, : wanted.shape[1]], wanted[0], atol=1e-5, rtol=0)


def test_eq_1_and_the_word_tubelet_scores_by_hand() -> None:
    head, one = heads().spatial, batch_of(sample(3, tubelets=2, words=2))
    there = torch.tensor([[True, True]])
    encoded = head.encode(one["tubelets"], one["tubelet_mask"])
    query, value = head.word_query(one["words"])[0], head.word_value(one["words"])[0]
    key, shown = head.tube_key(encoded)[0], head.tube_value(encoded)[0]
    sim = query @ key.T / SMALL.dim**0.5
    attention = sim.exp() / sim.exp().sum(dim=1, keepdim=True)
    wanted = (value * (attention @ shown)).sum(dim=1)
    found = head.word_tubelet_scores(one["words"], encoded, there)[0, :, 0]
    assert found.tolist() == pytest.approx(wanted.tolist(), abs=1e-5)
    scores = head(one["tubelets"], one["tubelet_mask"], one["words"], one["referral_mask"])
    assert scores[0].tolist() == pytest.approx(sim.mean(dim=0).softmax(0).tolist(), abs=1e-5)


def test_absent_frames_do_not_matter() -> None:
    model, one = heads(), batch_of(sample(2))
    before = model(**one).tubelet_scores
    one["tubelets"] = torch.where(one["tubelet_mask"].unsqueeze(-1), one["tubelets"], 100.0)
    assert model(**one).tubelet_scores.tolist()[0] == pytest.approx(before[0].tolist(), abs=1e-6)


def test_gaussian_weights_by_hand() -> None:
    mask = torch.tensor([[True, True, True, True, False]])
    logs = heads().temporal.weights(Moments(torch.tensor([[0.3]]), torch.tensor([[1.8]])), mask)
    times = np.array([0.125, 0.375, 0.625, 0.875])
    raw = np.exp(-((times - 0.3) ** 2) / (2 * (1.8 / 9) ** 2))
    assert logs[0, 0, :4].exp().tolist() == pytest.approx((raw / raw.max()).tolist(), abs=1e-6)
    assert logs[0, 0, 4].exp().item() < 1e-12


def test_what_is_outside_a_moment_cannot_leak_into_it() -> None:
    head, one = heads().temporal, batch_of(sample(4, clips=30))
    mask, words, there = one["clip_mask"], one["words"], one["word_mask"]
    weights = head.weights(Moments(torch.tensor([[0.2]]), torch.tensor([[0.1]])), mask)
    masked = torch.zeros_like(there).unsqueeze(1)

    def told(clips: Tensor) -> Tensor:
        return head.reconstruct(head.embed(clips, mask, None), mask, weights, words, there, masked)

    changed = one["clips"].clone()
    changed[:, 15:] = 50.0
    assert torch.allclose(told(changed), told(one["clips"]), atol=1e-5)
    changed[:, 6] = 50.0
    assert not torch.allclose(told(changed), told(one["clips"]), atol=1e-2)


def test_a_moment_is_told_by_what_is_there_not_by_where_it_is() -> None:
    head, one = heads().temporal, batch_of(sample(4, clips=30))
    mask, there = one["clip_mask"], one["word_mask"]
    moments = Moments(torch.tensor([[0.3, 0.7]]), torch.tensor([[0.2, 0.2]]))
    same = one["clips"][:, :1].expand(-1, 30, -1)
    told = head.reconstruct(
        head.embed(same, mask, None), mask, head.weights(moments, mask), one["words"], there,
        torch.zeros_like(there).unsqueeze(1),
    )  # fmt: skip
    assert torch.allclose(told[:, 0], told[:, 1], atol=1e-5)


def test_noise_is_for_training_alone() -> None:
    noise = Noise(0.5)
    x = torch.cat([torch.full((5000,), 2.0), torch.zeros(5000)])  # padding does not count
    assert (noise(x) - x)[:5000].std().item() == pytest.approx(1.0, abs=0.05)
    assert torch.equal(noise.eval()(x), x)
    assert torch.equal(Noise(0.0)(x), x)


def test_the_reconstruction_hides_every_word_once_and_only_it() -> None:
    head, one = heads().temporal, batch_of(sample(5, words=4))
    one["word_ids"] = torch.tensor([[1, 2, 3, 4]])
    mask, words, there, ids = (one[n] for n in ("clip_mask", "words", "word_mask", "word_ids"))
    embedded, weights = head.embed(one["clips"], mask, None), torch.zeros(1, 1, 7)
    total = 0.0
    for hidden in ([0, 3], [1], [2]):
        masked = torch.zeros(1, 1, 4, dtype=torch.bool)
        masked[..., hidden] = True
        logs = head.reconstruct(embedded, mask, weights, words, there, masked)[0, 0].log_softmax(-1)
        total -= sum(logs[at, ids[0, at]].item() for at in hidden)
    found = head.reconstruction(embedded, mask, weights, words, there, ids)
    assert found.item() == pytest.approx(total / 4, abs=1e-5)


def test_a_word_that_comes_twice_is_hidden_with_its_first() -> None:
    mask = torch.tensor([True] * 6 + [False])
    found = turns(mask, torch.tensor([4, 5, 6, 7, 5, 0, 0]))
    assert found.tolist()[:6] == [0, 1, 2, 0, 1, 2]


def test_words_outside_the_vocabulary_do_not_count() -> None:
    model, one = heads(), batch_of(sample(6))
    one["word_ids"][0, 1] = 0
    scores = model(**one).proposal_scores
    logits_of_unknown = model.temporal.head.bias.data
    logits_of_unknown[0] += 3  # changes every word's chance alike but for its own logit
    assert torch.isfinite(scores).all()
    one["word_ids"][:] = 0
    assert model(**one).proposal_scores[0].tolist() == pytest.approx([1 / 3] * 3)


def test_one_word_one_clip_one_tubelet_one_frame() -> None:
    scores = heads()(**batch_of(sample(7, tubelets=1, frames=1, clips=1, words=1)))
    assert all(torch.isfinite(part).all() for part in scores)


@pytest.mark.parametrize("sees", ["clips", "subject"])
def test_one_batch_is_learnt_to_its_floor(sees: str) -> None:
    """Sets are told apart (InfoNCE to 0), words from clips (NLL to the smoothed labels' own)."""
    model = heads(ModelConfig(**{**vars(SMALL), "dim": 32, "dropout": 0.0, "temporal_input": sees}))
    objective = ReconstructObjective(model, LossConfig(smoothing=0.0, diversity=0.0)).train()
    batch = for_training(*(sample(seed) for seed in range(4)))
    optimizer = torch.optim.Adam(objective.parameters(), lr=1e-2)
    for _ in range(120):
        losses = objective(batch)
        optimizer.zero_grad()
        losses["loss"].backward()
        optimizer.step()
    assert losses["spatial"].item() < 0.01
    assert losses["nll"].item() < 0.05


def test_gradients_reach_every_parameter() -> None:
    objective = ReconstructObjective(
        heads(ModelConfig(**{**vars(SMALL), "temporal_input": "both"})), LossConfig()
    )
    objective(for_training(*(sample(seed) for seed in range(3))))["loss"].backward()
    assert [n for n, p in objective.named_parameters() if p.grad is None] == []


def test_other_sentences_of_a_video_are_no_negatives() -> None:
    objective = ReconstructObjective(heads(), LossConfig()).eval()
    batch = for_training(sample(0), sample(1))
    assert objective(batch)["spatial"].item() > 0
    batch["video"] = torch.tensor([7, 7])
    assert objective(batch)["spatial"].item() == pytest.approx(0, abs=1e-6)


def metadata(config: ModelConfig = SMALL) -> HeadsMetadata:
    words = TemporalConfig(hidden="words")
    features = {"clips": {"dim": 5}}
    return HeadsMetadata(SIZES, config, features, tuple(VOCABULARY), temporal=words)


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    model, one = heads(seed=3), batch_of(sample(0))
    checkpoint.save(tmp_path / "best", model, metadata())
    again, told = checkpoint.load(tmp_path / "best")
    assert told == metadata()
    assert told.word_ids["w1"] == 1
    for found, wanted in zip(again(**one), model(**one), strict=True):
        assert torch.equal(found, wanted)


def test_a_folder_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a checkpoint of the heads"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "cospal/heads@9"}', "{"])
def test_bad_metadata_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(WeightsError, match=r"config\.json: not the metadata"):
        checkpoint.load_metadata(tmp_path)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, heads(), metadata(ModelConfig(**{**vars(SMALL), "dim": 32})))
    with pytest.raises(WeightsError, match=r"expected .*, found"):
        checkpoint.load(tmp_path)


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    model = heads()
    with torch.no_grad():
        model.temporal.token[0] = torch.nan
    checkpoint.save(tmp_path, model, metadata())
    with pytest.raises(WeightsError, match="not finite"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize("value", [1.5, -1, 0, True, None, "6", 10**12, 2**70, [6]])
@pytest.mark.parametrize("name", ["tubelets", "clips", "words", "vocabulary"])
def test_sizes_that_cannot_be_are_refused(tmp_path: Path, name: str, value: Any) -> None:
    checkpoint.save(tmp_path, heads(), metadata())
    path = tmp_path / "config.json"
    told = json.loads(path.read_text())
    told["sizes"][name] = value
    path.write_text(json.dumps(told))
    with pytest.raises(WeightsError, match=r"config\.json"):
        checkpoint.load(tmp_path)


def test_sizes_that_the_weights_do_not_have_take_no_memory(tmp_path: Path) -> None:
    """4 TB, were they made."""
    checkpoint.save(tmp_path, heads(), metadata())
    path = tmp_path / "config.json"
    told = json.loads(path.read_text())
    told["sizes"] |= dict.fromkeys(("tubelets", "clips", "words"), 2**20)
    told["model"] |= {"dim": 4096, "ffn": 16384, "temporal_layers": 24}
    path.write_text(json.dumps(told))
    with pytest.raises(WeightsError, match=r"expected .*, found"):
        checkpoint.load(tmp_path)

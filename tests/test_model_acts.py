"""Reconstruction of whole sub-phrases: nothing of the text shows what is hidden, and it trains."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cospal_cli.core.frames import Timeline
from cospal_cli.core.grounding import GroundingScores
from cospal_cli.core.observation import FrameSpan
from cospal_cli.evaluation.tubes import Track, Truth
from cospal_cli.language.encoders.text import open_text_encoder
from cospal_cli.language.parser.parse import parse
from cospal_cli.language.phrases import phrases_of, refine
from cospal_cli.model import checkpoint
from cospal_cli.model.acts import ActGrounding, content_ids, first_act
from cospal_cli.model.cospal import CoSPaL
from cospal_cli.model.metadata import HeadsMetadata, Sizes
from cospal_cli.model.temporal import TemporalGrounding
from cospal_cli.ranking.prediction import HeadScores
from cospal_cli.ranking.segment import segment
from cospal_cli.settings import LanguageConfig, ModelConfig, TemporalConfig, TextConfig
from cospal_cli.training.hidden_verbs import SOURCES, hidden_verbs
from cospal_cli.training.objective import ReconstructObjective
from tests import train_fake
from tests.fake_prepared import DT, DV, WORDS, F, FakePrepared

SIZES = Sizes(tubelets=F, clips=DV, words=DT, vocabulary=len(WORDS) + 1, appearance=2, motion=3)
SMALL = ModelConfig(
    dim=16, heads=2, ffn=16, temporal_layers=1, proposals=2, temporal_input="motion"
)
ACTS = ("temporal.hidden=phrases", "model.temporal_input=motion", "train.lr=0.02")
TOLD = (
    "waves his hand", "jumps", "walks to the left", "sits down", "bends over", "turns around",
)  # fmt: skip


def test_the_words_do_not_reach_their_reconstruction() -> None:
    torch.manual_seed(0)
    head = ActGrounding(SIZES, SMALL).eval()
    embedded, mask = torch.randn(2, 7, 16), torch.ones(2, 7, dtype=torch.bool)
    weights = torch.zeros(2, 3, 7)

    def told(words: Tensor) -> Tensor:
        seen = torch.ones(words.shape[:2], dtype=torch.bool)
        logits: Tensor = head.reconstruct(embedded, mask, weights, words, seen, seen.unsqueeze(1))
        return logits

    one, other, more = (told(torch.randn(2, n, DT)) for n in (2, 2, 5))
    assert torch.equal(one, other)
    assert torch.equal(one[:, :, :1], more[:, :, :1])  # not even their number shows
    assert torch.equal(more, more[:, :, :1].expand_as(more))
    assert not torch.equal(one[0], one[1])  # the video does


def sentences() -> list[tuple[str, int]]:
    """Sentences with the number of their act, which hints at the words around it."""
    rng = np.random.default_rng(0)
    who = ("man", "woman", "boy", "girl")
    colours = ("red", "blue", "green", "black")
    numbers = rng.integers(len(TOLD), size=180)
    return [
        (f"The {rng.choice(who)} in {rng.choice(colours)} {TOLD[at]}.", int(at)) for at in numbers
    ]


def accuracy(features: np.ndarray, labels: np.ndarray) -> float:
    """Of a ridge regression onto the labels, fitted on the first two thirds, on the rest."""
    cut = 2 * len(labels) // 3
    x = np.column_stack([features - features[:cut].mean(0), np.ones(len(features))])
    wanted = np.eye(labels.max() + 1)[labels]
    fitted = np.linalg.solve(
        x[:cut].T @ x[:cut] + 1e-2 * np.eye(x.shape[1]), x[:cut].T @ wanted[:cut]
    )
    return float(((x[cut:] @ fitted).argmax(1) == labels[cut:]).mean())


def test_a_probe_on_the_text_alone_is_at_chance_where_acts_are_hidden() -> None:
    """What the heads compute of a sentence without its video, and the verb that was hidden: one
    word hidden among contextual ones is read from them, a whole sub-phrase is not."""
    encoder = open_text_encoder(TextConfig())
    told = sentences()
    labels = np.array([number for _, number in told])
    queries = [refine(parse(text, LanguageConfig())) for text, _ in told]
    phrases = phrases_of(queries, encoder, 32)
    sizes = Sizes(tubelets=F, clips=DV, words=encoder.dim, vocabulary=50, motion=3)
    blank, there = torch.zeros(1, 4, 16), torch.ones(1, 4, dtype=torch.bool)

    def states(head: TemporalGrounding, words: np.ndarray, hidden: np.ndarray) -> np.ndarray:
        given = torch.from_numpy(words).unsqueeze(0)
        seen = torch.ones(given.shape[:2], dtype=torch.bool)
        masked = torch.from_numpy(hidden).view(1, 1, -1)
        with torch.inference_mode():
            logits = head.reconstruct(blank, there, torch.zeros(1, 1, 4), given, seen, masked)
        return np.asarray(logits[0, 0, int(hidden.argmax())])

    torch.manual_seed(0)
    acts, words = (kind(sizes, SMALL).eval() for kind in (ActGrounding, TemporalGrounding))
    of_acts, of_words = [], []
    for one in phrases:
        (act,) = one.acts
        of_acts.append(states(acts, act.vectors, np.ones(len(act), bool)))
        hidden = np.array([word == act.words[0] for word in one.refined.words])
        of_words.append(states(words, one.refined.vectors, hidden))
    cut = 2 * len(labels) // 3
    majority = float((labels[cut:] == np.bincount(labels[:cut]).argmax()).mean())
    assert accuracy(np.array(of_acts), labels) <= majority + 0.03
    assert accuracy(np.array(of_words), labels) > majority + 0.3  # the probe can read


def test_masks_of_the_first_act_and_of_its_content() -> None:
    ids = torch.tensor([[0, 0, 1, 1, 2, 0], [0, 0, 0, 0, 0, 0]])
    there = torch.tensor([[True] * 5 + [False], [True] * 3 + [False] * 3])
    first = first_act(there, ids)
    assert first.tolist() == [[False, False, True, True, False, False], [True] * 3 + [False] * 3]
    content = torch.tensor([[True, True, False, True, True, False], [False] * 6])
    words = torch.arange(1, 7).repeat(2, 1)
    assert content_ids(words, content, first).tolist() == [[0, 0, 0, 4, 0, 0], [1, 2, 3, 0, 0, 0]]


def test_heads_take_exactly_one_sub_phrase_of_a_row() -> None:
    torch.manual_seed(0)
    model = CoSPaL(SIZES, SMALL, "phrases").eval()
    batch = {
        "tubelets": torch.randn(1, 3, 5, F), "tubelet_mask": torch.ones(1, 3, 5, dtype=torch.bool),
        "clips": torch.randn(1, 4, DV), "clip_mask": torch.ones(1, 4, dtype=torch.bool),
        "words": torch.randn(1, 6, DT), "word_mask": torch.ones(1, 6, dtype=torch.bool),
        "referral_mask": torch.tensor([[True, True] + [False] * 4]),
        "content_mask": torch.ones(1, 6, dtype=torch.bool),
        "word_ids": torch.tensor([[1, 2, 3, 7, 8, 8]]),
        "phrase_ids": torch.tensor([[0, 0, 0, 1, 2, 2]]),
    }  # fmt: skip
    with torch.inference_mode():
        whole = model(**batch)
        other = model(**{**batch, "words": batch["words"] + (batch["phrase_ids"] == 2)[..., None]})
        clips = model(**{**batch, "clips": torch.randn(1, 4, DV)})
        second = model(**{**batch, "phrase_ids": torch.tensor([[0, 0, 0, 2, 1, 1]])})
    for found in (other, clips):  # motion alone is seen
        assert all(torch.equal(a, b) for a, b in zip(found, whole, strict=True))
    assert torch.equal(second.tubelet_scores, whole.tubelet_scores)
    assert not torch.equal(second.proposals, whole.proposals)


def test_a_training_goes_on_bit_by_bit_and_says_what_it_hides(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    train_fake.train(whole, *ACTS)
    model, metadata = checkpoint.load(whole / "last")
    assert isinstance(model, CoSPaL)
    assert (metadata.temporal.hidden, metadata.sizes.motion) == ("phrases", 3)
    data = FakePrepared()
    videos = {one.video: one for one in data.samples("fit")}.values()
    rows = np.concatenate([data.features(one).tubelets[..., -3:].reshape(-1, 3) for one in videos])
    np.testing.assert_allclose(model.temporal.mean, rows.mean(0), atol=1e-6)
    lines = (whole / "metrics.jsonl").read_text().splitlines()
    losses = [json.loads(line)["nll"] for line in lines if "lr" in line]
    assert losses[-1] < losses[0]

    class Stop(Exception):
        pass

    def stop(stage: str, done: float, total: float | None, note: str = "") -> None:
        if done == 4:  # a checkpoint is written every 3
            raise Stop

    with pytest.raises(Stop):
        train_fake.train(tmp_path / "cut", *ACTS, progress=stop)
    train_fake.train(tmp_path / "cut", *ACTS, resume=True)
    assert train_fake.same(tmp_path / "cut" / "last", whole / "last")


def test_metadata_of_earlier_versions_hid_words() -> None:
    words = tuple(WORDS)
    told = json.loads(HeadsMetadata(SIZES, SMALL, {}, words).dumps())
    assert HeadsMetadata.loads(json.dumps(told), "here").temporal.hidden == "phrases"
    del told["temporal"]["hidden"]
    assert HeadsMetadata.loads(json.dumps(told), "here").temporal.hidden == "words"
    del told["temporal"]
    assert HeadsMetadata.loads(json.dumps(told), "here").temporal == TemporalConfig(hidden="words")


def test_the_segment_reaches_over_the_sub_phrases() -> None:
    def scores(start: float, end: float) -> GroundingScores:
        rows = np.array([[0.0, 1.0], [start, end]], np.float32)
        return GroundingScores(np.ones(1, np.float32), rows, np.array([0.2, 0.8], np.float32))

    parts = (scores(0.5, 0.6), scores(0.2, 0.3))
    line = Timeline.even(10, 10) if hasattr(Timeline, "even") else None
    line = line or SimpleNamespace(times_s=np.arange(10.0), end_s=10.0)
    prediction = HeadScores((1,), parts[0], parts)
    when, nats = segment(prediction, "best", line)  # type: ignore[arg-type]
    assert tuple(when) == pytest.approx((2.0, 6.0))
    assert nats == pytest.approx(np.log(0.8))


class _Seeing(ActGrounding):
    """Its logit of every word is how much of the video's first half is weighted."""

    def reconstruct(self, embedded: Tensor, mask: Tensor, weights: Tensor, *rest: Any) -> Tensor:
        share = weights.exp() / weights.exp().sum(-1, keepdim=True)
        seen = torch.einsum("bsc,bc->bs", share, embedded[..., 0])
        words = rest[0].shape[1]
        logits = torch.zeros(*seen.shape, words, SIZES.vocabulary)
        logits[..., 7] = seen.unsqueeze(-1)
        return logits


def test_hidden_verbs_are_told_from_each_part_of_the_video(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each video shows 1 in its first third and 0 in the rest; only "walks", word 7, is told."""
    model = CoSPaL(SIZES, SMALL, "phrases")
    model.temporal = _Seeing(SIZES, SMALL)
    shown = torch.tensor([9.0, 0.0, 0.0])
    monkeypatch.setattr(
        model.temporal, "embed", lambda clips, mask, subject: shown.view(1, 3, 1).expand(
            len(clips), 3, 16
        ),
    )  # fmt: skip
    data = FakePrepared()
    metadata = HeadsMetadata(
        SIZES, SMALL, {"tubelets": {"name": "fake"}}, tuple(WORDS), temporal=TemporalConfig()
    )
    samples = data.samples("fit")[:3]
    boxes = Track(np.arange(0, 4), np.tile([0.0, 0, 1, 1], (4, 1)))
    truths = {one.id: Truth(FrameSpan(0, 4), boxes, FrameSpan(0, 12), 1.0) for one in samples}
    monkeypatch.setattr(
        "cospal_cli.training.hidden_verbs.FeatureSpec",
        lambda features: SimpleNamespace(seen=lambda vectors: vectors),
    )
    monkeypatch.setattr(FakePrepared, "phrases", walks_alone)
    told = hidden_verbs(model, metadata, data, samples, truths)  # type: ignore[arg-type]

    def nll(logit: float) -> float:
        return float(np.log(np.exp(logit) + SIZES.vocabulary - 1) - logit)

    logits = dict(zip(SOURCES, (0, 3, 3, 9, 0), strict=True))
    assert told.pop("verbs") == 3
    assert told == {name: pytest.approx(nll(one), abs=1e-4) for name, one in logits.items()}


def walks_alone(self: FakePrepared, sample: Any) -> Any:
    from cospal_cli.core.phrases import Phrases
    from tests.fake_prepared import phrase

    whole = phrase("the man walks")
    return Phrases(whole, whole, (whole,), (phrase("walks"),))


def test_the_loss_is_that_of_every_sub_phrase_by_itself() -> None:
    """Two sub-phrases of a sentence count as two queries about one video."""
    torch.manual_seed(0)
    model = CoSPaL(SIZES, ModelConfig(**{**vars(SMALL), "dropout": 0.0}), "phrases")
    from cospal_cli.settings import LossConfig

    objective = ReconstructObjective(model, LossConfig()).eval()
    data = FakePrepared()
    from cospal_cli.core.head_inputs import assemble, collate

    ids = {word: number for number, word in enumerate(WORDS, 1)}
    sample = next(one for one in data.samples("fit") if one.passes >= 2)
    vision, phrases = data.features(sample), data.phrases(sample)

    def seen(acts: Any) -> dict[str, Tensor]:
        one = assemble(
            vision.tubelets, vision.tubelet_mask, vision.clips, phrases.sentence, ids, acts
        )
        batch = {name: torch.from_numpy(rows) for name, rows in collate([one]).items()}
        batch["masked"] = torch.zeros_like(batch["word_mask"])
        return objective.seen(batch)

    both = seen(phrases.acts[:2])
    assert len(both["words"]) == 2
    for at, act in enumerate(phrases.acts[:2]):
        alone = seen([act])
        assert torch.equal(alone["embedded"], both["embedded"][at : at + 1])
        mask = both["word_mask"][at]
        assert torch.equal(alone["words"][alone["word_mask"]], both["words"][at][mask])
        assert (both["word_ids"][at] > 0).sum() == len(act)

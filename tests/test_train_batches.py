"""Batches: a function of seed, epoch and place; processes share them; bad samples are replaced."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import numpy as np
import pytest

from cospal_cli.core.contract import HEAD_INPUTS
from cospal_cli.core.errors import InputError
from cospal_cli.settings import CurriculumConfig
from cospal_cli.training.batches import LOG, Batches, Share
from cospal_cli.training.curriculum import Epoch, plan
from tests.fake_prepared import WORDS, FakePrepared

ALONE = Share()
IDS = {word: number for number, word in enumerate(WORDS, 1)}


def made(
    data: Any, number: int = 0, start: int = 0, seed: int = 0, bad: int = 0, share: Share = ALONE
) -> list[dict[str, np.ndarray]]:
    """The batches of one epoch."""
    samples = data.samples("fit")
    epoch = epochs(data)[number]
    with (
        Batches(data, samples, IDS, seed=seed, bad=bad, share=share) as batches,
        closing(batches.of(epoch, start)) as stream,
    ):
        return list(stream)


def epochs(data: Any) -> tuple[Epoch, ...]:
    config = CurriculumConfig(name="none", limits="", epochs="2")
    return plan(data.samples("fit"), config, batch=4, crg=True)


def equal(one: list[dict], other: list[dict]) -> bool:
    return len(one) == len(other) and all(
        a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)
        for a, b in zip(one, other, strict=True)
    )


def test_a_batch_has_the_contract_and_what_training_adds() -> None:
    batch = made(FakePrepared())[0]
    assert set(batch) == {*HEAD_INPUTS, "masked", "video"}
    assert {len(rows) for rows in batch.values()} == {4}
    hidden = batch["masked"]
    assert hidden.shape == batch["word_mask"].shape
    assert np.all(hidden <= batch["word_mask"])  # never padding
    assert hidden.any(axis=1).all()


def test_batches_follow_from_seed_and_epoch_alone() -> None:
    data = FakePrepared()
    first = made(data)
    assert equal(first, made(data))
    assert not equal(first, made(data, seed=1))
    assert not equal(first, made(data, number=1))


def test_going_on_within_an_epoch_gives_the_same_rest() -> None:
    data = FakePrepared()
    assert equal(made(data)[5:], made(data, start=5))


def test_every_item_is_shown_and_the_last_batch_is_filled_from_the_beginning() -> None:
    data = FakePrepared(count=5)
    epoch, batches = epochs(data)[0], made(data)
    assert len(epoch.items) % 4 != 0
    first = batches[0]["words"][0]
    spare = epoch.updates * 4 - len(epoch.items)
    length = first.shape[0]
    assert np.array_equal(batches[-1]["words"][-spare][:length], first)
    with Batches(data, data.samples("fit"), IDS, seed=0, bad=0) as one:
        assert sorted(one.order(epoch).tolist()) == list(range(len(epoch.items)))


def test_processes_share_the_same_batches() -> None:
    data = FakePrepared()
    whole = made(data)
    halves = [made(data, share=Share(rank, 2)) for rank in range(2)]
    for all_rows, left, right in zip(whole, *halves, strict=True):
        for name in ("video", "word_ids", "masked", "tubelets"):
            for part, rows in ((left, all_rows[name][:2]), (right, all_rows[name][2:])):
                cut = tuple(slice(side) for side in part[name].shape)
                assert np.array_equal(part[name], rows[cut])


def test_sentences_of_one_video_share_its_number() -> None:
    data = FakePrepared(count=2)  # both of one video
    assert {int(v) for batch in made(data) for v in batch["video"]} == {0}


def test_a_bad_sample_is_replaced_by_the_next(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LOG, "propagate", True)
    monkeypatch.setattr(LOG, "handlers", [])  # of other tests
    data = FakePrepared(bad=frozenset({"s3"}))
    batches = made(data, bad=1)
    whole = made(FakePrepared())
    assert len(batches) == len(whole)
    changed = sum(not equal([a], [b]) for a, b in zip(batches, whole, strict=True))
    assert 0 < changed < len(whole)
    assert sum("skipped s3" in line for line in caplog.messages) == 1
    halves = [made(data, bad=1, share=Share(rank, 2)) for rank in range(2)]
    together = [np.concatenate([a["video"], b["video"]]) for a, b in zip(*halves, strict=True)]
    assert np.array_equal(together, [batch["video"] for batch in batches])


def test_too_many_bad_samples_end_it() -> None:
    data = FakePrepared(bad=frozenset({"s1", "s4", "s5"}))
    with pytest.raises(InputError, match="3 samples cannot be read"):
        made(data, bad=2)
    assert made(data, bad=3)
    with pytest.raises(InputError, match="no sample of the epoch"):
        made(FakePrepared(bad=frozenset(f"s{n}" for n in range(12))), bad=100)

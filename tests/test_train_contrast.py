"""Training by the contrast: it learns, goes on bit by bit, and two processes equal one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from cospal_cli.model import checkpoint
from cospal_cli.model.contrast import ContrastHeads
from cospal_cli.settings import TrainConfig
from cospal_cli.training import metrics, optimise
from tests import train_fake
from tests.fake_prepared import FakePrepared
from tests.test_train_processes import launch

CONTRAST = (
    "temporal.objective=contrast", "curriculum.name=none", "train.schedule=one-cycle",
    "train.weight_decay=0.05", "model.dropout=0.2",
)  # fmt: skip


class StopAt:
    """A progress that asks to stop after so many updates."""

    def __init__(self, update: int) -> None:
        self.update, self.done = update, 0.0

    def __call__(self, stage: str, done: float, total: float | None, note: str = "") -> None:
        self.done = done

    def reached(self) -> bool:
        return self.done >= self.update


def train(out: Path, *changed: str, stop: StopAt | None = None, **job: object) -> object:
    from cospal_cli.training.loop import TrainingJob
    from cospal_cli.training.loop import train as run

    whole = TrainingJob(FakePrepared(), out, train_fake.config(*CONTRAST, *changed), **job)
    return run(whole, stop, stop.reached) if stop else run(whole)


def losses(out: Path) -> list[dict[str, float]]:
    lines = (out / metrics.FILE).read_text().splitlines()
    return [json.loads(line) for line in lines if "lr" in line]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("contrast") / "run"
    train(out)
    return out


def test_the_checkpoint_keeps_normalisation_and_bank(whole: Path) -> None:
    model, metadata = checkpoint.load(whole / "last")
    assert isinstance(model, ContrastHeads)
    assert metadata.temporal.objective == "contrast"
    assert (metadata.sizes.appearance, metadata.sizes.motion, metadata.sizes.phrases) == (2, 3, 5)
    data = FakePrepared()
    videos = {one.video: one for one in data.samples("fit")}.values()
    rows = np.concatenate([data.features(one).tubelets[..., -3:].reshape(-1, 3) for one in videos])
    np.testing.assert_allclose(model.temporal.mean, rows.mean(0), atol=1e-6)
    np.testing.assert_allclose(model.temporal.sd, rows.std(0), atol=1e-6)
    bank = model.temporal.bank
    with torch.no_grad():
        every = [
            model.temporal.encode(
                torch.from_numpy(found.tubelets), torch.from_numpy(found.tubelet_mask)
            )
            for found in map(data.features, videos)
        ]
    bins = torch.cat([one.flatten(0, 1) for one in every])
    apart = (bank[:50].unsqueeze(1) - bins).abs().amax(dim=-1)
    assert float(apart.amin(dim=1).max()) < 1e-5


def test_a_training_that_was_stopped_goes_on_bit_by_bit(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    train(out, stop=StopAt(3))
    assert not train_fake.same(out / "last", whole / "last")
    train(out, resume=True)
    assert train_fake.same(out / "last", whole / "last")


def test_phrases_are_learnt_after_the_start(tmp_path: Path) -> None:
    train(tmp_path / "early", "temporal.start=0")
    train(tmp_path / "never", "temporal.start=1")
    early, never = (
        checkpoint.load(tmp_path / name / "last")[0].state_dict() for name in ("early", "never")
    )
    name = "temporal.encoder.input.bias"  # AdamW decays weights, and leaves no gradient nothing
    assert not torch.equal(early[name], never[name])
    assert losses(tmp_path / "never")[-1]["joint"] == 0
    assert losses(tmp_path / "early")[-1]["joint"] > 0


@pytest.mark.parametrize("queries", ["words", "sentence"])
def test_words_or_the_sentence_may_ask_too(queries: str, tmp_path: Path) -> None:
    train(tmp_path / "run", f"temporal.queries={queries}")
    _, metadata = checkpoint.load(tmp_path / "run" / "last")
    assert metadata.sizes.phrases == {"words": 16, "sentence": 1}[queries]


def test_two_processes_equal_one(tmp_path: Path) -> None:
    settings = (*CONTRAST, "model.dropout=0", "model.input_noise=0", "temporal.start=0")
    done = launch(tmp_path / "two", *settings)
    assert done.returncode == 0, done.stderr
    train(tmp_path / "one", *settings)
    one, two = (train_fake.weights(tmp_path / name / "last") for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name, value in one.items():
        np.testing.assert_allclose(two[name], value, atol=1e-5, err_msg=name)


def test_one_cycle_is_pytorch_s() -> None:
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=0.002)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.002, total_steps=50)
    for update in range(50):
        found = optimise.one_cycle(0.002, update, 50)
        assert found == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-6)
        optimizer.step()
        if update < 49:
            theirs.step()
    groups = torch.optim.SGD([{"params": [weight], "full": 0.002}], lr=1.0)
    optimise.set_rates(groups, 15, 50, TrainConfig(schedule="one-cycle"))
    assert groups.param_groups[0]["lr"] == optimise.one_cycle(0.002, 15, 50)

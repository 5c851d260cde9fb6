"""The training loop: what it writes, what it keeps when it fails, rates, first weights."""

from __future__ import annotations

import json
import math
import resource
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cospal_cli.core.errors import DeviceError, InputError, TrainingError, UsageError, WeightsError
from cospal_cli.core.files import replacing_folder
from cospal_cli.model import checkpoint
from cospal_cli.settings import TrainConfig
from cospal_cli.training import metrics, optimise, report, setup, state
from tests import train_fake
from tests.fake_prepared import FakePrepared

SHORT = ("curriculum.epochs=0,0,1", "curriculum.name=none")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A whole training."""
    out = tmp_path_factory.mktemp("run") / "runs" / "one"
    return out, train_fake.train(out)


def test_what_a_training_leaves(run: tuple[Path, Any]) -> None:
    out, outcome = run
    assert outcome.update == outcome.updates
    assert not outcome.stopped
    assert outcome.selected_by == "loss"
    assert outcome.best is not None
    assert 0 <= outcome.wait_share < 1
    for name in ("last", "best"):
        model, metadata = checkpoint.load(out / name)
        assert metadata.sizes.vocabulary == len(metadata.vocabulary) + 1
        assert model.config.dim == 16
    assert metadata.features == FakePrepared().identity
    _, metadata = checkpoint.load(out / "last")
    assert metadata.trained["update"] == outcome.update
    assert metadata.trained["settings"]["train"]["batch"] == 4
    assert metadata.trained["validation"]["loss"] == pytest.approx(outcome.validation["loss"])
    assert (out / "training.png").read_bytes().startswith(b"\x89PNG")
    assert not list(out.glob(".cospal*"))


def test_metrics_are_lines_of_json(run: tuple[Path, Any]) -> None:
    out, outcome = run
    lines = metrics.read(out)
    train = [line for line in lines if line["kind"] == "train"]
    validations = [line for line in lines if line["kind"] == "validation"]
    assert [line["epoch"] for line in validations] == [0, 1]
    assert train[-1]["update"] == outcome.updates
    assert {"loss", "spatial", "temporal", "lr", "norm", "stage", "wait_share"} <= set(train[0])
    assert {line["stage"] for line in train} == {0, 2}


def test_the_same_seed_gives_the_same_weights_and_learns(
    run: tuple[Path, Any], tmp_path: Path
) -> None:
    out, _ = run
    train_fake.train(tmp_path / "again")
    train_fake.train(tmp_path / "other", "train.seed=1")
    assert train_fake.same(out / "last", tmp_path / "again" / "last")
    assert not train_fake.same(out / "last", tmp_path / "other" / "last")


def test_a_folder_in_use_or_used_is_refused(run: tuple[Path, Any], tmp_path: Path) -> None:
    out, _ = run
    with pytest.raises(UsageError, match="holds a training already"):
        train_fake.train(out)

    def second(stage: str, done: float, total: float | None, note: str = "") -> None:
        with (
            pytest.raises(UsageError, match="another process is writing"),
            setup.own_folder(tmp_path / "two", resume=True),
        ):
            pass

    train_fake.train(tmp_path / "two", *SHORT, progress=second)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        train_fake.train(tmp_path / "file")


def test_a_loss_that_is_no_number_stops_it_and_keeps_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cospal_cli.training import objective

    class Poisoned(objective.ReconstructObjective):
        calls = 0

        def forward(self, batch: Any) -> Any:
            type(self).calls += 1
            losses = super().forward(batch)
            factor = math.nan if type(self).calls == 8 else 1.0
            return losses | {"loss": losses["loss"] * factor}

    monkeypatch.setattr(objective, "ReconstructObjective", Poisoned)
    out = tmp_path / "run"
    with pytest.raises(TrainingError, match="update 8: the loss is nan") as caught:
        train_fake.train(out, *SHORT)
    assert str(out / "last") in caught.value.message
    monkeypatch.undo()
    model, metadata = checkpoint.load(out / "last")
    assert metadata.trained["update"] == 6
    assert all(value.isfinite().all() for value in model.state_dict().values())
    train_fake.train(tmp_path / "whole", *SHORT)
    train_fake.train(out, *SHORT, resume=True)  # and it can go on from there
    assert train_fake.same(out / "last", tmp_path / "whole" / "last")


def test_bad_samples_are_skipped_up_to_the_limit(tmp_path: Path) -> None:
    data = FakePrepared(bad=frozenset({"s1", "s12"}))  # one of training, one of validation
    outcome = train_fake.train(tmp_path / "run", *SHORT, data=data)
    assert outcome.update == outcome.updates
    data = FakePrepared(bad=frozenset({"s1", "s2", "s3"}))
    with pytest.raises(InputError, match=r"train\.bad|cannot be read"):
        train_fake.train(tmp_path / "bad", *SHORT, data=data)


def test_no_sample_at_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no sample to train on"):
        train_fake.train(tmp_path / "run", data=FakePrepared(count=0))


def test_without_held_out_samples_the_last_is_the_best(tmp_path: Path) -> None:
    outcome = train_fake.train(tmp_path / "run", *SHORT, data=FakePrepared(validation=0))
    assert outcome.selected_by == "update"
    assert outcome.best_update == outcome.updates
    assert train_fake.same(tmp_path / "run" / "last", tmp_path / "run" / "best")


def test_first_weights_by_word(run: tuple[Path, Any], tmp_path: Path) -> None:
    out, _ = run
    theirs, metadata = checkpoint.load(out / "best")
    words = ("hat", *metadata.vocabulary[2:], "quilt")  # another order, one less, some unknown
    from dataclasses import replace

    from cospal_cli.model.cospal import CoSPaL

    sizes = replace(metadata.sizes, vocabulary=len(words) + 1)
    own = replace(metadata, sizes=sizes, vocabulary=words)
    torch.manual_seed(1)
    model = CoSPaL(sizes, metadata.model)
    drawn = model.temporal.head.weight.detach().clone()
    setup.take_over(model, own, out / "best")
    for word in metadata.vocabulary[2:]:
        a, b = own.word_ids[word], metadata.word_ids[word]
        assert torch.equal(model.temporal.head.weight[a], theirs.temporal.head.weight[b])
    assert torch.equal(model.temporal.head.weight[-1], drawn[-1])
    assert torch.equal(model.spatial.input.weight, theirs.spatial.input.weight)
    with pytest.raises(UsageError, match="dim: 16 before, 32 now"):
        train_fake.train(tmp_path / "run", "model.dim=32", init_from=out / "best")


@pytest.mark.parametrize("update", [0, 1, 50, 99, 100, 400, 10_000])
def test_learning_rate(update: int) -> None:
    found = optimise.rate(1e-3, update, 100)
    if update < 100:
        assert found == pytest.approx(1e-7 + (1e-3 - 1e-7) * update / 100)
    else:
        assert found == pytest.approx(1e-3 * (100 / update) ** 0.5)
    assert optimise.rate(1e-3, update, 0) == 1e-3


def test_two_rates() -> None:
    from cospal_cli.model.cospal import CoSPaL
    from cospal_cli.model.metadata import Sizes

    settings = train_fake.config("train.lr=0.1", "train.spatial_lr=0.2", "train.warmup=0")
    model = CoSPaL(Sizes(6, 5, 4, 9), settings.model)
    optimizer = optimise.adam(model, settings.train)
    optimise.set_rates(optimizer, 5, 9, TrainConfig(warmup=0))
    rates = {id(w): group["lr"] for group in optimizer.param_groups for w in group["params"]}
    named = {name: rates[id(weight)] for name, weight in model.named_parameters()}
    assert len(named) == len(rates)
    assert {rate for name, rate in named.items() if name.startswith("spatial.")} == {0.2}
    assert {rate for name, rate in named.items() if not name.startswith("spatial.")} == {0.1}


def test_averaged_weights_by_hand() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(1.0)
    average = optimise.averaged(model, 0.5)
    with torch.no_grad():
        model.weight.fill_(3.0)
    average.update_parameters(model)  # the first ones count for more: decay 1 / 10
    assert average.module.weight.item() == pytest.approx(1 * 0.1 + 3 * 0.9)
    average.n_averaged.fill_(101)  # as after a hundred updates
    average.update_parameters(model)
    assert average.module.weight.item() == pytest.approx(2.8 * 0.5 + 3 * 0.5)
    assert model.weight.item() == 3.0


def test_precision_and_device_are_checked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="fp16 needs a GPU"):
        train_fake.train(tmp_path / "run", "train.precision=fp16")
    outcome = train_fake.train(tmp_path / "run", *SHORT, "train.precision=bf16")
    assert math.isfinite(outcome.validation["loss"])


@pytest.mark.parametrize("name", ["trainer.safetensors", "model.safetensors", "trainer.json"])
@pytest.mark.parametrize("how", ["cut", "text"])
def test_a_damaged_checkpoint_is_not_gone_on_from(
    run: tuple[Path, Any], tmp_path: Path, name: str, how: str
) -> None:
    import shutil

    out = tmp_path / "run"
    shutil.copytree(run[0], out)
    path = out / "last" / name
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2] if how == "cut" else b"\x80\x04cos\nsystem\n" * 9)
    with pytest.raises(WeightsError, match=name):
        train_fake.train(out, resume=True)


def test_poisoned_tensors_are_refused(run: tuple[Path, Any], tmp_path: Path) -> None:
    import shutil

    from safetensors.numpy import load_file, save_file

    out = tmp_path / "run"
    shutil.copytree(run[0], out)
    path = out / "last" / "trainer.safetensors"
    tensors = load_file(path)
    name = next(one for one in tensors if one.startswith("exp_avg."))
    save_file(tensors | {name: np.full_like(tensors[name], np.nan)}, path)
    with pytest.raises(WeightsError, match="not finite"):
        train_fake.train(out, resume=True)
    save_file({one: value for one, value in tensors.items() if one != name}, path)
    with pytest.raises(WeightsError, match="expected"):
        train_fake.train(out, resume=True)
    save_file(tensors | {"more": np.zeros(3, np.float32)}, path)
    with pytest.raises(WeightsError, match="more"):
        train_fake.train(out, resume=True)


def test_unfinished_lines_of_metrics_are_dropped(tmp_path: Path) -> None:
    lines = [{"kind": "train", "update": n, "loss": 1.0} for n in (10, 20, 30)]
    text = "".join(json.dumps(line) + "\n" for line in lines) + '{"kind": "tr'
    (tmp_path / "metrics.jsonl").write_text(text)
    assert [line["update"] for line in metrics.read(tmp_path)] == [10, 20, 30]
    with metrics.Metrics(tmp_path, 20) as open_metrics:
        open_metrics.add("validation", 25, 1, {"loss": 0.5})
    assert [line["update"] for line in metrics.read(tmp_path)] == [10, 20, 25]


def test_a_folder_is_replaced_whole_or_not(tmp_path: Path) -> None:
    target = tmp_path / "last"
    with replacing_folder(target) as part:
        (part / "a").write_text("1")
    with pytest.raises(DeviceError, match="No such file"), replacing_folder(target) as part:
        (part / "missing" / "a").write_text("2")
    assert [path.name for path in tmp_path.iterdir()] == ["last"]
    assert (target / "a").read_text() == "1"
    (target / state.STANDING).write_text("{}")
    target.rename(tmp_path / "last.old")  # version 0.1, killed between its two renames
    shutil.copytree(tmp_path / "last.old", tmp_path / "last.part")
    state.recover(target)
    assert [path.name for path in tmp_path.iterdir()] == ["last"]


def test_a_full_disk_is_one_line_and_keeps_the_last_checkpoint(tmp_path: Path) -> None:
    out = tmp_path / "run"
    train_fake.train(out, *SHORT)
    before = (out / "last" / "trainer.json").read_bytes()
    model, metadata = checkpoint.load(out / "last")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with (
            pytest.raises(DeviceError, match="no space left"),
            replacing_folder(out / "last") as part,
        ):
            checkpoint.save(part, model, metadata)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert (out / "last" / "trainer.json").read_bytes() == before
    assert not list(out.glob(".cospal*"))


def test_without_matplotlib_there_is_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(*_: str) -> None:
        raise UsageError("not installed", "pip install it")

    monkeypatch.setattr(report, "require", missing)
    monkeypatch.setattr(report.LOG, "propagate", True)
    assert report.draw(tmp_path, "title") is None
    assert "no picture" in caplog.text

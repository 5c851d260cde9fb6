"""Broken off and gone on: the weights are those of a training that was never broken off."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cospal_cli.core.errors import UsageError
from cospal_cli.training import metrics
from tests import train_fake
from tests.fake_prepared import FakePrepared

ROOT = Path(__file__).parent.parent
DROPOUT = "model.dropout=0.3"  # what is drawn must be the same too


def program(out: Path, *words: str) -> subprocess.Popen[str]:
    """A training in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.train_fake", str(out), *words],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip


@pytest.mark.parametrize("ema", ["train.ema_decay=0", "train.ema_decay=0.9"])
def test_killed_and_resumed_equals_never_stopped(tmp_path: Path, ema: str) -> None:
    whole, out = tmp_path / "whole", tmp_path / "run"
    outcome = train_fake.train(whole, DROPOUT, ema)
    with program(out, DROPOUT, ema, "--pause", "8") as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "at 8\n"
        running.send_signal(signal.SIGKILL)
        assert running.wait() == -signal.SIGKILL
    lines = metrics.read(out)
    resumed = train_fake.train(out, DROPOUT, ema, resume=True)  # from update 6, within an epoch
    assert resumed.update == outcome.update
    for name in ("last", "best"):
        assert train_fake.same(out / name, whole / name)
    assert (resumed.best, resumed.best_update) == (outcome.best, outcome.best_update)
    told = [(line["kind"], line["update"]) for line in metrics.read(out)]
    assert told == [(line["kind"], line["update"]) for line in metrics.read(whole)]
    assert len(lines) < len(told)


def test_killed_while_a_checkpoint_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every place where the process may die leaves a checkpoint that can be gone on from."""
    whole, out = tmp_path / "whole", tmp_path / "run"
    train_fake.train(whole)
    from cospal_cli.training import state

    class Killed(BaseException):
        pass

    calls = 0
    for name, at in (("save_trainer", 2), ("shutil.rmtree", 7)):
        left = at

        def dies(*given: Any, own: Any, **more: Any) -> Any:
            nonlocal left, calls
            left -= 1
            if not left:
                calls += 1
                raise Killed
            return own(*given, **more)

        owner = state.shutil if "." in name else state
        own = getattr(owner, name.split(".")[-1])
        with monkeypatch.context() as patched:
            patched.setattr(
                owner, name.split(".")[-1], lambda *a, own=own, **k: dies(*a, own=own, **k)
            )
            with pytest.raises(Killed):
                train_fake.train(out, resume=True)
    assert calls == 2
    train_fake.train(out, resume=True)
    assert train_fake.same(out / "last", whole / "last")


def test_resume_goes_on_where_it_was_stopped_and_does_nothing_at_the_end(tmp_path: Path) -> None:
    whole, out = tmp_path / "whole", tmp_path / "run"
    train_fake.train(whole)
    from cospal_cli.training.loop import TrainingJob
    from cospal_cli.training.loop import train as run

    reached = 0

    def told(stage: str, done: float, total: float | None, note: str = "") -> None:
        nonlocal reached
        reached = int(done)

    job = TrainingJob(
        FakePrepared(), out, train_fake.config(), resume=True
    )  # nothing there: from the start
    first = run(job, told, lambda: reached >= 4)
    assert first.stopped
    assert first.update == 5
    assert run(job, told).update == first.updates
    assert train_fake.same(out / "last", whole / "last")
    before = (out / "last" / "model.safetensors").stat().st_mtime_ns
    again = run(job, told)
    assert again.update == again.updates
    assert (out / "last" / "model.safetensors").stat().st_mtime_ns == before


def test_changed_settings_are_refused_with_a_diff(tmp_path: Path) -> None:
    out = tmp_path / "run"
    train_fake.train(out, "curriculum.epochs=1,0,0")
    changed = ("train.lr=0.5", "model.proposals=3", "curriculum.epochs=1,0,0")
    with pytest.raises(UsageError) as caught:
        train_fake.train(out, *changed, resume=True)
    assert "train.lr: 0.0004 before, 0.5 now" in caught.value.message
    assert "model.proposals: 2 before, 3 now" in caught.value.message
    assert caught.value.message.count("before") == 2
    kept = dict.fromkeys(("curriculum.epochs=1,0,0",))
    with pytest.raises(UsageError, match=r"data\.samples: 12 before, 11 now"):
        train_fake.train(out, *kept, data=FakePrepared(count=11), resume=True)
    other = FakePrepared(identity={"tubelets": {"name": "real", "dim": 6}})
    with pytest.raises(UsageError, match=r"features\.tubelets\.name: fake before, real now"):
        train_fake.train(out, *kept, data=other, resume=True)
    free = ("train.save_every=7", "train.max_unreadable=5", "train.threads=2")
    train_fake.train(out, *kept, *free, resume=True)


def test_killed_between_the_epochs_end_and_its_judgement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cospal_cli.training import validation

    whole, out = tmp_path / "whole", tmp_path / "run"
    outcome = train_fake.train(whole)

    class Killed(BaseException):
        pass

    def dies(*_: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(validation, "losses", dies)
        with pytest.raises(Killed):
            train_fake.train(out)
    assert not (out / "best").exists()
    copy = shutil.copytree(out, tmp_path / "copy")
    resumed = train_fake.train(copy, resume=True)
    assert resumed.best == outcome.best
    assert train_fake.same(copy / "best", whole / "best")

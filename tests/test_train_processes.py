"""Two processes under ``accelerate launch`` train as one does with the same global batch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cospal_cli.training import metrics
from tests import train_fake

ROOT = Path(__file__).parent.parent
# Sums over a batch are added up in another order: float32 leaves 1e-5 after 14 updates.
TOLERANCE = 1e-5
# A softmax takes away what is the same for all it compares, so these biases have no gradient but
# rounding, which Adam scales up to whole steps. They change no answer either.
WITHOUT_GRADIENT = ("key_value.bias", "tube_key.0.bias", "tube_key.2.bias")
WITHOUT_GRADIENT += ("tube_value.0.bias", "tube_value.2.bias")
STEPS = 14 * 4e-4


def launch(out: Path, *words: str) -> subprocess.CompletedProcess[str]:
    launcher = [sys.executable, "-m", "accelerate.commands.launch"]
    # With --cpu it starts one process only; without, train.device=cpu makes them talk by gloo.
    several = "--multi_gpu --num_machines 1 --mixed_precision no --dynamo_backend no".split()
    several += ["--num_processes", "2", "--main_process_port", "0", "--module"]
    return subprocess.run(
        [*launcher, *several, "tests.train_fake", str(out), *words],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def test_two_processes_equal_one(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    outcome = train_fake.judged(one, "model.dropout=0")
    done = launch(two, "--judged", "model.dropout=0")
    assert done.returncode == 0, done.stderr
    a, b = train_fake.weights(one / "last"), train_fake.weights(two / "last")
    apart = {name: float(np.abs(a[name] - b[name]).max()) for name in a}
    assert max(apart.values()) > 0  # it was another computation
    for name, distance in apart.items():
        assert distance <= (STEPS if name.endswith(WITHOUT_GRADIENT) else TOLERANCE), name
    for folder in (one, two):
        kept = json.loads((folder / "last" / "trainer.json").read_text())
        assert (kept["best"], kept["best_update"]) == (outcome.best, outcome.best_update) == (1, 5)
    for mine, theirs in zip(metrics.read(one), metrics.read(two), strict=True):
        assert (mine["kind"], mine["update"]) == (theirs["kind"], theirs["update"])
        assert theirs.get("m_vIoU") == mine.get("m_vIoU")
        assert theirs["loss"] == pytest.approx(mine["loss"], abs=1e-5)

"""``cospal train`` on folders of files: recipes, features, signals; truths never reach weights."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cospal_cli.bench.random_set import Shape, build
from cospal_cli.cli import run
from cospal_cli.datasets.synthetic.recipe import Recipe
from cospal_cli.datasets.synthetic.write import write_set as make_set
from cospal_cli.settings import recipes, resolve
from tests import train_fake

SMALL = Shape(12, 24, 3, 4, 6, 5, 7, 6, 8, 30)
TINY = [word for setting in train_fake.TINY for word in ("--set", setting)]
QUICK = ["--set", "clips.fps=2", "--set", "clips.frames=1", "--set", "clips.stride=1"]
QUICK += ["--set", "features.frames=4", "--jobs", "1"]


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared features whose data set is gone."""
    folder = tmp_path_factory.mktemp("made") / "prepared"
    build(folder, SMALL)
    return folder


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic set that nobody has prepared."""
    root = tmp_path_factory.mktemp("data") / "set"
    recipe = Recipe(seed=5, size=(160, 96), fps=6, seconds=(4, 5), actors=(2, 4), test=0.2)
    assert make_set(recipe, root, 7) is not None
    return root


def test_prepared_features_are_enough(
    features: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    words = ["train", "--data", str(features), "--out", str(out), "--recipe", "none", *TINY]
    assert run([*words, "--json"]) == 0
    captured = capfd.readouterr()
    told = json.loads(captured.out)
    assert told["update"] == told["updates"] > 0
    assert told["selected_by"] == "loss"  # since no truths are there
    assert "chosen by its loss" in captured.err
    assert Path(told["picture"]).is_file()
    assert run(words) == 2
    assert "--resume" in capfd.readouterr().err
    assert run([*words, "--resume"]) == 0
    assert str(out / "best") in capfd.readouterr().out.replace("/best", "/best")
    assert run([*words, "--resume", "--lr", "0.5"]) == 2
    assert "train.lr: 0.0004 before, 0.5 now" in capfd.readouterr().err


def test_other_features_than_asked_for_are_refused(
    features: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "--data", str(features), "--out", str(tmp_path / "run"), *TINY]
    assert run([*words, "--set", "features.frames=9"]) == 2  # and hcstvg's recipe is none of that
    error = capfd.readouterr().err
    assert "features.frames: prepared with 4, set to 9 by --set" in error
    assert "detector" not in error


def test_sigterm_saves_and_a_rerun_goes_on(features: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = ["train", "--data", str(features), "--out", str(out), "--recipe", "none", *TINY]
    words += ["--set", "train.save_every=0", "--set", "curriculum.epochs=0,0,400"]
    command = [sys.executable, "-m", "cospal_cli", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        metrics = out / "metrics.jsonl"
        while running.poll() is None and not (metrics.is_file() and metrics.stat().st_size):
            time.sleep(0.05)
        running.send_signal(signal.SIGTERM)
        _, error = running.communicate(timeout=60)
    assert running.returncode == 143, error
    assert "--resume continues" in error
    standing = json.loads((out / "last" / "trainer.json").read_text())
    assert f"after update {standing['update']} of" in error
    assert standing["update"] > 0


def test_boxes_and_times_never_reach_the_weights(
    synthetic: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The same weights come out where every truth of the training split is not a number."""
    blind = tmp_path / "blind"
    shutil.copytree(synthetic, blind)
    rows = json.loads((blind / "train.json").read_text())
    for row in rows.values():
        row["bbox"] = [[math.nan] * 4 for _ in row["bbox"]]
        row["st_time"] = row["ed_time"] = row["st_frame"] = math.nan
    (blind / "train.json").write_text(json.dumps(rows))
    for root in (synthetic, blind):
        words = ["train", "--data", str(root), "--out", str(tmp_path / root.name), *TINY, *QUICK]
        words += [
            "--set",
            "curriculum.limits=4,7",
            "--set",
            "train.select=m_vIoU",
        ]  # the recipe has none
        assert run([*words, "--prepared", str(tmp_path / f"{root.name}.features"), "--json"]) == 0
    sighted, other = (json.loads(part + "}") for part in capfd.readouterr().out.split("\n}\n")[:2])
    assert (sighted["selected_by"], other["selected_by"]) == ("m_vIoU", "loss")
    assert sighted["synthetic"]
    assert {"m_tIoU", "m_vIoU", "top-1 tubelet"} <= set(sighted["validation"])
    assert train_fake.same(tmp_path / synthetic.name / "last", tmp_path / "blind" / "last")


@pytest.mark.parametrize("name", recipes.names())
def test_recipes_are_valid_settings(name: str) -> None:
    config = resolve(recipes.find(name)).config
    assert sum(count for _, count in config.curriculum.stages) >= 10
    assert config.temporal.objective == "contrast"
    assert config.train.select == "loss"  # no truth has a part in what is learnt


def test_there_is_a_recipe_for_every_data_set(capfd: pytest.CaptureFixture[str]) -> None:
    from cospal_cli.datasets import FORMATS

    assert set(recipes.names()) == {*FORMATS, "synthetic"}
    assert run(["train", "--data", "x", "--recipe", "hcsvg"]) == 2
    assert "did you mean 'hcstvg'?" in capfd.readouterr().err
    assert run(["train", "--data", "x", "--recipe", "hcstvg", "--config", "y.yaml"]) == 2
    assert run(["train", "--data", "x"]) == 4  # no data set there


def test_several_processes_do_not_prepare(
    synthetic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("WORLD_SIZE", "2")
    features = str(tmp_path / "features")
    assert run(["train", "--data", str(synthetic), "--prepared", features]) == 2
    assert "cospal data prepare" in capfd.readouterr().err


def test_bench_measures_the_real_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from cospal_cli.bench.train import TrainBenchPlan, measure

    report = measure(TrainBenchPlan(train_fake.config(), SMALL, updates=20))
    assert report["updates"] == 20
    assert report["samples_per_s"] > 0
    assert 0 <= report["wait_share"] < 1
    assert report["hcstvg_v1_epoch_s"] == pytest.approx(4500 / report["samples_per_s"], rel=0.01)
    assert report["batch"] == 4
    from cospal_cli.commands.bench import _train_table

    assert "share of time waiting for data" in _train_table(report)


def test_help_needs_no_torch() -> None:
    code = "import sys; from cospal_cli.cli import run; run(['train', '--help']); "
    code += "assert 'torch' not in sys.modules"
    env = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=env)

"""``cospal bench ground``: every stage has a rate, and the ratios compare the same frames."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cospal_cli.bench import timing
from cospal_cli.cli import run
from tests import media, tiny_models

QUERY = "the man in the red shirt"


def test_bench_of_the_embedded_default(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    clip = media.make(tmp_path / "clip.mp4")
    arguments = ["--rounds", "1", "--batches", "1,2", "--encoders", "--compare", "fp32", "--json"]
    assert run(["bench", "ground", str(clip), QUERY, *arguments]) == 0
    report = json.loads(capfd.readouterr().out)
    assert set(report["stages"]) == {"decode", "detector", "tracker", "pipeline", "encode"}
    assert all(rate["frames_per_s"] > 0 for rate in report["stages"].values())
    assert report["frames"] == 20
    assert report["ratios"]["pipeline over detector alone"] > 0
    assert [one["batch"] for one in report["batches"]] == [1, 2]
    assert report["encoders"]["text"]["words_per_s"] > 0
    assert report["encoders"]["video"]["clips"] > 0
    agreement = report["agreement"]
    assert agreement["matched"] == report["boxes"]
    assert agreement["mean_iou"] in (None, pytest.approx(1.0))


def test_bench_prints_a_table(clip: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "ground", str(clip), QUERY, "--rounds", "1", "--duration", "1s"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].startswith("clip.mp4: 10 frames")
    assert any(line.startswith("pipeline over detector alone") for line in lines)


def test_bad_batches_are_refused(clip: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "ground", str(clip), QUERY, "--batches", "1,x"]) == 2
    assert "'--batches': '1,x': expected numbers" in capfd.readouterr().err


def test_works_take_turns_and_ratios_pair_their_rounds() -> None:
    order: list[str] = []
    spent = timing.alternate({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3)
    assert order == ["a", "b"] * 3
    assert [len(took) for took in spent.values()] == [3, 3]
    assert timing.ratio([2.0, 9.0, 4.0], [1.0, 3.0, 4.0]) == np.median([2, 3, 1])


def test_grounding_dino_is_compared_with_the_plain_loop(
    clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tiny_models.save_grounding_dino(tmp_path / "dino")
    detector = ["--detector", "grounding-dino", "--detector-model", str(folder)]
    size = ["--set", "detector.nanodet.side=64", "--duration", "0.3s", "--rounds", "1"]
    assert run(["bench", "ground", str(clip), QUERY, *detector, *size, "--json"]) == 0
    report = json.loads(capfd.readouterr().out)
    assert report["frames"] == 3
    assert report["stages"]["plain loop"]["frames_per_s"] > 0
    assert report["ratios"]["plain loop over pipeline"] > 0

"""Videos of one, two and three frames: prepared, trained on and scored like any other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cospal_cli.cli import run
from cospal_cli.prepared.folder import Prepared
from tests import media
from tests.data_folders import BIKES, cyclists, v1, write

LENGTHS = (1, 2, 3)
SMALL = ["--set", "model.dim=16", "--set", "model.ffn=16", "--set", "model.heads=2"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of each length in both splits; the truth is all of it."""
    root = tmp_path_factory.mktemp("short")
    for split in ("train", "test"):
        rows = {}
        for frames in LENGTHS:
            name = f"{split}{frames}.mp4"
            media.make(root / name, frames, size=BIKES, picture=cyclists)
            rows[name] = v1(
                bbox=[[100, 50, 60, 120]] * frames, st_frame=1, img_num=frames, fps=10,
                width=BIKES[0], height=BIKES[1], caption="the man rides",
            )  # fmt: skip
        write(root / f"{split}.json", rows)
    return root


def test_they_are_prepared_scored_and_trained_on(
    root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["data", "check", str(root)]) == 0
    assert run(["data", "prepare", str(root), "--jobs", "0"]) == 0
    samples = Prepared.open(root / "prepared").samples("test")
    assert [one.tubelets > 0 for one in samples] == [True] * len(LENGTHS)
    run_folder = str(tmp_path / "run")
    train = ["train", "--data", str(root), "--out", run_folder, "--epochs", "1,1,1", "--batch", "2"]
    assert run([*train, *SMALL]) == 0
    capfd.readouterr()
    expected = {"plain": 1.0, "hcvg": 1.0, "stcat": sum((n - 1) / n for n in LENGTHS) / 3}
    for protocol, share in expected.items():
        arguments = ["--data", str(root), "--protocol", protocol, "--method", "largest", "--json"]
        assert run(["evaluate", *arguments]) == 0
        report = json.loads(capfd.readouterr().out)["methods"]["largest"]
        assert report["empty"]["count"] == 0
        assert report["rows"]["predicted"]["m_tIoU"]["mean"] == pytest.approx(share)
    arguments = ["--data", str(root), "--checkpoint", f"{run_folder}/last", "--json"]
    assert run(["evaluate", *arguments]) == 0
    assert json.loads(capfd.readouterr().out)["methods"]["cospal"]["empty"]["count"] == 0

"""``cospal evaluate``: every row of the table, files, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cospal_cli.cli import run
from cospal_cli.datasets import read
from cospal_cli.evaluation.predictions import write_predictions
from cospal_cli.evaluation.tubes import Prediction
from cospal_cli.model.checkpoint import load, save
from cospal_cli.ranking import METHODS
from tests.test_claims import started

TESTS = 2


def evaluated(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert run(["evaluate", "--json", "--resamples", "20", *arguments]) == 0
    found: dict[str, Any] = json.loads(capfd.readouterr().out)
    return found


def test_all_methods_in_one_table(
    data: Path,
    heads: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    out = tmp_path / "report"
    arguments = ["--data", str(data), "--checkpoint", str(heads), "--method", "all"]
    assert run(["evaluate", *arguments, "-o", str(out), "--resamples", "20"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].startswith("SYNTHETIC data")
    assert lines[1].startswith(f"{TESTS} samples, plain")
    assert [line.split()[0] for line in lines[2:]] == list(METHODS)
    assert "top-1 tubelet" in lines[1]
    document = json.loads((out / "evaluation.json").read_text())
    assert document["synthetic"] is True
    assert (document["split"], document["format"]) == ("test", "hcstvg")
    assert list(document["methods"]) == list(METHODS)
    for report in document["methods"].values():
        assert (report["samples"], report["missing"]["count"]) == (TESTS, 0)
        assert "whole tubelet" in report["rows"]
        best = report["rows"]["oracle tubelet and time"]["m_vIoU"]["mean"]
        assert best >= report["rows"]["predicted"]["m_vIoU"]["mean"]
        assert best > 0.5
        assert {"tubelets", "actions"} <= {group["kind"] for group in report["groups"]}
    with Image.open(out / "distributions.png") as picture:
        assert picture.format == "PNG"
    names = {path.name for path in out.iterdir()}
    assert names == {"evaluation.json", "distributions.png"} | {
        f"{name}.predictions.json" for name in METHODS
    }
    assert run(["evaluate", *arguments, "-o", str(out)]) == 2
    assert "replace it with --overwrite" in capfd.readouterr().err


def test_a_checkpoint_alone_is_one_method_with_details(
    data: Path, heads: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", "--data", str(data), "--checkpoint", str(heads)]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[2].startswith("cospal ")
    assert any(line.startswith("  oracle time") for line in lines)


@pytest.mark.parametrize("columns", ["100", "80", "60", "", "no number"])
def test_the_table_fits(
    data: Path, columns: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    arguments = ["--data", str(data), "--method", "largest", "--method", "random"]
    assert run(["evaluate", *arguments, "--details"]) == 0
    out = capfd.readouterr().out
    assert max(map(len, out.splitlines())) <= (int(columns) if columns.isdigit() else 100)
    for word in ("m_tIoU", "top-1 by chance", "oracle tubelet and time", "largest", "random"):
        assert word in out


def test_predictions_that_were_written_score_the_same_when_read(
    data: Path, heads: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--data", str(data), "--checkpoint", str(heads), "--segment", "vote"]
    first = evaluated([*arguments, "-o", str(tmp_path / "out")], capfd)
    file = tmp_path / "out" / "cospal.predictions.json"
    again = evaluated(["--data", str(data), "--predictions", str(file)], capfd)
    rows = [first["methods"]["cospal"], again["methods"]["cospal.predictions.json"]]
    for metric in ("m_tIoU", "m_vIoU", "vIoU@0.3"):
        one, other = (row["rows"]["predicted"][metric] for row in rows)
        assert one == pytest.approx(other, abs=1e-6)
    assert first["config"]["ground"]["segment"] == "vote"
    assert first["checkpoint"]["path"] == str(heads)


def test_a_perfect_file_scores_1_and_what_lacks_is_told(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    truths = read(data, "test", truth=True).truths
    perfect = {one: Prediction(truth.track, truth.span) for one, truth in truths.items()}
    file = tmp_path / "perfect.json"
    write_predictions(file, perfect)
    rows = evaluated(["--data", str(data), "--predictions", str(file)], capfd)["methods"]
    assert rows["perfect.json"]["rows"]["predicted"]["m_vIoU"]["mean"] == pytest.approx(1)
    perfect.pop(next(iter(perfect)))
    write_predictions(file, perfect)
    arguments = ["--data", str(data), "--predictions", str(file), "--protocol", "hcvg"]
    assert run(["evaluate", *arguments]) == 0
    out = capfd.readouterr().out
    assert f"perfect.json: 1 of {TESTS} predictions are missing and count 0" in out
    assert f"{TESTS} samples, hcvg" in out
    assert "50.0" in out


def test_tube_files_of_ground_are_predictions(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    record = read(data, "test", truth=False).records[0]
    boxes = data / "detections" / f"{record.video.stem}.jsonl"
    arguments = [str(record.video), record.text, "--detections", str(boxes), "--no-video"]
    assert run(["ground", *arguments, "-o", str(tmp_path)]) == 0
    (file,) = tmp_path.iterdir()
    own = evaluated(["--data", str(data), "--method", "zero-shot"], capfd)["methods"]
    for given, code in ((file, 0), (tmp_path, 0), (data, 2)):
        assert run(["evaluate", "--data", str(data), "--json", "--predictions", str(given)]) == code
        shown = capfd.readouterr()
    assert "*.tube.json" in shown.err
    found = evaluated(["--data", str(data), "--predictions", str(file)], capfd)["methods"]
    report = found[file.name]
    assert report["missing"]["count"] == TESTS - 1
    assert report["rows"]["predicted"]["m_tIoU"]["mean"] > 0
    assert own["zero-shot"]["missing"]["count"] == 0


def test_predictions_that_are_left_out_are_named_and_end_with_3(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first, second = read(data, "test", truth=True).truths
    good = {"st_frame": 1, "ed_frame": 2, "bbox": {"1": [0, 0, 9, 9]}}
    file = tmp_path / "answers.json"
    file.write_text(json.dumps({first: good, second: good | {"st_frame": "1"}, "x": good}))
    assert run(["evaluate", "--data", str(data), "--predictions", str(file)]) == 3
    shown = capfd.readouterr()
    assert f"{second!r} is left out: st_frame: expected a whole number" in shown.err
    assert "1 predictions belong to no ground truth and are left out (x)" in shown.out
    file.write_text(json.dumps({"x": good}))
    assert run(["evaluate", "--data", str(data), "--predictions", str(file)]) == 4
    file.write_text(json.dumps([good]))
    assert run(["evaluate", "--data", str(data), "--predictions", str(file)]) == 2


def test_the_same_answers_twice(data: Path, heads: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["--data", str(data), "--checkpoint", str(heads), "--method", "all"]
    assert evaluated(arguments, capfd) == evaluated(arguments, capfd)
    one = evaluated(["--data", str(data), "--method", "random"], capfd)
    other = [
        evaluated(["--data", str(data), "--method", "random", "--seed", str(seed)], capfd)
        for seed in range(1, 6)
    ]
    assert any(one["methods"] != found["methods"] for found in other)


def test_held_out_records_can_be_scored(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = evaluated(["--data", str(data), "--split", "validation", "--method", "largest"], capfd)
    assert found["methods"]["largest"]["samples"] >= 1
    assert found["methods"]["largest"]["unknown"]["count"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "best"], "unknown method 'best'"),
        (["--method", "cospal"], "method 'cospal' needs trained heads"),
        (["--checkpoint", "HEADS", "--method", "random"], "--checkpoint is not used by random"),
        (["--protocol", "mine"], "unknown protocol 'mine'"),
        (["--split", "dev"], "unknown split 'dev'"),
        (["--segment", "middle"], "--segment: ground.segment: unknown value 'middle'"),
        (["--checkpoint", "nowhere"], "is not a checkpoint of the heads"),
        (["-o", "report.json"], "expected a folder"),
    ],
)
def test_wrong_usage_ends_with_2(
    data: Path, heads: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    given = [str(heads) if word == "HEADS" else word for word in arguments]
    assert run(["evaluate", "--data", str(data), *given]) == 2
    assert message in capfd.readouterr().err


def test_features_of_another_training_are_refused_with_both_sides(
    data: Path, heads: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model, metadata = load(heads)
    clips = {**metadata.features["clips"], "fps": 8}
    save(tmp_path, model, replace(metadata, features={**metadata.features, "clips": clips}))
    assert run(["evaluate", "--data", str(data), "--checkpoint", str(tmp_path)]) == 2
    assert "clips.fps: trained on 8, found 2" in capfd.readouterr().err


def test_a_checkpoint_that_tells_of_no_numbers_still_gives_json(
    data: Path, heads: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model, metadata = load(heads)
    told = {**metadata.trained, "best": float("nan"), "more": [float("-inf"), {"x": 1e400}]}
    save(tmp_path, model, replace(metadata, trained=told))
    found = evaluated(["--data", str(data), "--checkpoint", str(tmp_path)], capfd)
    assert found["checkpoint"]["trained"]["best"] is None
    assert found["checkpoint"]["trained"]["more"] == [None, {"x": None}]


def test_a_damaged_file_of_features_is_named(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "prepared"
    shutil.copytree(data / "prepared", copy)
    for file in (copy / "videos").iterdir():
        file.write_bytes(file.read_bytes()[:-50])
    arguments = ["--data", str(data), "--prepared", str(copy), "--method", "largest"]
    assert run(["evaluate", *arguments]) == 4
    err = capfd.readouterr().err
    assert ".safetensors: damaged" in err
    assert "hint: " in err


def test_features_of_other_data_are_refused(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    shutil.copytree(data, other, ignore=shutil.ignore_patterns("prepared"))
    rows = json.loads((other / "test.json").read_text())
    for number, video in enumerate(sorted(rows)):
        (path,) = other.rglob(video)
        path.rename(path.with_name(f"{number}_other.mp4"))
        rows[f"{number}_other.mp4"] = rows.pop(video)
    (other / "test.json").write_text(json.dumps(rows))
    arguments = ["--data", str(other), "--prepared", str(data / "prepared")]
    assert run(["evaluate", *arguments]) == 4
    assert "holds no record of this data set's split 'test'" in capfd.readouterr().err


def test_without_features_or_truths_it_says_so(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for arguments, words in (
        (["--data", str(data), "--prepared", str(empty)], "holds no prepared features"),
        (["--data", str(empty)], "no annotation file"),
        (["--data", str(data), "--predictions", str(tmp_path / "x.json")], "cannot read"),
    ):
        assert run(["evaluate", *arguments]) == 4
        assert words in capfd.readouterr().err


def test_outputs_are_claimed_and_inputs_protected(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report"
    out.mkdir()
    arguments = ["evaluate", "--data", str(data), "--method", "zero-shot", "-o", str(out)]
    other = started(out / "zero-shot.predictions.json")
    assert run(arguments) == 2
    assert f"process {other.pid}\n" in capfd.readouterr().err
    other.kill()
    other.wait()
    assert run([*arguments, "--resamples", "0"]) == 0
    found = out / "zero-shot.predictions.json"
    before = found.read_bytes()
    capfd.readouterr()
    assert run([*arguments, "--predictions", str(found), "--overwrite"]) == 2
    assert "is the input itself: --predictions" in capfd.readouterr().err
    assert found.read_bytes() == before
    assert not list(out.glob(".cospal*"))

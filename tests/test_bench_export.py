"""``cospal bench export``: every runtime that is here, and why the others are not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cospal_cli.cli import run
from tests.exported import exported

COMMON = ["--tubelets", "1,3", "--words", "2", "--frames", "4", "--clips", "5", "--rounds", "2"]


def test_every_runtime_is_timed_and_drawn(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source, folder = exported()
    heads = ["--checkpoint", str(source), "--exported", str(folder), "--gpu", "--threads", "1"]
    picture = tmp_path / "heads.png"
    assert run(["bench", "export", *heads, *COMMON, "--json", "-o", str(picture)]) == 0
    report = json.loads(capfd.readouterr().out)
    assert [(one["K"], one["N"]) for one in report["points"]] == [(1, 2), (3, 2)]
    assert report["runtimes"][:2] == ["torch eager", "onnx fp32"]
    for point in report["points"]:
        assert list(point["times"]) == report["runtimes"]
        assert point["times"]["torch eager"]["times_eager"] == 1
        assert 0 < point["times"]["onnx fp32"]["least_ms"] <= point["times"]["onnx fp32"]["ms"]
        assert point["times"]["onnx fp32"]["max_abs"] < 1e-5
    known = set(report["runtimes"]) | set(report["skipped"])
    assert {"onnx fp32, cuda", "onnx fp32, tensorrt", "tensorrt fp16"} <= known
    if report["gpu"] is None:
        assert "CUDAExecutionProvider" in report["skipped"]["onnx fp32, cuda"]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_table_says_what_was_skipped(capfd: pytest.CaptureFixture[str]) -> None:
    source, folder = exported()
    heads = ["--checkpoint", str(source), "--exported", str(folder), "--gpu"]
    assert run(["bench", "export", *heads, *COMMON]) == 0
    told = capfd.readouterr().out
    assert "medians of 2 rounds in turns" in told
    assert re.search(r"^onnx fp32 +3 +2 ", told, re.MULTILINE)
    assert run(["bench", "export", "--tubelets", "x"]) == 2
    assert "'--tubelets': 'x'" in capfd.readouterr().err


def test_the_picture_replaces_nothing_that_is_read(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source, _ = exported()
    linked = tmp_path / "heads.png"
    linked.symlink_to(source / "model.safetensors")
    before = linked.read_bytes()
    for output, words in ((linked, "is the input itself"), (tmp_path / "x.mp4", "expected a .png")):
        arguments = ["--checkpoint", str(source), "-o", str(output)]
        assert run(["bench", "export", *arguments, *COMMON]) == 2
        assert words in capfd.readouterr().err
    assert linked.read_bytes() == before

"""Predictions in HC-STVG's own form, and reports as tables."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cospal_cli.core.errors import InputError
from cospal_cli.evaluation.predictions import read_predictions, write_predictions
from cospal_cli.evaluation.summary import evaluate
from cospal_cli.evaluation.table import table
from cospal_cli.evaluation.tubes import Prediction, Track, Truth


def track(start: int, end: int) -> Track:
    frames = np.arange(start, end)
    return Track(frames, np.stack([frames, frames, frames + 20, frames + 9], axis=1) / 3)


def test_round_trip(tmp_path: Path) -> None:
    file = tmp_path / "predictions.json"
    told = {
        "a": Prediction(track(0, 30), (5, 12)),
        "b": None,
        "c": Prediction(track(0, 3), (9, 12)),
    }
    write_predictions(file, told)
    row = json.loads(file.read_text())["a"]
    assert (row["st_frame"], row["ed_frame"]) == (6, 12)  # from 1, the last one included
    assert list(row["bbox"])[::6] == ["6", "12"]
    found, bad = read_predictions(file)
    assert bad == []
    assert found["a"] is not None
    assert found["a"].span == (5, 12)
    assert found["a"].tube.frames.tolist() == list(range(5, 12))
    np.testing.assert_array_equal(found["a"].tube.boxes_xyxy, told["a"].tube.boxes_xyxy)  # type: ignore[union-attr]
    assert found["b"] is found["c"] is None


def test_bad_predictions_are_named(tmp_path: Path) -> None:
    good = {"st_frame": 1, "ed_frame": 1, "bbox": {"1": [0, 0, 1, 1]}}
    rows: dict[str, Any] = {
        "good": good,
        "no box": {"st_frame": 1, "ed_frame": 1},
        "nan": good | {"bbox": {"1": [0, 0, float("nan"), 1]}},
        "short": good | {"bbox": {"1": [0, 0, 1]}},
        "words": good | {"bbox": {"one": [0, 0, 1, 1]}},
        "list": [1],
    }
    file = tmp_path / "predictions.json"
    file.write_text(json.dumps(rows))
    found, bad = read_predictions(file)
    assert list(found) == ["good"]
    assert [text.split("'")[1] for text in bad] == list(rows)[1:]


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"{"])
def test_files_that_hold_none(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "predictions.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match="predictions"):
        read_predictions(file)
    with pytest.raises(InputError, match="predictions"):
        read_predictions(tmp_path / "none.json")


def test_table() -> None:
    truths = {"a": Truth((5, 12), track(5, 12), (0, 40), 5.0)}
    truths["b"] = Truth((5, 12), track(5, 12), (0, 40), 5.0, form="interrogative")
    tubelets = (track(0, 30), track(8, 30))
    right = evaluate({"a": Prediction(tubelets[0], (5, 12), tubelets)}, truths)
    lines = table({"cospal": right, "nothing": evaluate({}, truths, resamples=0)})
    assert lines[0] == "cospal: 1 of 2 predictions are missing and count 0 (b)"
    assert lines[1] == "nothing: 2 of 2 predictions are missing and count 0 (a, b)"
    assert lines[2].split()[:4] == ["2", "samples,", "plain", "m_tIoU"]
    assert lines[3].startswith("cospal")
    assert lines[3].split()[1:4] == ["50.0", "[0.0,", "100.0]"]
    assert lines[4].split() == ["nothing"] + ["0.0"] * 5
    assert lines[5:7] == ["", "cospal"]
    assert any(line.startswith("  oracle tubelet and time") for line in lines[7:])
    assert any(line.startswith("  form declarative (1)") for line in lines[7:])
    assert "nothing" in lines[7:]
    assert table({"cospal": right}, details=False) == [lines[0], lines[2], lines[3]]

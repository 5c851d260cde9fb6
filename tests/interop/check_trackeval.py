"""trackeval: MOT and TAO as the truth and as a tracker's result; HOTA is 1."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import trackeval
from common import error, from_xywh, run

Tubes = dict[int, dict[int, list[float]]]
PLAIN = {"PRINT_CONFIG": False, "TRACKERS_TO_EVAL": ["cospal"]}


def check(folder: Path, case: dict[str, Any]) -> dict[str, float]:
    """Both forms in the folders that trackeval wants."""
    with tempfile.TemporaryDirectory() as scratch:
        return {
            "mot by trackeval": _mot(folder, Path(scratch), case),
            "tao by trackeval": _tao(folder, Path(scratch), case),
        }


def _mot(folder: Path, scratch: Path, case: dict[str, Any]) -> float:
    truth, result = scratch / "gt" / "clip", scratch / "trackers" / "cospal" / "data"
    shutil.copytree(folder / "clip.mot", truth)
    result.mkdir(parents=True)
    shutil.copy(folder / "clip.mot" / "tracks.txt", result / "clip.txt")
    data = trackeval.datasets.MotChallenge2DBox({
        **PLAIN, "GT_FOLDER": str(scratch / "gt"), "TRACKERS_FOLDER": str(scratch / "trackers"),
        "DO_PREPROC": False, "SKIP_SPLIT_FOL": True, "SEQ_INFO": {"clip": None},
    })  # fmt: skip
    _perfect(data)
    raw = data.get_raw_seq_data("cospal", "clip")
    tubes: Tubes = {}
    for frame, (ids, boxes) in enumerate(zip(raw["gt_ids"], raw["gt_dets"], strict=True)):
        for number, box in zip(ids, boxes, strict=True):
            tubes.setdefault(int(number), {})[frame] = [side - 1 for side in from_xywh(box)]
    return error([tubes[one] for one in sorted(tubes)], case, 0.0101)


def _tao(folder: Path, scratch: Path, case: dict[str, Any]) -> float:
    truth, result = scratch / "tao", scratch / "results" / "cospal" / "data"
    truth.mkdir()
    result.mkdir(parents=True)
    shutil.copy(folder / "clip.tao.json", truth)
    rows = json.loads((folder / "clip.tao.json").read_text(encoding="utf-8"))
    (result / "results.json").write_text(json.dumps(rows["annotations"]))
    data = trackeval.datasets.TAO({
        **PLAIN, "GT_FOLDER": str(truth), "TRACKERS_FOLDER": str(scratch / "results"),
    })  # fmt: skip
    _perfect(data)
    raw = data.get_raw_seq_data("cospal", "clip")
    frames = sorted(row["frame_index"] for row in rows["images"])
    tubes: Tubes = {}
    for frame, ids, boxes in zip(frames, raw["gt_ids"], raw["gt_dets"], strict=True):
        for number, box in zip(ids, boxes, strict=True):
            tubes.setdefault(int(number), {})[frame] = from_xywh(box)
    return error([tubes[one] for one in sorted(tubes)], case, 0.01)


def _perfect(data: Any) -> None:
    config = {"PRINT_RESULTS": False, "PRINT_CONFIG": False, "TIME_PROGRESS": False}
    config |= {"OUTPUT_SUMMARY": False, "OUTPUT_DETAILED": False, "PLOT_CURVES": False}
    config |= {"BREAK_ON_ERROR": True}
    with contextlib.redirect_stdout(io.StringIO()):
        results, _ = trackeval.Evaluator(config).evaluate([data], [trackeval.metrics.HOTA()])
    for sequence in results[data.get_name()]["cospal"].values():
        for name, scores in sequence.items():
            if "HOTA" in scores:
                assert scores["HOTA"]["HOTA"].min() > 1 - 1e-9, f"{name}: {scores['HOTA']['HOTA']}"


run(check)

"""label_studio_sdk: the predictions are valid by the labelling config that comes with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from common import error, run
from label_studio_sdk.label_interface import LabelInterface


def check(folder: Path, case: dict[str, Any]) -> dict[str, float]:
    """Percentages back to pixels, frames back to 0."""
    config = (folder / "clip.label-studio.xml").read_text(encoding="utf-8")
    tasks = json.loads((folder / "clip.label-studio.json").read_text(encoding="utf-8"))
    interface = LabelInterface(config)
    width, height = case["size"]
    tubes = []
    for task in tasks:
        assert task["data"]["query"] in case["texts"]
        for prediction in task["predictions"]:
            faults = interface.validate_prediction(prediction, return_errors=True)
            assert not faults, faults
            for region in prediction["result"]:
                if region["type"] == "videorectangle":
                    rows = region["value"]["sequence"]
                    assert [row["enabled"] for row in rows].index(False) == len(rows) - 1
                    assert rows[-1]["frame"] <= region["value"]["framesCount"]
                    tubes.append({row["frame"] - 1: _pixels(row, width, height) for row in rows})
                else:
                    (span,) = region["value"]["ranges"]
                    frames = sorted(tubes[-1])
                    assert (span["start"], span["end"]) == (frames[0] + 1, frames[-1] + 1)
    return {"label-studio by label_studio_sdk": error(tubes, case, 0.01)}


def _pixels(row: dict[str, float], width: int, height: int) -> list[float]:
    left, top = row["x"] * width / 100, row["y"] * height / 100
    return [left, top, left + row["width"] * width / 100, top + row["height"] * height / 100]


run(check)

"""fiftyone's reader of CVAT videos: what it would show, frame by frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from common import error, run
from fiftyone.utils.cvat import load_cvat_video_annotations


def check(folder: Path, case: dict[str, Any]) -> dict[str, float]:
    """fiftyone counts frames from 1 and rounds sides to whole pixels."""
    _, labels, tracks = load_cvat_video_annotations(str(folder / "clip.cvat.xml"))
    names = {tube["label"] for tube in case["tubes"]}
    assert {label["name"] for label in labels.labels} >= names
    tubes = [_shown(track, case) for track in tracks]
    return {"cvat by fiftyone": error(tubes, case, 0.501)}


def _shown(track: Any, case: dict[str, Any]) -> dict[int, list[float]]:
    width, height = case["size"]
    shown = {}
    for number, label in track.to_labels().items():
        assert label["query"] in case["texts"]
        left, top, across, down = label.bounding_box
        shown[number - 1] = [
            left * width, top * height, (left + across) * width, (top + down) * height
        ]  # fmt: skip
    return shown


run(check)

"""datumaro, which CVAT imports by: CVAT, MOT and COCO."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from common import error, from_xywh, run
from datumaro.components.dataset import Dataset

Tubes = dict[int, dict[int, list[float]]]


def check(folder: Path, case: dict[str, Any]) -> dict[str, float]:
    """Each form in a folder of its own, as datumaro wants it."""
    with tempfile.TemporaryDirectory() as scratch:
        return {
            "cvat by datumaro": _cvat(folder, Path(scratch), case),
            "mot by datumaro": _mot(folder, case),
            "coco by datumaro": _coco(folder, Path(scratch), case),
        }


def _cvat(folder: Path, scratch: Path, case: dict[str, Any]) -> float:
    (scratch / "cvat").mkdir()
    shutil.copy(folder / "clip.cvat.xml", scratch / "cvat" / "annotations.xml")
    data = Dataset.import_from(str(scratch / "cvat"), "cvat")
    tubes: Tubes = {}
    for item in data:
        for one in item.annotations:
            names = data.categories()[next(iter(data.categories()))].items
            assert names[one.label].name in {tube["label"] for tube in case["tubes"]}
            assert one.attributes["query"] in case["texts"]
            if not one.attributes["outside"]:
                frame = int(item.attributes.get("frame", item.id.rpartition("_")[2]))
                tubes.setdefault(one.attributes["track_id"], {})[frame] = list(one.points)
    return error(_sorted(tubes), case, 0.005)


def _mot(folder: Path, case: dict[str, Any]) -> float:
    """MOT counts frames and pixels from 1; datumaro keeps both as they are."""
    tubes: Tubes = {}
    for item in Dataset.import_from(str(folder / "clip.mot"), "mot_seq"):
        for one in item.annotations:
            box = [side - 1 for side in one.points]
            assert one.label is not None
            tubes.setdefault(one.attributes["track_id"], {})[int(item.id) - 1] = box
    return error(_sorted(tubes), case, 0.0101)


def _coco(folder: Path, scratch: Path, case: dict[str, Any]) -> float:
    (scratch / "coco" / "annotations").mkdir(parents=True)
    (scratch / "coco" / "images").mkdir()
    target = scratch / "coco" / "annotations" / "instances_clip.json"
    shutil.copy(folder / "clip.coco.json", target)
    tracks = {row["id"]: row["track_id"] for row in json.loads(target.read_text())["annotations"]}
    tubes: Tubes = {}
    for item in Dataset.import_from(str(scratch / "coco"), "coco"):
        for one in item.annotations:
            frame = int(Path(item.id).name)
            tubes.setdefault(tracks[one.id], {})[frame] = from_xywh(one.get_bbox())
    return error(_sorted(tubes), case, 0.01)


def _sorted(tubes: Tubes) -> Iterable[dict[int, list[float]]]:
    return [tubes[one] for one in sorted(tubes)]


run(check)

"""pycocotools: the annotations, as truth and as results; perfect against themselves."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

from common import error, from_xywh, run
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def check(folder: Path, case: dict[str, Any]) -> dict[str, float]:
    """COCO's file and TAO's, which is one with more in it."""
    forms = ("coco", "tao")
    return {f"{one} by pycocotools": _check(folder / f"clip.{one}.json", case) for one in forms}


def _check(path: Path, case: dict[str, Any]) -> float:
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(path))
        rows = truth.loadAnns(truth.getAnnIds())
        keys = ("image_id", "category_id", "bbox", "score")
        results = truth.loadRes([{key: row[key] for key in keys} for row in rows])
        score = COCOeval(truth, results, "bbox")
        score.evaluate()
        score.accumulate()
        score.summarize()
    assert score.stats[0] > 0.999, f"AP {score.stats[0]} against itself"
    tubes: dict[int, dict[int, list[float]]] = {}
    for row in rows:
        frame = truth.loadImgs(row["image_id"])[0]["frame_index"]
        tubes.setdefault(row["track_id"], {})[frame] = from_xywh(row["bbox"])
    return error([tubes[one] for one in sorted(tubes)], case, 0.01)


run(check)

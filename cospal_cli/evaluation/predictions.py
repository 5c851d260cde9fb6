"""Predictions in HC-STVG's own form, which its evaluation script reads.

One JSON object: record id -> ``{"st_frame", "ed_frame", "bbox": {"<frame>": [x1, y1, x2, y2]}}``.
Frames count from 1, as in the annotations, and ``ed_frame`` is the last one. null: nothing found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cospal_cli.core import files
from cospal_cli.core.errors import InputError
from cospal_cli.evaluation.tubes import Prediction, Track


def write_predictions(path: Path, predictions: Mapping[str, Prediction | None]) -> None:
    """Write the tubes of ``predictions`` (id -> answer), whole or not at all."""
    rows = {one: _row(found.tube) if found else None for one, found in predictions.items()}
    files.write_text(path, json.dumps(rows, allow_nan=False) + "\n")


def read_predictions(path: Path) -> tuple[dict[str, Prediction | None], list[str]]:
    """The predictions in a file, and a sentence for each one that had to be left out.

    InputError where the file is no such object.
    """
    try:
        rows = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"cannot read predictions from {str(path)!r}: {error!s:.200}") from error
    if not isinstance(rows, dict):
        raise InputError(
            f"{str(path)!r} holds no predictions, found {type(rows).__name__}",
            "expected an object: record id -> {st_frame, ed_frame, bbox}",
        )
    found: dict[str, Prediction | None] = {}
    bad = []
    for one, row in rows.items():
        try:
            found[one] = _prediction(row) if row else None
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            bad.append(f"{one!r} is left out: {error!r:.200}")
    return found, bad


def _row(tube: Track) -> dict[str, Any] | None:
    if not len(tube):
        return None
    start, end = tube.span
    boxes = zip(tube.frames.tolist(), tube.boxes_xyxy.tolist(), strict=True)
    return {
        "st_frame": start + 1,
        "ed_frame": end,
        "bbox": {str(frame + 1): box for frame, box in boxes},
    }


def _prediction(row: Mapping[str, Any]) -> Prediction:
    boxes = sorted((int(frame) - 1, box) for frame, box in row["bbox"].items())
    values = np.array([box for _, box in boxes], np.float64).reshape(len(boxes), 4)
    track = Track(np.array([frame for frame, _ in boxes], np.int64), values)
    return Prediction(track, (int(row["st_frame"]) - 1, int(row["ed_frame"])))

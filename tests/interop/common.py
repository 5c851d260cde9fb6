"""What the checks share; they run where neither cospal nor NumPy need be."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Box = Sequence[float]  # xyxy, pixels
Boxes = Mapping[int, Box]  # by 0-based frame


def run(check: Callable[[Path, dict[str, Any]], dict[str, float]]) -> None:
    """Run ``check`` on each case of the folder named; print the worst box error of each form."""
    folder = Path(sys.argv[1])
    worst: dict[str, float] = {}
    for name, case in json.loads((folder / "expected.json").read_text(encoding="utf-8")).items():
        try:
            found = check(folder / name, case)
        except Exception as error:
            raise SystemExit(f"{name}: {type(error).__name__}: {error}") from error
        for form, error_px in found.items():
            worst[form] = max(worst.get(form, 0.0), error_px)
    print("RESULT " + json.dumps(worst))


def error(found: Sequence[Boxes], case: dict[str, Any], limit: float) -> float:
    """The greatest difference of a side, in pixels; frames must be the same, boxes within
    ``limit``."""
    tubes = [{int(frame): box for frame, box in one["boxes"].items()} for one in case["tubes"]]
    assert len(found) == len(tubes), f"{len(found)} tubes, expected {len(tubes)}"
    worst = 0.0
    for one, tube in zip(found, tubes, strict=True):
        assert sorted(one) == sorted(tube), f"other frames: {sorted(one)[:3]}..., {len(one)}"
        for frame, box in tube.items():
            worst = max(worst, *(abs(a - b) for a, b in zip(one[frame], box, strict=True)))
    assert worst <= limit, f"off by {worst} px"
    return worst


def from_xywh(box: Box) -> list[float]:
    """Corners."""
    left, top, width, height = map(float, box)
    return [left, top, left + width, top + height]

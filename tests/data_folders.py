"""Makers of tiny data sets in the forms of HC-STVG and VidSTG, whole or with one thing wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from tests import media

FRAMES = 20
SIZE = media.SIZE
BIKES = (640, 272)  # the size of the example clip
NAMES = ("65_xp67EC-Hvwk.mp4", "7__Gvp-cj3bmIY.mp4", "12_-vfjywN5CN0.mp4")


@cache
def _bikes() -> NDArray[np.uint8]:
    with av.open(str(Path(__file__).parent.parent / "examples" / "bikes.mp4")) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")  # type: ignore[return-value]


def cyclists(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The first picture of the example clip, of size BIKES, moving to the right."""
    return np.roll(_bikes(), 4 * number, axis=1)


def v1(**changed: Any) -> dict[str, Any]:
    """A record of HC-STVG v1: boxes on 0-based frames 4 to 9."""
    row = {
        "bbox": [[10 + at, 8, 20, 30] for at in range(6)],
        "st_time": 0.4, "ed_time": 1.9, "st_frame": 5, "img_num": FRAMES,
        "caption": "The man  in the hat points to the front.\u00a0",
        "width": SIZE[0], "height": SIZE[1],
    }  # fmt: skip
    return {key: value for key, value in (row | changed).items() if value is not ...}


def v2(**changed: Any) -> dict[str, Any]:
    """The same of HC-STVG v2."""
    size = {"img_size": [SIZE[1], SIZE[0], 3], "width": ..., "height": ...}
    words = {"caption": ..., "English": "The man stands up.", "Chinese": "男人站起来。"}
    return v1(**(size | words | {"ed_frame": 17} | changed))


def hcstvg(root: Path, records: Any = None, file: str = "train.json") -> Path:
    """A folder with NAMES as videos and ``records`` (default: one per video) in ``file``.

    ``records`` may be text or bytes, to be written as they are.
    """
    videos(root / "videos" / "part1", NAMES)
    rows = {name: v1() for name in NAMES} if records is None else records
    write(root / file, rows)
    return root


def relation(vid: str = "10712559773", **changed: Any) -> dict[str, Any]:
    """An item of VidSTG: one sentence and one question about target 2, frames 6 to 13."""
    item = {
        "vid": vid, "fps": 10.0, "frame_count": FRAMES, "width": SIZE[0], "height": SIZE[1],
        "used_segment": {"begin_fid": 2, "end_fid": 17},
        "subject/objects": [{"tid": 2, "category": "child"}],
        "temporal_gt": {"begin_fid": 6, "end_fid": 14},
        "captions": [{"description": "the child watches the ball.\u00a0", "target_id": 2}],
        "questions": [{"description": "who is watching the ball?", "target_id": 2}],
    }  # fmt: skip
    return item | changed


def vidor(gaps: tuple[int, ...] = (), box: Mapping[str, float] | None = None) -> dict[str, Any]:
    """VidOR boxes: target 0 everywhere, target 2 on frames 4 to 15 but for ``gaps``."""
    sides = box or {"xmin": 5, "ymin": 6, "xmax": 25, "ymax": 46}
    other = {"tid": 0, "bbox": {"xmin": 0, "ymin": 0, "xmax": 9, "ymax": 9}}
    frames: list[Any] = [[other] for _ in range(FRAMES)]
    for frame in set(range(4, 16)) - set(gaps):
        frames[frame].append({"tid": 2, "bbox": sides, "generated": 0, "tracker": "none"})
    return {"trajectories": frames}


def vidstg(root: Path, items: list[Any] | None = None, boxes: dict[str, Any] | None = None) -> Path:
    """A folder with ``items`` as the test split, one video and its VidOR file."""
    vid = "10712559773"
    videos(root / "video" / "1025", [f"{vid}.mp4"])
    write(root / "annotations" / "test_annotations.json", [relation()] if items is None else items)
    write(root / "annotation" / "validation" / "1025" / f"{vid}.json", boxes or vidor())
    return root


def videos(folder: Path, names: tuple[str, ...] | list[str]) -> None:
    """A clip of FRAMES frames under each name."""
    folder.mkdir(parents=True, exist_ok=True)
    first = media.make(folder / names[0], FRAMES)
    for name in names[1:]:
        (folder / name).write_bytes(first.read_bytes())


def write(path: Path, value: Any) -> None:
    """``value`` as JSON; text and bytes as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(value, bytes):
        path.write_bytes(value)
    else:
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")

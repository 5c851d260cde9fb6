"""HC-STVG v1 and v2: one object per split, key = video file name, one sentence and one tube each.

Boxes are [x, y, w, h], one per frame from ``st_frame``, which counts from 1. ``ed_time`` and
``ed_frame`` are not the end of the boxes and are ignored, as is ``st_time``. A record may hold its
own ``fps`` (the synthetic set's do); else it is frames / 20, all clips being 20 s long.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import numpy as np

from cospal_cli.core.json_types import Json
from cospal_cli.core.observation import FrameSpan
from cospal_cli.core.progress import Progress, silent
from cospal_cli.core.reading import open_regular
from cospal_cli.datasets.format import Format
from cospal_cli.datasets.records import Bad, Record, SplitRecords
from cospal_cli.datasets.tree import Tree
from cospal_cli.datasets.values import (
    boxes_within,
    four,
    number,
    rate,
    read_object,
    sentence,
    table,
    whole,
)
from cospal_cli.evaluation.tubes import Track, Truth

FILES_V1 = {"train": ("train.json",), "val": ("val.json",), "test": ("test.json",)}
FILES_V2 = {
    "train": ("train_v2.json", "trainv2.json", "HCVG_train.json"),
    "val": ("val_v2.json", "valv2.json", "HCVG_val.json"),
    "test": ("query_v2.json", "test_v2.json", "testv2.json", "HCVG_query.json"),
}
CLIP_S = 20
_CLIP = re.compile(r"\d+_([\w-]{11})")  # <clip number>_<YouTube id>; the id may begin with _ or -
_SENTENCES = ("caption", "English", "english", "description")
# How files with such common names begin where they are of another kind of data set.
_OTHERS = re.compile(rb'\s*(\[|\{\s*"(videos|trajectories|images|annotations)")')


def read(
    tree: Tree, path: Path, split: str, truth: bool, progress: Progress = silent
) -> SplitRecords:
    """The records of the file ``path``, with their truths if wanted. Raises Bad for the file."""
    rows, again = read_object(path)
    records = SplitRecords(split, sources=[source(name) for name in rows])
    for name in again:
        records.note("duplicate-id", name, "the first one is kept")
    boxed = any(isinstance(row, dict) and "bbox" in row for row in rows.values())
    if truth and not boxed:
        records.note("no-truth", path.name, f"{len(rows)} sentences without boxes")
    for done, (name, row) in enumerate(rows.items()):
        if not done % 1000:
            progress("read", done, len(rows))
        with records.record(name):
            row = table({"caption": row} if isinstance(row, str) else row, "the record")
            record = _record(tree, name, row, records)
            records.add(record, _truth(record, row, records) if truth and boxed else None)
    return records


def source(name: str) -> str:
    """The film that a clip was cut from: its YouTube id, or the clip itself where there is none."""
    stem = Path(name).stem
    clip = _CLIP.fullmatch(stem)
    return clip[1] if clip else stem


def _record(tree: Tree, name: str, row: Json, records: SplitRecords) -> Record:
    video, remarks = tree.video(name)
    for kind, detail in remarks:
        records.note(kind, name, detail)
    return Record(
        id=name,
        video=video,
        text=sentence(next((row[key] for key in _SENTENCES if key in row), None)),
        source=source(name),
        size=_size(row),
        frames=whole(row, "img_num", 1) if "img_num" in row else None,
        fps=rate(row) if "fps" in row else None,
    )


def _size(row: Json) -> tuple[int, int] | None:
    """Width and height; v2 has [height, width, channels]."""
    if "img_size" in row:
        size = row["img_size"]
        if not isinstance(size, list) or len(size) < 2:
            raise Bad("bad-record", f"img_size: expected [height, width, 3], found {size!r:.60}")
        row = {"width": size[1], "height": size[0]}
    if "width" not in row and "height" not in row:
        return None
    return whole(row, "width", 1), whole(row, "height", 1)


def _truth(record: Record, row: Json, records: SplitRecords) -> Truth:
    if not isinstance(row.get("bbox"), list) or not row["bbox"]:
        raise Bad("missing-truth", "no boxes")
    if record.size is None or record.frames is None:
        raise Bad("missing-truth", "boxes, but no width, height or img_num")
    start = whole(row, "st_frame", 1, "bad-span") - 1
    end = start + len(row["bbox"])
    if "ed_frame" in row and number(row, "ed_frame", "bad-span") < start + 1:
        raise Bad("bad-span", f"st_frame {start + 1} after ed_frame {row['ed_frame']}")
    if start >= record.frames:
        raise Bad("truth-past-end", f"st_frame {start + 1} of {record.frames} frames")
    if end > record.frames:
        records.note("late-truth", record.id, f"ends at {end} of {record.frames} frames")
    given = four(row["bbox"])
    corners = np.concatenate([given[:, :2], given[:, :2] + given[:, 2:]], axis=1)
    boxes, cut = boxes_within(corners, record.size, start)
    if cut:
        records.note("clamped-box", record.id, f"{cut} of {len(boxes)} boxes")
    fps = record.fps or record.frames / CLIP_S
    return Truth(
        FrameSpan(start, end), Track(np.arange(start, end), boxes), FrameSpan(0, record.frames),
        fps, video=record.id,
    )  # fmt: skip


def _is_own(path: Path) -> bool:
    with suppress(OSError, ValueError), open_regular(path) as file:
        return _OTHERS.match(file.read(200)) is None
    return True  # ``read`` reports what is wrong with it


V1 = Format(FILES_V1, read, _is_own)
V2 = Format(FILES_V2, read)

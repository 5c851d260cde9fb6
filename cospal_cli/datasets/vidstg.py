"""VidSTG: a list of relations, each with sentences and questions; boxes come from VidOR.

``temporal_gt`` is half-open, ``used_segment`` includes its end. VidOR keeps one file per video,
``<vid>.json``, whose ``trajectories`` hold the boxes (0-based xyxy) of every frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cospal_cli.core.fitting import numbers
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.json_types import Json
from cospal_cli.core.observation import FrameSpan
from cospal_cli.core.progress import Progress, silent
from cospal_cli.datasets.format import Format
from cospal_cli.datasets.records import Bad, Record, SplitRecords
from cospal_cli.datasets.tree import Tree
from cospal_cli.datasets.values import Boxes, boxes_within, rate, read_json, sentence, table, whole
from cospal_cli.evaluation.tubes import Track, Truth

FILES = {split: (f"{split}_annotations.json",) for split in ("train", "val", "test")}
FORMS = {"captions": "declarative", "questions": "interrogative"}
_SIDES = ("xmin", "ymin", "xmax", "ymax")

Trajectories = list[Any]  # per frame a list of {"tid", "bbox": {"xmin", ...}}


def read(
    tree: Tree, path: Path, split: str, truth: bool, progress: Progress = silent
) -> SplitRecords:
    """The sentences of the file ``path``, with their truths if wanted. Raises Bad for the file."""
    rows = read_json(path)
    if not isinstance(rows, list):
        raise Bad("bad-file", f"expected a list, found {type(rows).__name__}")
    records = SplitRecords(split)
    by_video: dict[str, list[int]] = {}
    for at, row in enumerate(rows):
        with records.record(f"item {at}"):
            vid = table(row, "the item").get("vid")
            if not isinstance(vid, str) or not vid:
                raise Bad("bad-record", f"vid: expected a name, found {vid!r:.60}")
            by_video.setdefault(vid, []).append(at)
            records.sources.append(vid)
    for done, (vid, items) in enumerate(by_video.items()):
        progress("read", done, len(by_video))
        _read_video(tree, vid, [(at, rows[at]) for at in items], truth, records)
    return records


def _read_video(
    tree: Tree, vid: str, items: list[tuple[int, Any]], truth: bool, records: SplitRecords
) -> None:
    """All sentences about one video; its VidOR file is read once."""
    names = [f"{vid}.{at}" for at, _ in items]
    try:
        video, remarks = tree.video(vid)
        trajectories = _trajectories(tree, vid) if truth else None
    except Bad as bad:
        for name in names:
            records.note(bad.kind, name, bad.detail)
        return
    for kind, detail in remarks:
        records.note(kind, vid, detail)
    for name, (_, row) in zip(names, items, strict=True):
        with records.record(name):
            base = _base(vid, video, row)
            for suffix, form, entry in _sentences(row):
                with records.record(f"{name}.{suffix}"):
                    _add(base, f"{name}.{suffix}", form, entry, row, trajectories, records)


def _add(
    base: Record,
    name: str,
    form: str,
    entry: object,
    row: Json,
    trajectories: Trajectories | None,
    records: SplitRecords,
) -> None:
    entry = table(entry, form)
    text = sentence(entry.get("description"))
    fps = rate(row) if row.get("fps") is not None else None
    record = replace(base, id=name, text=text, form=form, fps=fps)
    truth = None
    if trajectories is not None:
        truth = _truth(record, entry, row, trajectories, records)
    records.add(record, truth)


def _base(vid: str, video: Path, row: Json) -> Record:
    """What the sentences of one item share."""
    segment = table(row.get("used_segment"), "used_segment")
    start, last = whole(segment, "begin_fid", 0), whole(segment, "end_fid", 0)
    if start > last:
        raise Bad("bad-span", f"used_segment from {start} to {last}")
    size = (whole(row, "width", 1), whole(row, "height", 1))
    frames = whole(row, "frame_count", 1)
    return Record("", video, "", vid, size=size, frames=frames, segment=FrameSpan(start, last + 1))


def _sentences(row: Json) -> Iterator[tuple[str, str, object]]:
    """("c0", "declarative", {...}) and so on, captions first. Bad where there are none."""
    lists = {key: row.get(key) or [] for key in FORMS}
    if not any(lists.values()) or not all(isinstance(some, list) for some in lists.values()):
        raise Bad("no-sentence", "neither captions nor questions")
    for key, form in FORMS.items():
        for at, entry in enumerate(lists[key]):
            yield f"{key[0]}{at}", form, entry


def _trajectories(tree: Tree, vid: str) -> Trajectories:
    """The video's VidOR boxes, frame by frame. Raises Bad."""
    paths = tree.tables(f"{vid}.json")
    if not paths:
        raise Bad("missing-truth", f"no VidOR file {vid}.json below the data folder")
    value = read_json(paths[0])
    frames = table(value, paths[0].name, "bad-file").get("trajectories")
    if not isinstance(frames, list):
        raise Bad("bad-file", f"{paths[0].name} has no list of trajectories")
    return frames


def _truth(
    record: Record,
    entry: Json,
    row: Json,
    trajectories: Trajectories,
    records: SplitRecords,
) -> Truth:
    span = _span(record, row, records)
    target = whole(entry, "target_id", 0, "missing-truth")
    frames, values = _boxes(trajectories, target, span)
    if not frames:
        raise Bad("missing-truth", f"target {target} has no box in frames {span[0]} to {span[1]}")
    assert record.size is not None  # _base reads them
    assert record.segment is not None
    boxes, cut = boxes_within(np.array(values), record.size, frames[0])
    if cut:
        records.note("clamped-box", record.id, f"{cut} of {len(boxes)} boxes")
    if gaps := span[1] - span[0] - len(frames):
        records.note("gap", record.id, f"{gaps} of {span[1] - span[0]} frames")
    track = Track(np.array(frames, np.int64), boxes)
    return Truth(span, track, record.segment, rate(row), record.form, video=record.source)


def _span(record: Record, row: Json, records: SplitRecords) -> FrameSpan:
    """``temporal_gt``, checked with the video and the segment."""
    span = table(row.get("temporal_gt"), "temporal_gt", "missing-truth")
    start = whole(span, "begin_fid", 0, "bad-span")
    end = whole(span, "end_fid", 0, "bad-span")
    if start >= end:
        raise Bad("bad-span", f"temporal_gt from {start} to {end}")
    assert record.segment is not None
    assert record.frames is not None
    low, high = record.segment
    if start >= record.frames or end <= low or start >= high:
        raise Bad("truth-past-end", f"{start} to {end}, the segment is {low} to {high}")
    if end > record.frames:
        records.note("late-truth", record.id, f"ends at {end} of {record.frames} frames")
    elif start < low or end > high:
        records.note("outside-segment", record.id, f"{start} to {end}, segment {low} to {high}")
    return FrameSpan(start, end)


def _boxes(
    trajectories: Trajectories, target: int, span: FrameSpan
) -> tuple[list[int], list[Boxes]]:
    """The frames of ``span`` at which the target has a box, and the boxes."""
    frames, boxes = [], []
    for frame in range(span[0], min(span[1], len(trajectories))):
        with errors_as(_bad_box, f"VidOR frame {frame} is malformed"):
            for one in trajectories[frame]:
                if one["tid"] == target:
                    box = one["bbox"]
                    boxes.append(numbers([box[side] for side in _SIDES]))
                    frames.append(frame)
                    break
    return frames, boxes


def _bad_box(detail: str, hint: str) -> Bad:
    return Bad("bad-box", detail)


VIDSTG = Format(FILES, read)

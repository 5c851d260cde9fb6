"""Tube files (``cospal/tube@1``) as predictions: the best tube of each, and its sample."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PureWindowsPath
from typing import Protocol

import numpy as np

from cospal_cli.core.json_types import Json
from cospal_cli.core.observation import FrameSpan
from cospal_cli.evaluation.checked import Malformed, box, rows, table, text, whole
from cospal_cli.evaluation.tubes import Prediction, Track

SCHEMA = "cospal/tube@1"
SUFFIX = ".tube.json"
RESULTS = "results*.jsonl"  # what a batch writes, of one shard or of all


class ExpectedTube(Protocol):
    """What a tube may belong to: a record of the split."""

    @property
    def id(self) -> str:
        """The record's name in its data set."""
        ...

    @property
    def video(self) -> Path:
        """The video's file."""
        ...

    @property
    def text(self) -> str:
        """The sentence."""
        ...

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the frames in pixels, where they are known."""
        ...

    @property
    def segment(self) -> FrameSpan | None:
        """The part of the video that the record is about; None: all of it."""
        ...


def is_tube_file(value: object) -> bool:
    """Whether a JSON value says that it is a tube file."""
    return isinstance(value, dict) and value.get("schema") == SCHEMA


def prediction(document: Json) -> Prediction | None:
    """The best tube of a tube file; None where it has none. Raises Malformed."""
    if not is_tube_file(document):
        raise Malformed(f"schema: expected {SCHEMA!r}, found {document.get('schema')!r:.60}")
    tubes = rows(document.get("tubes"), "tubes")
    if not tubes:
        return None
    tube = table(tubes[0], "tubes[0]")
    start = whole(tube.get("start_frame"), "start_frame", 0)
    end = whole(tube.get("end_frame"), "end_frame", start + 1)
    frames, boxes = [], []
    for at, row in enumerate(rows(tube.get("boxes"), "boxes")):
        row = table(row, f"boxes[{at}]")
        frames.append(whole(row.get("frame"), f"boxes[{at}].frame", 0))
        boxes.append(box(row.get("bbox"), f"boxes[{at}].bbox"))
    if not frames or not start <= min(frames) <= max(frames) < end:
        raise Malformed(f"boxes: expected some, all at frames {start} to {end - 1}")
    try:
        return Prediction(Track(np.array(frames), np.array(boxes)), FrameSpan(start, end))
    except ValueError as error:
        raise Malformed(str(error)) from error


class Matcher:
    """Finds the samples that a tube file belongs to: by its video's file name and its sentence, or
    else by its query id.

    Where several samples share both, the query id chooses, then the part of the video that each is
    searched in.
    """

    def __init__(self, samples: Sequence[ExpectedTube]) -> None:
        self._by_id = {one.id: one for one in samples}
        self._by_words: dict[tuple[str, str], list[ExpectedTube]] = {}
        for one in samples:
            self._by_words.setdefault((one.video.name, _plain(one.text)), []).append(one)

    def ids(self, document: Json, predicted: Prediction | None) -> list[str]:
        """Ids of the samples; [] for none. Raises Malformed, also for a video of another size."""
        video = table(document.get("video"), "video")
        query = table(document.get("query"), "query")
        name = PureWindowsPath(text(video.get("path"), "video.path")).name  # knows / and \
        same = self._by_words.get((name, _plain(text(query.get("text"), "query.text"))), [])
        by_id = self._by_id.get(str(query.get("id")))
        if by_id is not None and (by_id in same or not same):
            same = [by_id]
        if len(same) > 1 and predicted is not None:
            same = [one for one in same if _meets(one.segment, predicted.span)] or same
        size = (video.get("width"), video.get("height"))
        for one in same:
            if one.size is not None and size != one.size:
                raise Malformed(f"from a video of size {size}, not the data set's {one.size}")
        return [one.id for one in same]


def _plain(words: str) -> str:
    """A sentence as it is compared: spaces and capitals do not count."""
    return " ".join(words.split()).casefold()


def _meets(segment: FrameSpan | None, span: FrameSpan) -> bool:
    return segment is None or (span[0] < segment[1] and segment[0] < span[1])

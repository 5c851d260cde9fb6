"""CVAT for video 1.1: a track for each tube, 0-based source frames, xyxy pixels of the frame.

All boxes are written, as CVAT's own export does, but CVAT takes those of key frames alone and draws
straight lines between them: so key frames are where the tube bends (``output.keyframe_error``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from cospal_cli.outputs.keyframes import key_rows
from cospal_cli.outputs.markup import add, dumps
from cospal_cli.outputs.stored import StoredTube, TubeDocument
from cospal_cli.settings import OutputConfig

ATTRIBUTES = ("query", "query_id", "rank", "score")  # of every track
_SIDES = ("xtl", "ytl", "xbr", "ybr")


class Cvat:
    """See ``OutputFormat``."""

    endings = (".cvat.xml",)
    joint = False

    def __init__(self, config: OutputConfig) -> None:
        self._error = config.keyframe_error

    def files(self, documents: Sequence[TubeDocument]) -> Mapping[str, str]:
        """One XML of all sentences about the video."""
        root = Element("annotations")
        add(root, "version", "1.1")
        add_meta(root, documents)
        number = 0
        for doc in documents:
            for tube in doc.tubes:
                self._add_track(root, number, doc, tube)
                number += 1
        return {".cvat.xml": f'<?xml version="1.0" encoding="utf-8"?>\n{dumps(root)}'}

    def _add_track(self, root: Element, number: int, doc: TubeDocument, tube: StoredTube) -> None:
        track = add(root, "track", id=number, label=tube.label, source="auto")
        values = (doc.text, doc.query_id, tube.rank, "" if tube.score is None else tube.score)
        for run in tube.runs():
            frames, boxes = tube.frames[run], tube.boxes_xyxy[run]
            keys = set(key_rows(frames, boxes, self._error))
            for row, (frame, sides) in enumerate(zip(frames.tolist(), boxes.tolist(), strict=True)):
                _add_box(track, frame, sides, values, key=row in keys)
            end = frames[-1].item() + 1
            if doc.video.frames is None or end < doc.video.frames:  # CVAT refuses frames beyond
                _add_box(track, end, boxes[-1].tolist(), values, outside=True)


def add_meta(root: Element, documents: Sequence[TubeDocument]) -> None:
    """The task: its video, its labels and their attributes."""
    video = documents[0].video
    frames = video.length([tube for doc in documents for tube in doc.tubes])
    task = add(add(root, "meta"), "task")
    for tag, value in {
        "id": 0, "name": video.name, "size": frames, "mode": "interpolation", "overlap": 0,
        "start_frame": 0, "stop_frame": frames - 1, "frame_filter": "",
    }.items():  # fmt: skip
        add(task, tag, value)
    labels = add(task, "labels")
    names = [tube.label for doc in documents for tube in doc.tubes]
    names = names or [doc.subject or "object" for doc in documents]
    for name in dict.fromkeys(names):
        label = add(labels, "label")
        add(label, "name", name)
        attributes = add(label, "attributes")
        for attribute in ATTRIBUTES:
            one = add(attributes, "attribute")
            for tag, value in {
                "name": attribute, "mutable": "False", "input_type": "text",
                "default_value": "", "values": "",
            }.items():  # fmt: skip
                add(one, tag, value)
    size = add(task, "original_size")
    add(size, "width", video.width)
    add(size, "height", video.height)
    add(task, "source", video.name)


def _add_box(
    track: Element,
    frame: int,
    sides: Sequence[float],
    values: Sequence[object],
    *,
    key: bool = True,
    outside: bool = False,
) -> None:
    corners = {name: f"{side:.2f}" for name, side in zip(_SIDES, sides, strict=True)}
    box = add(
        track, "box", frame=frame, keyframe=int(key), outside=int(outside), occluded=0,
        **corners, z_order=0,
    )  # fmt: skip
    for name, value in zip(ATTRIBUTES, values, strict=True):
        add(box, "attribute", value, name=name)

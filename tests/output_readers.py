"""Reads every output format by its own rules, restated here: frames and boxes as cospal counts.

Each reader takes the texts of one output and gives the boxes of each tube, by 0-based frame, in the
order of the documents; xyxy in pixels.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from configparser import ConfigParser
from pathlib import PureWindowsPath
from xml.etree import ElementTree

Box = tuple[float, float, float, float]
Boxes = dict[int, Box]  # by frame
Texts = Mapping[str, str]


def cvat(texts: Texts) -> list[Boxes]:
    """What CVAT shows: the boxes of key frames, straight lines between them, until "outside"."""
    root = ElementTree.fromstring(texts[".cvat.xml"].encode())
    return [_shown(track) for track in root.iter("track")]


def cvat_every_box(texts: Texts) -> list[Boxes]:
    """All boxes that are written and are not outside."""
    root = ElementTree.fromstring(texts[".cvat.xml"].encode())
    return [
        {int(box.get("frame", "")): _sides(box) for box in track if box.get("outside") == "0"}
        for track in root.iter("track")
    ]


def _shown(track: ElementTree.Element) -> Boxes:
    shown: Boxes = {}
    keys = [box for box in track.iter("box") if box.get("keyframe") == "1"]
    for box, following in zip(keys, [*keys[1:], None], strict=True):
        if box.get("outside") == "1":
            continue
        first, sides = int(box.get("frame", "")), _sides(box)
        shown[first] = sides
        if following is None:
            continue
        last, ends = int(following.get("frame", "")), _sides(following)
        for frame in range(first + 1, last):
            share = (frame - first) / (last - first)
            left, top, right, bottom = (
                one + share * (other - one) for one, other in zip(sides, ends, strict=True)
            )
            shown[frame] = (left, top, right, bottom)
    return shown


def _sides(box: ElementTree.Element) -> Box:
    left, top, right, bottom = (float(box.get(side, "")) for side in ("xtl", "ytl", "xbr", "ybr"))
    return left, top, right, bottom


def label_studio(texts: Texts) -> list[Boxes]:
    """Percentages of the frame, whose size only the document knows: as shares times 100."""
    tubes = []
    for task in json.loads(texts[".label-studio.json"]):
        for region in task["predictions"][0]["result"]:
            if region["type"] == "videorectangle":
                rows = region["value"]["sequence"]
                tubes.append({
                    row["frame"] - 1: (
                        row["x"], row["y"], row["x"] + row["width"], row["y"] + row["height"]
                    )
                    for row in rows
                })  # fmt: skip
    return tubes


def mot(texts: Texts) -> list[Boxes]:
    """Of the truth; ``tracks.txt`` must agree."""
    info = ConfigParser()
    info.read_string(texts[".mot/seqinfo.ini"])
    assert int(info["Sequence"]["frameRate"]) > 0
    kinds = len(texts[".mot/gt/labels.txt"].splitlines())
    tubes: dict[int, Boxes] = {}
    truth, tracks = (
        [line.split(",") for line in texts[f".mot/{name}"].splitlines()]
        for name in ("gt/gt.txt", "tracks.txt")
    )
    assert [row[:6] for row in truth] == [row[:6] for row in tracks]
    assert all(0 <= float(row[6]) <= 1 and row[7:] == ["-1"] * 3 for row in tracks)
    for frame, number, left, top, width, height, flag, kind, _ in truth:
        assert flag == "1"
        assert 1 <= int(kind) <= kinds
        assert 1 <= int(frame) <= int(info["Sequence"]["seqLength"])
        x, y = float(left) - 1, float(top) - 1
        box = (x, y, x + float(width), y + float(height))
        tubes.setdefault(int(number), {})[int(frame) - 1] = box
    return [tubes[number] for number in sorted(tubes)]


def coco(texts: Texts, ending: str = ".coco.json") -> list[Boxes]:
    """By the track that annotations carry beside COCO's own fields."""
    data = json.loads(texts[ending])
    for rows in (value for value in data.values() if isinstance(value, list)):
        assert [row["id"] for row in rows] == list(range(1, len(rows) + 1))
    images = {row["id"]: row for row in data["images"]}
    names = {row["id"] for row in data["categories"]}
    tubes: dict[int, Boxes] = {}
    for row in data["annotations"]:
        image, (left, top, width, height) = images[row["image_id"]], row["bbox"]
        assert (row["category_id"] in names, row["iscrowd"]) == (True, 0)
        assert abs(row["area"] - width * height) < 1e-3
        assert image["file_name"].endswith(f"/{image['frame_index']:06d}.jpg")
        box = (left, top, left + width, top + height)
        tubes.setdefault(row["track_id"], {})[image["frame_index"]] = box
    return [tubes[number] for number in sorted(tubes)]


def tao(texts: Texts) -> list[Boxes]:
    """As COCO, and the tracks and videos that are named must be there."""
    data = json.loads(texts[".tao.json"])
    videos = {row["id"] for row in data["videos"]}
    tracks = {row["id"]: row for row in data["tracks"]}
    assert {row["video_id"] for row in data["images"]} <= videos
    for row in data["annotations"]:
        track = tracks[row["track_id"]]
        assert (track["video_id"], track["category_id"]) == (row["video_id"], row["category_id"])
    return coco(texts, ".tao.json")


def csv_rows(texts: Texts) -> list[Boxes]:
    """One table; a tube is a video, a sentence and a rank."""
    tubes: dict[tuple[str, str, str], Boxes] = {}
    for row in csv.DictReader(io.StringIO(texts[".csv"], newline="")):
        left, top, right, bottom = (float(row[side]) for side in ("x1", "y1", "x2", "y2"))
        name = (row["video"], row["query"], row["tube"])
        tubes.setdefault(name, {})[int(row["frame"])] = (left, top, right, bottom)
    return list(tubes.values())


READERS: dict[str, Callable[[Texts], list[Boxes]]] = {
    "cvat": cvat_every_box,
    "mot": mot,
    "coco": coco,
    "tao": tao,
    "csv": csv_rows,
    "label-studio": label_studio,
}


def stem(path: str) -> str:
    """The name of a video without its ending, by whichever slash."""
    return PureWindowsPath(path).stem

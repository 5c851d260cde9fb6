"""MOTChallenge: a folder for each video. Frames, ids and pixels count from 1, boxes are xywh.

``gt/gt.txt`` is the truth that trackers are held against and annotation tools import;
``tracks.txt`` holds the same as a tracker's result, with the boxes' scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cospal_cli.outputs.stored import TubeDocument
from cospal_cli.settings import OutputConfig

_FOLDER = ".mot/"


class Mot:
    """See ``OutputFormat``."""

    endings = (_FOLDER,)
    joint = False

    def __init__(self, config: OutputConfig) -> None:
        pass

    def files(self, documents: Sequence[TubeDocument]) -> Mapping[str, str]:
        """The rows of all sentences about the video; each tube has an id."""
        tubes = [tube for doc in documents for tube in doc.tubes]
        labels = list(dict.fromkeys(tube.label for tube in tubes)) or ["object"]
        truth, tracks = [], []
        for number, tube in enumerate(tubes, 1):
            rows = zip(tube.frames.tolist(), tube.boxes_xyxy.tolist(), tube.scores, strict=True)
            kind = labels.index(tube.label) + 1
            for frame, (left, top, right, bottom), score in rows:
                place = f"{left + 1:.2f},{top + 1:.2f},{right - left:.2f},{bottom - top:.2f}"
                truth.append((frame + 1, number, f"{place},1,{kind},1"))
                tracks.append((frame + 1, number, f"{place},{score or 0:.4f},-1,-1,-1"))
        return {
            f"{_FOLDER}seqinfo.ini": _sequence(documents),
            f"{_FOLDER}gt/gt.txt": _lines(truth),
            f"{_FOLDER}gt/labels.txt": "".join(f"{label}\n" for label in labels),
            f"{_FOLDER}tracks.txt": _lines(tracks),
        }


def _lines(rows: list[tuple[int, int, str]]) -> str:
    return "".join(f"{frame},{number},{rest}\n" for frame, number, rest in sorted(rows))


def _sequence(documents: Sequence[TubeDocument]) -> str:
    video = documents[0].video
    values = {
        "name": video.stem,
        "imDir": "img1",
        "frameRate": max(1, round(video.fps)),  # readers take whole numbers only
        "seqLength": video.length([tube for doc in documents for tube in doc.tubes]),
        "imWidth": video.width,
        "imHeight": video.height,
        "imExt": ".jpg",
    }
    return "[Sequence]\n" + "".join(f"{name}={value}\n" for name, value in values.items())

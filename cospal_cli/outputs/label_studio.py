"""Label Studio: a task for each video and sentence with its prediction, and the labelling config.

Boxes are percentages of the frame, frames count from 1. ``enabled`` is false at the last box, after
which nothing is shown.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from xml.etree.ElementTree import Element

from cospal_cli.core.json_types import JsonDict
from cospal_cli.outputs.markup import add, dumps
from cospal_cli.outputs.stored import StoredTube, TubeDocument
from cospal_cli.settings import OutputConfig

LOG = logging.getLogger("cospal")
_TASKS, _CONFIG = ".label-studio.json", ".label-studio.xml"


class LabelStudio:
    """See ``OutputFormat``."""

    endings = (_TASKS, _CONFIG)
    joint = True

    def __init__(self, config: OutputConfig) -> None:
        pass

    def files(self, documents: Sequence[TubeDocument]) -> Mapping[str, str]:
        """The tasks, and the config that their regions name."""
        for path in dict.fromkeys(doc.video.path for doc in documents if doc.video.vfr):
            LOG.warning(
                "the frames of %r come unevenly, but Label Studio counts them at one rate: "
                "give it a copy of constant rate, and ground that",
                path,
            )
        tasks = [_task(doc) for doc in documents]
        return {
            _TASKS: json.dumps(tasks, ensure_ascii=False, allow_nan=False) + "\n",
            _CONFIG: _config(documents),
        }


def _task(doc: TubeDocument) -> JsonDict:
    regions = [region for tube in doc.tubes for region in _regions(doc, tube)]
    best = doc.tubes[0].score if doc.tubes else None
    prediction = {"model_version": "cospal", "score": best or 0.0, "result": regions}
    data = {
        "video": doc.video.path,
        "query": doc.text,
        "query_id": doc.query_id,
        "fps": _rate(doc.video.fps),
    }
    return {"data": data, "predictions": [prediction]}


def _regions(doc: TubeDocument, tube: StoredTube) -> Iterator[JsonDict]:
    """The box through time, and the stretch of time."""
    shared: JsonDict = {"to_name": "video", "origin": "prediction", "meta": {"text": [doc.text]}}
    shared |= {"score": tube.score} if tube.score is not None else {}
    frames = doc.video.length([tube])
    yield {
        **shared,
        "id": f"tube-{tube.rank}",
        "from_name": "box",
        "type": "videorectangle",
        "value": {
            "framesCount": frames,
            "duration": doc.video.duration_s or float(frames / doc.video.fps),
            "sequence": list(_sequence(doc, tube)),
            "labels": [tube.label],
        },
    }
    ranges = [
        {"start": tube.frames[run][0].item() + 1, "end": tube.frames[run][-1].item() + 1}
        for run in tube.runs()
    ]
    yield {
        **shared,
        "id": f"when-{tube.rank}",
        "from_name": "when",
        "type": "timelinelabels",
        "value": {"ranges": ranges, "timelinelabels": [tube.label]},
    }


def _sequence(doc: TubeDocument, tube: StoredTube) -> Iterator[JsonDict]:
    across, down = 100 / doc.video.width, 100 / doc.video.height
    last = {run.stop - 1 for run in tube.runs()}
    rows = zip(tube.frames.tolist(), tube.times_s.tolist(), tube.boxes_xyxy.tolist(), strict=True)
    for row, (frame, time_s, (left, top, right, bottom)) in enumerate(rows):
        yield {
            "frame": frame + 1,
            "time": time_s,
            "enabled": row not in last,
            "rotation": 0,
            "x": round(left * across, 6),
            "y": round(top * down, 6),
            "width": round((right - left) * across, 6),
            "height": round((bottom - top) * down, 6),
        }


def _config(documents: Sequence[TubeDocument]) -> str:
    """The labelling config. Videos of several rates each bring their own with the task's data."""
    rates = {doc.video.fps for doc in documents}
    names = [tube.label for doc in documents for tube in doc.tubes]
    names = names or [doc.subject or "object" for doc in documents]
    rate = str(_rate(rates.pop())) if len(rates) == 1 else "$fps"
    root = Element("View")
    add(root, "Header", value="$query")
    add(root, "Video", name="video", value="$video", framerate=rate)
    add(root, "VideoRectangle", name="box", toName="video")
    for tag, control in (("Labels", "label"), ("TimelineLabels", "when")):
        labels = add(root, tag, name=control, toName="video")
        for name in dict.fromkeys(names):
            add(labels, "Label", value=name)
    return dumps(root)


def _rate(fps: Fraction) -> float:
    return round(float(fps), 6)

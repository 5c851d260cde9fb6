"""VidSTG: a folder with its annotations and, for each video, VidOR's file of boxes.

Frames are 0-based, ``temporal_gt`` is half-open and ``used_segment`` includes its end. A sentence
has one target: the best tube. Sentences without a tube have no row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from cospal_cli.core.json_types import JsonDict
from cospal_cli.outputs.stored import StoredTube, TubeDocument, by_video, distinct
from cospal_cli.settings import OutputConfig

_FOLDER = ".vidstg/"
_SIDES = ("xmin", "ymin", "xmax", "ymax")


class VidStg:
    """See ``OutputFormat``."""

    endings = (_FOLDER,)
    joint = True

    def __init__(self, config: OutputConfig) -> None:
        pass

    def files(self, documents: Sequence[TubeDocument]) -> Mapping[str, str]:
        """``test_annotations.json``, and ``<vid>.json`` for each video."""
        rows: list[JsonDict] = []
        files: dict[str, str] = {}
        groups = by_video(documents)
        for vid, (_, group) in zip(distinct([one.stem for one, _ in groups]), groups, strict=True):
            found = [(doc, doc.tubes[0]) for doc in group if doc.tubes]
            rows += [_row(vid, doc, tube, target) for target, (doc, tube) in enumerate(found)]
            files[f"{_FOLDER}{vid}.json"] = _dumps(_boxes(vid, group, [one for _, one in found]))
        return {f"{_FOLDER}test_annotations.json": _dumps(rows), **files}


def _row(vid: str, doc: TubeDocument, tube: StoredTube, target: int) -> JsonDict:
    frames = doc.video.length([tube])
    return {
        **_video(vid, doc, frames),
        "used_segment": {"begin_fid": 0, "end_fid": frames - 1},
        "temporal_gt": {"begin_fid": tube.start, "end_fid": tube.end},
        "captions": [{"type": tube.label, "description": doc.text, "target_id": target}],
        "questions": [],
    }


def _boxes(vid: str, group: Sequence[TubeDocument], tubes: Sequence[StoredTube]) -> JsonDict:
    frames = group[0].video.length(tubes)
    trajectories: list[list[JsonDict]] = [[] for _ in range(frames)]
    for target, tube in enumerate(tubes):
        for frame, sides in zip(tube.frames.tolist(), tube.boxes_xyxy.tolist(), strict=True):
            box = dict(zip(_SIDES, sides, strict=True))
            trajectories[frame].append({"tid": target, "bbox": box, "generated": 1})
    return {
        **_video(vid, group[0], frames),
        "subject/objects": [
            {"tid": target, "category": tube.label} for target, tube in enumerate(tubes)
        ],
        "trajectories": trajectories,
    }


def _video(vid: str, doc: TubeDocument, frames: int) -> JsonDict:
    video = doc.video
    return {
        "vid": vid, "frame_count": frames, "fps": round(float(video.fps), 6),
        "width": video.width, "height": video.height,
    }  # fmt: skip


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n"

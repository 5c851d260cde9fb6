"""COCO: images and annotations with xywh boxes; ``Tao`` is the same with videos and tracks.

Images are frames that have a box, 0-based as STEM/000000.jpg; all ids count from 1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from cospal_cli.core.json_types import JsonDict
from cospal_cli.outputs.stored import SourceVideo, TubeDocument, by_video, distinct
from cospal_cli.settings import OutputConfig


class Coco:
    """See ``OutputFormat``."""

    endings: tuple[str, ...] = (".coco.json",)
    joint = True

    def __init__(self, config: OutputConfig) -> None:
        pass

    def files(self, documents: Sequence[TubeDocument]) -> Mapping[str, str]:
        """One JSON of all videos."""
        tables = _Tables()
        groups = by_video(documents)
        names = distinct([video.stem for video, _ in groups])
        for name, (video, group) in zip(names, groups, strict=True):
            tables.add_video(name, video, group)
        text = json.dumps(self.selected(tables), ensure_ascii=False, allow_nan=False)
        return {self.endings[0]: text + "\n"}

    def selected(self, tables: _Tables) -> JsonDict:
        """The lists that the form has."""
        return {
            "info": {"description": "tubes of cospal"},
            "licenses": [],
            "images": tables.images,
            "annotations": tables.annotations,
            "categories": tables.categories,
        }


class Tao(Coco):
    """See ``OutputFormat``."""

    endings = (".tao.json",)

    def selected(self, tables: _Tables) -> JsonDict:
        """Videos and tracks too, and the sentences, also those without a tube."""
        lists = {"videos": tables.videos, "tracks": tables.tracks, "queries": tables.queries}
        return super().selected(tables) | lists


class _Tables:
    """The lists of one file, each row with an id."""

    def __init__(self) -> None:
        self.videos: list[JsonDict] = []
        self.images: list[JsonDict] = []
        self.tracks: list[JsonDict] = []
        self.annotations: list[JsonDict] = []
        self.queries: list[JsonDict] = []
        self.categories: list[JsonDict] = []

    def add_video(self, name: str, video: SourceVideo, documents: list[TubeDocument]) -> None:
        """One video with all that was found in it."""
        number = _put(
            self.videos, name=name, file=video.path, width=video.width, height=video.height,
            fps=round(float(video.fps), 6), neg_category_ids=[], not_exhaustive_category_ids=[],
        )  # fmt: skip
        images = self._images(number, name, video, documents)
        for doc in documents:
            query = _put(self.queries, video_id=number, query_id=doc.query_id, text=doc.text)
            for tube in doc.tubes:
                shared = {"video_id": number, "category_id": self._category(tube.label)}
                track = _put(
                    self.tracks, **shared, query_id=query, rank=tube.rank, score=tube.score,
                    start_time=tube.start_s, end_time=tube.end_s,
                )  # fmt: skip
                rows = zip(tube.frames.tolist(), tube.boxes_xyxy.tolist(), tube.scores, strict=True)
                for frame, (left, top, right, bottom), score in rows:
                    width, height = round(right - left, 4), round(bottom - top, 4)
                    _put(
                        self.annotations, image_id=images[frame], track_id=track, **shared,
                        bbox=[left, top, width, height], area=round(width * height, 4),
                        iscrowd=0, segmentation=[], score=0.0 if score is None else score,
                    )  # fmt: skip

    def _images(
        self, number: int, name: str, video: SourceVideo, documents: list[TubeDocument]
    ) -> dict[int, int]:
        """The id of each frame that has a box."""
        times: dict[int, float] = {}
        for doc in documents:
            for tube in doc.tubes:
                times |= zip(tube.frames.tolist(), tube.times_s.tolist(), strict=True)
        return {
            frame: _put(
                self.images, video_id=number, frame_index=frame, time=times[frame], video=name,
                file_name=f"{name}/{frame:06d}.jpg", width=video.width, height=video.height,
            )
            for frame in sorted(times)
        }  # fmt: skip

    def _category(self, label: str) -> int:
        for one in self.categories:
            if one["name"] == label:
                return int(one["id"])
        return _put(self.categories, name=label, supercategory="")


def _put(rows: list[JsonDict], **values: object) -> int:
    """Add a row; its id."""
    rows.append({"id": len(rows) + 1, **values})
    return len(rows)

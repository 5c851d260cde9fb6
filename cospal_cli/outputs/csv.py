"""A plain table: a row for each box, as in the document (0-based frames, xyxy pixels)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from cospal_cli.outputs.stored import TubeDocument
from cospal_cli.settings import OutputConfig

COLUMNS = ("video", "query", "tube", "frame", "time", "x1", "y1", "x2", "y2", "score")


class Csv:
    """See ``OutputFormat``. ``tube``: its rank, 1 is the best."""

    endings = (".csv",)
    joint = True

    def __init__(self, config: OutputConfig) -> None:
        pass

    def files(self, documents: Sequence[TubeDocument]) -> Mapping[str, str]:
        """One table; sentences without a tube have no row."""
        text = io.StringIO(newline="")
        out = csv.writer(text, lineterminator="\n")
        out.writerow(COLUMNS)
        for doc in documents:
            for tube in doc.tubes:
                rows = zip(
                    tube.frames.tolist(), tube.times_s.tolist(), tube.boxes_xyxy.tolist(),
                    tube.scores, strict=True,
                )  # fmt: skip
                for frame, time_s, sides, score in rows:
                    out.writerow(
                        [doc.video.path, doc.text, tube.rank, frame, time_s, *sides, score]
                    )
        return {".csv": text.getvalue()}

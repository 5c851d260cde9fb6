"""HC-STVG's predictions: by record id the frames, from 1 and the last included, and xyxy boxes.

The form has one tube for a record: the best. null: no match.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from cospal_cli.evaluation.predictions import row_of
from cospal_cli.evaluation.tubes import Track
from cospal_cli.outputs.stored import TubeDocument
from cospal_cli.settings import OutputConfig


class HcStvg:
    """See ``OutputFormat``."""

    endings = (".hcstvg.json",)
    joint = True

    def __init__(self, config: OutputConfig) -> None:
        pass

    def files(self, documents: Sequence[TubeDocument]) -> Mapping[str, str]:
        """One object of all records."""
        rows = {}
        for name, doc in zip(record_ids(documents), documents, strict=True):
            best = doc.tubes[0] if doc.tubes else None
            rows[name] = row_of(Track(best.frames, best.boxes_xyxy)) if best else None
        return {".hcstvg.json": json.dumps(rows, ensure_ascii=False, allow_nan=False) + "\n"}


def record_ids(documents: Sequence[TubeDocument]) -> list[str]:
    """A record id for each: the query's own, or the video's name where that is only a number.

    Several sentences about one video get the number behind the name: "a.mp4#2".
    """
    names = [doc.video.name if doc.query_id.isdigit() else doc.query_id for doc in documents]
    counts = Counter(names)
    made = [
        f"{name}#{doc.query_id}" if counts[name] > 1 else name
        for name, doc in zip(names, documents, strict=True)
    ]
    again = Counter(made)
    return [f"{name}#{at}" if again[name] > 1 else name for at, name in enumerate(made, 1)]

"""What the output formats cost, and how many key frames CVAT needs.

    python benchmarks/output_formats.py CLIPS/groundtruth.json CLIPS

The JSON lists ``queries``, each with ``video`` (the stem of an .mp4 in CLIPS) and ``query``. Every
sentence is grounded, best tubelet as long as it is there, and written in every format that opens
here. Prints one JSON object: the seconds of all formats against those of ``ground`` without an MP4,
and the share of boxes that are key frames at errors of 0.5, 1 and 2 pixels.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from cospal_cli.commands.format_files import FormatFiles, beside, open_formats, write_all
from cospal_cli.core.backends import OUTPUTS
from cospal_cli.core.errors import UsageError
from cospal_cli.grounder import Grounder
from cospal_cli.outputs.keyframes import key_rows
from cospal_cli.outputs.stored import TubeDocument
from cospal_cli.settings import Config

ERRORS = (0.5, 1.0, 2.0)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("queries", type=Path)
    parser.add_argument("clips", type=Path)
    given = parser.parse_args()
    by_video: dict[str, list[str]] = {}
    for row in json.loads(given.queries.read_text(encoding="utf-8"))["queries"]:
        by_video.setdefault(row["video"], []).append(row["query"])
    grounder, spent, written, cost = Grounder.open(), 0.0, 0.0, {}
    tubes = []
    for name, sentences in by_video.items():
        started = time.perf_counter()
        video = given.clips / f"{name}.mp4"
        documents = [found.document() for found in grounder.ground(video, sentences)]
        spent += time.perf_counter() - started
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            write_all(_formats(Path(folder) / name), documents, quiet=True)
            written += time.perf_counter() - started
        _add_cost(cost, documents)
        tubes += [tube for doc in documents for tube in TubeDocument.parse(doc).tubes]
    boxes = sum(len(tube.frames) for tube in tubes)
    shares = {
        str(error): sum(len(key_rows(one.frames, one.boxes_xyxy, error)) for one in tubes) / boxes
        for error in ERRORS
    }
    json.dump(
        {
            "videos": len(by_video), "tubes": len(tubes), "boxes": boxes,
            "ground_s": spent, "formats_s": written, "share": written / spent,
            "key_frames": shares, "ms_by_format": {k: 1000 * v for k, v in cost.items()},
        },
        sys.stdout, indent=2,
    )  # fmt: skip
    print()


def _formats(base: Path) -> list[FormatFiles]:
    found = []
    for name in OUTPUTS:
        try:
            found += [beside(one, base) for one in open_formats([name], Config().output)]
        except UsageError as error:
            print(f"{name}: {error}", file=sys.stderr)
    return found


def _add_cost(cost: dict[str, float], documents: list[Any]) -> None:
    """Seconds of making the text of each format."""
    parsed = [TubeDocument.parse(one) for one in documents]
    for one in _formats(Path("x")):
        started = time.perf_counter()
        one.format.files(parsed)
        name = next(iter(one.places))
        cost[name] = cost.get(name, 0.0) + time.perf_counter() - started


if __name__ == "__main__":
    main()

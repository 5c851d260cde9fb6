"""What a batch prints to stderr: its plan, a line a result, and how far it is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from cospal_cli.commands import console
from cospal_cli.core.counted import counted
from cospal_cli.core.progress import failures
from cospal_cli.library.records import DONE

if TYPE_CHECKING:
    from pathlib import Path

    from cospal_cli.commands.ground_job import PlacedJob
    from cospal_cli.core.json_types import JsonDict

SHOWN = 10  # failures that are listed at the end
NAMED = 3  # videos that the progress names


def show_batch(placed: Sequence[PlacedJob]) -> None:
    """What a batch would read and write."""
    for one in placed:
        console.say(f"video: {console.printable(str(one.job.video))}")
        for query, paths in zip(one.job.queries, one.paths, strict=True):
            console.say(f"  query: {console.printable(query.text)}")
            for path in paths.files:
                console.say(f"    would write {console.printable(str(path))}")
    results = sum(len(one.paths) for one in placed)
    console.say(f"{counted(len(placed), 'video')}, {counted(results, 'result')}")


def result_line(row: JsonDict, several: bool) -> str:
    """A result in one line."""
    name = f"{row['video']}: {row['query']}" if several else row["video"]
    if row["status"] not in DONE:
        return f"{name}: {row['status']}: {row['reason']}"
    done = "done before, " if row.get("skipped") else ""
    if not row["tubes"]:
        return f"{name}: {done}no match"
    span = f"{row['start_time']:.2f} to {row['end_time']:.2f} s"
    match = f", match {row['match']:.2f}" if "match" in row else ""  # documents of 0.1 have none
    return f"{name}: {done}{row['label']}, {span}, score {row['score']:.2f}{match}"


def progress_note(bad: int, rate: float, running: Iterable[str]) -> str:
    """What stands beside the progress: failures, ``rate`` in seconds of video a second, and the
    names of some of the videos in work."""
    now = [os.path.basename(name) for name in running][:NAMED]
    note = [failures(bad), f"{rate:.1f} s of video/s" if rate else "", ", ".join(now)]
    return ", ".join(filter(None, note))


def show_summary(summary: JsonDict, planned: int, seconds: float, video_s: float) -> None:
    """How many of the ``planned`` videos were done, and how fast."""
    counts = ", ".join(f"{count} {state}" for state, count in summary["counts"].items())
    line = f"{summary['videos']} of {planned} videos: {counts or 'nothing to do'}"
    rate = video_s / max(seconds, 1e-9)
    console.say(f"{line}; {seconds:.1f} s, {rate:.1f} s of video a second")


def show_failures(bad: Sequence[JsonDict], listed: Path | None) -> None:
    """The first failures, and how many more there are; ``listed``: the file that has all."""
    for row in bad[:SHOWN]:
        console.LOG.error("%s: %s", row["video"], row["reason"])
    if len(bad) > SHOWN:
        where = f"; {listed} lists them" if listed else ""
        console.LOG.error("... and %d more%s", len(bad) - SHOWN, where)

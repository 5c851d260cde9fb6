"""``cospal data prepare``: the features for training and evaluation, computed once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cospal_cli.commands.console import Interrupts, emit, printable
from cospal_cli.commands.context import PATH, Context, argument, command, json_option, option
from cospal_cli.commands.options import processes_option
from cospal_cli.core.errors import SOME_FAILED
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.table import screen_width, table
from cospal_cli.settings import override
from cospal_cli.settings.stored import modern
from cospal_cli.settings.words import FIND

SHOWN = 5  # skipped records in the table
FLAGS = (
    "video.fps",
    "detector.name",
    "detector.model",
    "tracker.name",
    "clips.name",
    "text.name",
    "detector.device",
    "detector.batch",
    "engine.name",
    "engine.ray.address",
)


@dataclass(frozen=True)
class PrepareOptions:
    """See ``prepare``."""

    folder: Annotated[Path, argument(metavar="DIR", type=PATH)]
    out: Annotated[
        Path | None,
        option("--out", type=PATH, help="Folder of the features.  [default: DIR/prepared]"),
    ]
    jobs: Annotated[int | None, processes_option("--jobs", "Processes that compute features.")]
    parses: Annotated[
        tuple[Path, ...],
        option(
            "--parses",
            group=FIND,
            multiple=True,
            metavar="FILE.jsonl",
            type=PATH,
            help="Parses of sentences that replace cospal's own; repeatable.",
        ),
    ]
    as_json: Annotated[bool, json_option("Print one JSON document of the run.")]  # fmt: skip


@command(PrepareOptions, FLAGS)
def prepare(context: Context[PrepareOptions]) -> int:
    """Compute what trained heads need of the data set in DIR, in one pass over each video.

    An interrupted run continues where it stopped. Unreadable videos are named and left out.
    A synthetic set's own detections are used, unless a detector is named, and no clips are encoded,
    unless a video encoder is. Annotated boxes and times are not read.

    Exits with 0 if every record has features, 3 if some do not, 4 if none does.
    """
    options, settings = context.options, context.settings
    from cospal_cli.datasets.synthetic.recipe import is_synthetic
    from cospal_cli.features.no_clips import NONE
    from cospal_cli.library.engines import feature_workers
    from cospal_cli.prepared.folder import FOLDER, read_about
    from cospal_cli.preparing import prepare as preparing

    config, out = settings.config, options.out or options.folder / FOLDER
    clips_said = any(key.startswith("clips.") for key in settings.said)
    if is_synthetic(options.folder) and not clips_said:
        begun = modern((read_about(out) or {}).get("made_with", {}))
        config = override(config, {"clips.name": begun.get("clips.name", NONE)})
    workers = feature_workers(config, options.jobs)
    with Interrupts() as interrupts, context.progress("videos") as progress:
        report = preparing.prepare(
            options.folder,
            out,
            config,
            workers,
            progress,
            interrupts.stopped,
            parses=options.parses,
            own_detections="detector.name" not in settings.said,
        )
    if report is None:
        raise KeyboardInterrupt
    document = report.as_dict()
    emit(json.dumps(document, indent=2) if options.as_json else _table(document))
    return SOME_FAILED if report.skipped else 0


def _table(report: JsonDict) -> str:
    """The report as lines of text."""
    kind = "SYNTHETIC data set, " if report["synthetic"] else ""
    counts = f"{report['made']} computed, {report['kept']} kept"
    lines = [
        f"{report['folder']}: {kind}{report['videos']} videos ({counts}), {report['detector']}",
        f"{report['mb']:.1f} MB, {report['mb_per_video']:.3f} MB per video",
    ]
    if report["seconds_per_video"] is not None:
        lines[1] += f", {report['seconds_per_video']:.2f} s per video and process"
    columns = ("records", "validation", "skipped", "videos")
    rows = [["split", *columns]]
    for split, row in report["splits"].items():
        rows.append([split, *(f"{row[column]}" for column in columns)])
    lines += table(rows, width=screen_width())
    empty = sum(row["without_tubelets"] for row in report["splits"].values())
    if empty:
        lines.append(f"{empty} records of videos in which nothing was found")
    for split, count in report["parses"].items():
        if count:
            lines.append(f"{count} sentences of {split} with given parses")
    rates = [
        f"{name} ({report['estimated_of_videos'][name]:,} videos) {size:.1f} GB"
        for name, size in report["estimated_gb"].items()
    ]
    lines.append(f"at this rate: {', '.join(rates)}")
    bad = report["bad"]
    lines += [f"skipped: {one['split']} {one['record']}: {one['reason']}" for one in bad[:SHOWN]]
    if len(bad) > SHOWN:
        lines.append(f"... and {len(bad) - SHOWN} more; --json lists them")
    return "\n".join(printable(line) for line in lines)

"""``cospal data prepare``: the features that training and evaluation read, made once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from cospal_cli.commands.console import Interrupts, emit, printable, progress
from cospal_cli.commands.options import (
    Batch,
    Flag,
    config_options,
    flag_options,
    logging_options,
    merged_settings,
    start_logging,
)
from cospal_cli.core.table import screen_width, table

SOME_FAILED = 3  # exit code
SHOWN = 5  # skipped records in the table
FLAGS = [
    Flag("--fps", "video.fps", float, "Frames looked at per second of video."),
    Flag("--detector", "detector.name", str, "nanodet, grounding-dino, groundingdino-py or auto."),
    Flag("--detector-model", "detector.model", str, "Its weights: a known id, folder or hub id."),
    Flag("--tracker", "tracker.name", str, "bytetrack or botsort."),
    Flag("--clip-encoder", "clips.name", str, "embedded, i3d, videomae, timesformer or vjepa2."),
    Flag("--text-encoder", "text.name", str, "minilm or bert."),
    Flag("--device", "detector.device", str, "The detector's: auto, cpu, cuda or cuda:N."),
    Flag("--batch", "detector.batch", Batch(), "Frames per batch of the detector, or auto."),
]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="[default: DIR/prepared]")
@click.option("--jobs", type=click.IntRange(0), help="Processes; default: all processors.")
@click.option(
    "--parses",
    multiple=True,
    metavar="FILE.jsonl",
    type=click.Path(path_type=Path),
    help="Parses of sentences that replace cospal's own; repeatable.",
)
@flag_options(FLAGS)
@config_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document about the features.")
@logging_options
def prepare(
    folder: Path,
    out: Path | None,
    jobs: int | None,
    parses: tuple[Path, ...],
    config_file: Path | None,
    sets: tuple[str, ...],
    as_json: bool,
    verbose: int,
    quiet: bool,
    log_file: Path | None,
    **given: Any,
) -> int:
    """Watch every video of the data set in DIR once and keep what trained heads see of it.

    A run that was stopped goes on where it was. Videos that cannot be read are named and left out.
    A synthetic set's own detections are used, unless a detector is named. No box and no time of
    the annotations is read.

    Exits with 0 if every record has features, 3 if some have not, 4 if none has.
    """
    start_logging(verbose, quiet, log_file)
    settings = merged_settings(config_file, sets, FLAGS, given)
    from cospal_cli.datasets.prepared import FOLDER
    from cospal_cli.training import prepare as preparing

    workers = preparing.usual_workers(settings.config) if jobs is None else jobs
    with Interrupts() as interrupts, progress(quiet, "videos") as told:
        report = preparing.prepare(
            folder,
            out or folder / FOLDER,
            settings.config,
            workers,
            told,
            interrupts.stopped,
            parses=parses,
            own_detections=settings.origins["detector.name"] == "default",
        )
    if report is None:
        raise KeyboardInterrupt
    found = report.as_dict()
    emit(json.dumps(found, indent=2) if as_json else _table(found))
    return SOME_FAILED if report.skipped else 0


def _table(report: dict[str, Any]) -> str:
    """The report as lines for a person."""
    kind = "SYNTHETIC data set, " if report["synthetic"] else ""
    counts = f"{report['made']} made, {report['kept']} kept"
    lines = [
        f"{report['folder']}: {kind}{report['videos']} videos ({counts}), {report['detector']}",
        f"{report['mb']:.1f} MB, {report['mb_per_video']:.3f} MB a video",
    ]
    if report["seconds_per_video"] is not None:
        lines[1] += f", {report['seconds_per_video']:.2f} s of one process a video"
    columns = ("records", "held", "skipped", "videos")
    rows = [["split", "records", "held out", "skipped", "videos"]]
    for split, row in report["splits"].items():
        rows.append([split, *(f"{row[column]}" for column in columns)])
    lines += table(rows, width=screen_width())
    empty = sum(row["without_tubelets"] for row in report["splits"].values())
    if empty:
        lines.append(f"{empty} records of videos in which nothing was found")
    for split, count in report["parses"].items():
        if count:
            lines.append(f"{count} sentences of {split} with parses given")
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

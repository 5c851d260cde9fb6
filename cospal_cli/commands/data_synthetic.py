"""``cospal data synthetic``: videos made by the program itself, with exact annotations."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import click

from cospal_cli.commands.console import Interrupts, emit, progress
from cospal_cli.commands.options import logging_options, start_logging
from cospal_cli.core.errors import UsageError


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--videos", required=True, type=click.IntRange(1), help="How many in all.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option("--size", default="320x192", show_default=True, metavar="WxH")
@click.option("--fps", default=10, show_default=True, type=int)
@click.option("--seconds", default="9..18", show_default=True, metavar="A..B", help="Of a video.")
@click.option("--test", default="1/3", show_default=True, metavar="SHARE", help="Of the videos.")
@click.option("--workers", default=0, type=click.IntRange(0), help="Processes; 0: one per CPU.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document about the set.")
@logging_options
def synthetic(
    folder: Path,
    videos: int,
    seed: int,
    size: str,
    fps: int,
    seconds: str,
    test: str,
    workers: int,
    as_json: bool,
    verbose: int,
    quiet: bool,
    log_file: Path | None,
) -> None:
    """Make a SYNTHETIC set in DIR: figures that act, sentences, boxes, simulated detections.

    The same settings make the same files. A run that was stopped goes on where it was, and a
    greater --videos adds to the set.
    """
    from cospal_cli.datasets.synthetic.recipe import Recipe
    from cospal_cli.datasets.synthetic.write import make

    start_logging(verbose, quiet, log_file)
    recipe = Recipe(
        seed=seed, size=_size(size), fps=fps, seconds=_range(seconds), test=_share(test)
    )
    count = workers or os.cpu_count() or 1
    with Interrupts() as interrupts, progress(quiet) as told:
        report = make(recipe, folder, videos, count, told, interrupts.stopped)
    if report is None:
        raise KeyboardInterrupt
    emit(json.dumps(report.as_dict(), indent=2) if as_json else _lines(folder, report.as_dict()))


def _lines(folder: Path, report: dict[str, Any]) -> str:
    """The report for a person."""
    splits = ", ".join(f"{count} {name}" for name, count in report["videos"].items())
    return "\n".join(
        [
            f"{folder}: synthetic, {splits} videos ({report['made']} made, {report['kept']} kept)",
            f"frames {report['frames']}, {report['megabytes']} MB of video",
            f"actors a video: {_counted(report['actors'])}",
            f"actions a sentence: {_counted(report['actions'])}",
            f"mean share of the video that is meant: {report['mean_span']}",
        ]
    )


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{value} in {count}" for value, count in counts.items())


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if not found:
        raise UsageError(f"--size {text!r}: expected width x height", "such as 320x192")
    return int(found[1]), int(found[2])


def _range(text: str) -> tuple[float, float]:
    try:
        low, _, high = text.partition("..")
        return float(low), float(high or low)
    except ValueError:
        raise UsageError(f"--seconds {text!r}: expected a range", "such as 9..18, or 12") from None


def _share(text: str) -> float:
    try:
        above, _, below = text.partition("/")
        return float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"--test {text!r}: expected a share", "such as 1/3, or 0.25") from None

"""``cospal data synthetic``: videos made by the program itself, with exact annotations."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import click

from cospal_cli.commands.console import Interrupts, emit
from cospal_cli.commands.context import PATH, Context, argument, command, json_option, option
from cospal_cli.core.errors import UsageError
from cospal_cli.settings.words import SPEED


@dataclass(frozen=True)
class SyntheticOptions:
    """See ``synthetic``."""

    folder: Annotated[Path, argument(metavar="DIR", type=PATH)]
    videos: Annotated[
        int,
        option("--videos", required=True, type=click.IntRange(1), help="Videos to make in all."),
    ]
    seed: Annotated[
        int,
        option(
            "--seed",
            default=0,
            show_default=True,
            type=click.IntRange(0),
            help="Seed of everything that is drawn at random.",
        ),
    ]
    size: Annotated[
        str,
        option(
            "--size",
            default="320x192",
            show_default=True,
            metavar="WxH",
            help="Width and height of the videos in pixels.",
        ),
    ]
    fps: Annotated[
        int, option("--fps", default=10, show_default=True, type=int, help="Frames per second.")
    ]
    seconds: Annotated[
        str,
        option(
            "--seconds",
            default="9..18",
            show_default=True,
            metavar="A..B",
            help="Shortest and longest duration of a video, in seconds.",
        ),
    ]
    test: Annotated[
        str,
        option(
            "--test",
            default="1/3",
            show_default=True,
            metavar="SHARE",
            help="Share of the videos that are for testing.",
        ),
    ]
    workers: Annotated[
        int,
        option(
            "--workers",
            group=SPEED,
            default=0,
            show_default="one per processor",
            type=click.IntRange(0),
            help="Processes that draw.",
        ),
    ]
    as_json: Annotated[bool, json_option("One JSON document about the set.")]  # fmt: skip


@command(SyntheticOptions)
def synthetic(context: Context[SyntheticOptions]) -> None:
    """Make a SYNTHETIC set in DIR: figures that act, sentences, boxes, simulated detections.

    The same settings make the same files. A run that was stopped goes on where it was, and a
    greater --videos adds to the set.
    """
    from cospal_cli.datasets.synthetic.recipe import Recipe
    from cospal_cli.datasets.synthetic.write import write_set

    options = context.options
    recipe = Recipe(
        seed=options.seed,
        size=_size(options.size),
        fps=options.fps,
        seconds=_range(options.seconds),
        test=_share(options.test),
    )
    count = options.workers or os.cpu_count() or 1
    with Interrupts() as interrupts, context.progress() as progress:
        outcome = write_set(
            recipe, options.folder, options.videos, count, progress, interrupts.stopped
        )
    if outcome is None:
        raise KeyboardInterrupt
    report = outcome.as_dict()
    emit(json.dumps(report, indent=2) if options.as_json else _lines(options.folder, report))


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
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if not match:
        raise UsageError(f"--size {text!r}: expected width x height", "such as 320x192")
    return int(match[1]), int(match[2])


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

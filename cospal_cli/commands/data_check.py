"""``cospal data check``: what is wrong with a data set, as a table or JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cospal_cli.commands.console import emit, printable
from cospal_cli.commands.context import PATH, Context, argument, command, json_option, option
from cospal_cli.commands.options import processes_option
from cospal_cli.core.errors import SOME_FAILED, InputError
from cospal_cli.core.table import screen_width, table
from cospal_cli.datasets import FORMATS
from cospal_cli.settings.words import INPUT

if TYPE_CHECKING:
    from cospal_cli.datasets.check import CheckReport

SHOWN = 5  # problems of one kind in the table


@dataclass(frozen=True)
class CheckOptions:
    """See ``check``."""

    folder: Annotated[Path, argument(type=PATH)]
    format: Annotated[
        str,
        option(
            "--format",
            group=INPUT,
            default="auto",
            metavar="NAME",
            show_default=True,
            help=f"{', '.join(FORMATS)}, or auto: by the names of the annotation files.",
        ),
    ]
    decode: Annotated[
        bool,
        option(
            "--decode",
            group=INPUT,
            is_flag=True,
            help="Decode every video to its end: slow but thorough.",
        ),
    ]
    jobs: Annotated[int | None, processes_option("--jobs", "Processes that open videos.")]
    show_all: Annotated[
        bool, option("--all", is_flag=True, help="List every problem in the table.")
    ]
    as_json: Annotated[bool, json_option("Print one JSON document of all problems.")]  # fmt: skip


@command(CheckOptions)
def check(context: Context[CheckOptions]) -> int:
    """Compare the annotations in FOLDER with its videos and list every problem.

    Exits with 0 if every record can be used, 3 if some cannot, 4 if none can.
    """
    from cospal_cli.datasets import check as checking
    from cospal_cli.devices import processors

    options = context.options
    folder = options.folder
    workers = processors() if options.jobs is None else options.jobs
    with context.progress() as progress:
        report = checking.check(
            folder, options.format, decode=options.decode, workers=workers, progress=progress
        )
    table = _table(report, options.show_all)
    emit(json.dumps(report.as_dict(), indent=2) if options.as_json else table)
    if report.usable:
        return SOME_FAILED if report.skipped else 0
    raise InputError(f"no record of {str(folder)!r} can be used", "see the problems listed above")


def _table(report: CheckReport, show_all: bool) -> str:
    """The report as lines of text."""
    from cospal_cli.datasets.records import KINDS

    size = report.bytes / 1e9
    how = "decoded" if report.decoded else "opened"
    lines = [f"{report.root}: {report.format}, {report.videos} videos {how}, {size:.2f} GB"]
    columns = ["records", "usable", "truths", "videos"]
    rows = [["split", *columns]]
    for split, counts in report.splits.items():
        rows.append([split, *(f"{counts[column]}" for column in columns)])
    lines += table(rows, width=screen_width())
    for kind, count in report.counts().items():
        lines += ["", f"{count} x {kind}: {KINDS[kind]}"]
        same = [one for one in report.problems if one.kind == kind]
        shown = same if show_all else same[:SHOWN]
        lines += [f"  {one.split} {one.record}: {one.detail}" for one in shown]
        if len(shown) < count:
            lines.append(f"  ... and {count - len(shown)} more; --all lists them")
    if not report.problems:
        lines += ["", "no problems found"]
    return "\n".join(printable(line) for line in lines)

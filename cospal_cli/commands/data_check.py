"""``cospal data check``: what is wrong with a data set, as a table or JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cospal_cli.commands import console
from cospal_cli.commands.console import emit, printable
from cospal_cli.commands.options import logging_options, start_logging
from cospal_cli.core.errors import InputError
from cospal_cli.core.table import screen_width, table

if TYPE_CHECKING:
    from cospal_cli.datasets.check import Report

SOME_FAILED = 3  # exit code
SHOWN = 5  # problems of one kind in the table


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--format",
    default="auto",
    metavar="NAME",
    show_default=True,
    help="hcstvg, hcstvg-v2 or vidstg; auto goes by the names of the annotation files.",
)
@click.option("--decode", is_flag=True, help="Decode every video to its end; slow but sure.")
@click.option(
    "--jobs", type=click.IntRange(0), help="Processes that open videos; default: all processors."
)
@click.option("--all", "show_all", is_flag=True, help="List every problem in the table.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document with every problem.")
@logging_options
def check(
    folder: Path,
    format: str,
    decode: bool,
    jobs: int | None,
    show_all: bool,
    as_json: bool,
    verbose: int,
    quiet: bool,
    log_file: Path | None,
) -> int:
    """Hold the annotations in FOLDER against its videos and list every fault.

    Exits with 0 if every record can be used, 3 if some cannot, 4 if none can.
    """
    start_logging(verbose, quiet, log_file)
    from cospal_cli.datasets import check as checking
    from cospal_cli.devices import processors

    workers = processors() if jobs is None else jobs
    with console.progress(quiet) as progress:
        report = checking.check(folder, format, decode=decode, workers=workers, progress=progress)
    emit(json.dumps(report.as_dict(), indent=2) if as_json else _table(report, show_all))
    if report.usable:
        return SOME_FAILED if report.skipped else 0
    raise InputError(
        f"no record of {str(folder)!r} can be used", "see the list of what is wrong above"
    )


def _table(report: Report, show_all: bool) -> str:
    """The report as lines for a person."""
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
        lines += ["", "nothing wrong"]
    return "\n".join(printable(line) for line in lines)

"""``cospal report``: stored results as one page to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cospal_cli.commands import console
from cospal_cli.commands.context import PATH, Context, argument, command, option
from cospal_cli.core.errors import SOME_FAILED, UsageError

if TYPE_CHECKING:
    from cospal_cli.report.collect import AnswersPage

SUFFIXES = (".html", ".htm")


@dataclass(frozen=True)
class ReportOptions:
    """See ``report``."""

    tubes: Annotated[
        tuple[Path, ...], argument(nargs=-1, required=True, type=PATH, metavar="TUBES...")
    ]
    output: Annotated[
        Path,
        option(
            "-o", "--output", required=True, type=PATH, help="Write the page to this .html file."
        ),
    ]
    title: Annotated[
        str | None,
        option(
            "--title", help="The page's heading.  [default: the sentence, or the number of answers]"
        ),
    ]
    overwrite: Annotated[
        bool, option("--overwrite", is_flag=True, help="Replace a page that is there already.")
    ]


@command(ReportOptions)
def report(context: Context[ReportOptions]) -> int:
    """Make one HTML page of stored results: pictures, times, scores and reasons of each.

    TUBES are .tube.json files, folders of them, or files with one document per line
    (results.jsonl). The page needs no network and no other file; it links to the videos where they
    are. An answer whose video is missing has no pictures.

    Exits with 0, or with 3 if some of several documents had to be left out.
    """
    options = context.options
    page = page_at(options.output, options.title or "")
    from cospal_cli.core import files
    from cospal_cli.report.sources import read_answers

    inputs = {path: "an input" for path in options.tubes if not path.is_dir()}
    files.check_outputs([page.path], inputs, options.overwrite)
    given = read_answers(options.tubes)
    for sentence in given.bad:
        console.LOG.warning("left out: %s", sentence)
    page.answers = given.answers
    page.notes = [f"left out: {one}" for one in given.bad] + given.failed
    with files.claimed([page.path]), context.progress("sheets") as progress:
        page.write(progress)
    if not context.quiet:
        console.say(f"wrote {console.printable(str(page.path))}")
    return SOME_FAILED if given.bad else 0


def page_at(path: Path, title: str = "") -> AnswersPage:
    """An empty page that is to be written to ``path``; UsageError where that is not the name of a
    page."""
    from cospal_cli.report.collect import AnswersPage

    return AnswersPage(page_path(path), title)


def page_path(path: Path) -> Path:
    """``path`` if it has the name of a page, else UsageError."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{str(path)!r} is not a page", "name a file that ends in .html")
    return path

"""``cospal search``: which videos of a library a sentence is about, and where in them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click

from cospal_cli.commands import console
from cospal_cli.commands.context import PATH, Context, argument, command, json_option, option
from cospal_cli.commands.libraries import clock, library_option, named
from cospal_cli.commands.options import RUNTIME_FLAGS, count_option, report_option
from cospal_cli.commands.output_paths import check_pad, output_folder
from cospal_cli.commands.report import page_at
from cospal_cli.core.errors import SOME_FAILED, InputError, NothingFound
from cospal_cli.core.table import screen_width, table
from cospal_cli.settings.words import FIND, MODELS

if TYPE_CHECKING:
    from cospal_cli.library.search import Hit

FLAGS = ("ground.min_match", "ground.method", *RUNTIME_FLAGS, "output.pad")
SCHEMA = "cospal/search@1"
_REASONS = 3  # of a row


@dataclass(frozen=True)
class SearchOptions:
    """See ``search``."""

    sentence: Annotated[str, argument(metavar="SENTENCE")]
    library: Annotated[Path | None, library_option]
    top_k: Annotated[
        int, count_option("--top-k", "How many videos to show at most.", 20, group=FIND)
    ]
    checkpoint: Annotated[
        Path | None,
        option(
            "--checkpoint", group=MODELS, metavar="DIR", type=PATH,
            help="Trained heads to rank by (implies --method cospal).",
        ),
    ]  # fmt: skip
    report: Annotated[Path | None, report_option]
    clips: Annotated[
        Path | None,
        option(
            "--clips", group=FIND, metavar="DIR", type=PATH,
            help="Cut each found moment out of its video, as DIR/RANK.STEM.clip.mp4.",
        ),
    ]  # fmt: skip
    overwrite: Annotated[
        bool, option("--overwrite", is_flag=True, help="Replace outputs that are there already.")
    ]
    as_json: Annotated[bool, json_option("Print one JSON document of the results.")]
    fail_on_empty: Annotated[
        bool, option("--fail-on-empty", is_flag=True, help="Exit with 7 if nothing is found.")
    ]


@command(SearchOptions, FLAGS)
def search(context: Context[SearchOptions]) -> int:
    """Rank the videos of a library by how well they match SENTENCE: who is meant, from when to
    when, and why.

    The videos themselves are read only for --report and --clips. To get the boxes of one of them,
    run 'cospal ground --library'.

    Exit codes: 0 done, 2 wrong usage or no library, 3 some clips could not be cut, 4 the catalogue
    is damaged, 7 nothing found under --fail-on-empty.
    """
    options, settings = context.options, context.settings
    page = page_at(options.report, options.sentence) if options.report else None
    folder = named(options.library)
    from cospal_cli.core.files import check_outputs, claimed
    from cospal_cli.library.library import Library

    if page is not None:
        check_outputs([page.path], {folder: "--library"}, options.overwrite)
        click.get_current_context().with_resource(claimed([page.path]))
    check_pad(settings.config.output.pad, "" if options.clips else "give --clips DIR")
    if options.clips is not None:
        clips = output_folder(f"{options.clips}{os.sep}", "--clips")
        click.get_current_context().with_resource(clips)
    library = Library(
        folder, settings.config, checkpoint=options.checkpoint, create=False, stated=settings.said
    )
    query = library.grounder.parse(options.sentence)
    for message in query.warnings:
        console.LOG.warning(message)
    hits = library.search(query, options.top_k)
    if options.as_json:
        document = {
            "schema": SCHEMA,
            "query": query.text,
            "subject": query.subject,
            "library": str(folder),
            "results": [hit.as_dict() for hit in hits],
        }
        console.emit(json.dumps(document, indent=2))
    else:
        console.emit("\n".join(map(console.printable, _lines(hits))))
    if page is not None:
        page.notes = [
            f"{hit.video}: {hit.state} since it was observed" for hit in hits if hit.state
        ]
        for hit in hits:
            page.add(hit.result.document())
        with context.progress("sheets") as progress:
            page.write(progress)
        if not context.quiet:
            console.say(f"wrote {console.printable(str(page.path))}")
    failed = 0 if options.clips is None else _cut(hits, options.clips, context)
    if query.unresolved and not context.quiet and not options.as_json:
        console.say(f"not used, no evidence for: {', '.join(query.unresolved)}")
    if not hits and options.fail_on_empty:
        raise NothingFound(f"nothing found for {query.text!r}", "'cospal library list' shows all")
    return SOME_FAILED if failed else 0


def _cut(hits: Sequence[Hit], folder: Path, context: Context[SearchOptions]) -> int:
    """A clip of each hit into ``folder``; how many could not be cut, which are named."""
    from cospal_cli.core.files import check_outputs, claimed

    targets = [folder / f"{hit.rank:02d}.{Path(hit.video).stem}.clip.mp4" for hit in hits]
    sources = {Path(hit.video): "a video of the library" for hit in hits}
    check_outputs(targets, sources, context.options.overwrite)
    click.get_current_context().with_resource(claimed(targets))
    failed = 0
    with context.progress("clips") as progress:
        for done, (hit, target) in enumerate(zip(hits, targets, strict=True), 1):
            try:
                hit.result.save_clip(target, context.config.output.pad)
            except InputError as error:
                failed += 1
                console.LOG.warning("%s: no clip: %s", hit.video, error.message)
            else:
                if not context.quiet:
                    console.say(f"wrote {console.printable(str(target))}")
            progress("clips", done, len(hits))
    return failed


def _lines(hits: Sequence[Hit]) -> list[str]:
    """The table; one line where nothing was found."""
    if not hits:
        return ["no match"]
    rows = [["", "match", "video", "from", "to", "label", "why"]]
    for hit in hits:
        start, end = hit.tube.span_s
        name = os.path.relpath(hit.video)
        name = hit.video if name.startswith(os.pardir) else name
        rows.append(
            [
                str(hit.rank),
                f"{hit.match:.2f}",
                f"{name} ({hit.state})" if hit.state else name,
                clock(start),
                clock(end),
                hit.tube.label,
                _why(hit.tube.why),
            ]
        )
    return table(rows, "rrlrrll", screen_width())


def _why(terms: Mapping[str, float]) -> str:
    strongest = sorted(terms.items(), key=lambda term: -abs(term[1]))[:_REASONS]
    return ", ".join(f"{name} {value:+.1f}" for name, value in strongest if abs(value) >= 0.05)

"""``cospal convert``: stored tubes in the forms that other programs read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cospal_cli.commands import console
from cospal_cli.commands.context import PATH, TEXT_PATH, Context, argument, command, option
from cospal_cli.commands.convert_pictures import DRAWN, draw, planned, without
from cospal_cli.commands.output_paths import check_pad, is_folder, output_folder, short_stem
from cospal_cli.core.backends import OUTPUTS
from cospal_cli.core.errors import SOME_FAILED, UsageError

if TYPE_CHECKING:
    from cospal_cli.commands.format_files import FormatFiles
    from cospal_cli.outputs import OutputFormat
    from cospal_cli.outputs.stored import TubeDocument

MANY = "tubes"  # the name of one file about many videos


@dataclass(frozen=True)
class FormOptions:
    """See ``convert``."""

    tubes: Annotated[
        tuple[Path, ...], argument(nargs=-1, required=True, type=PATH, metavar="TUBES...")
    ]
    formats: Annotated[
        tuple[str, ...],
        option(
            "--to",
            multiple=True,
            required=True,
            metavar="NAME",
            help=f"The format to write: {', '.join([*OUTPUTS, *DRAWN])}; repeatable.",
        ),
    ]
    output: Annotated[
        str | None,
        option(
            "-o", "--output", type=TEXT_PATH, help="Write to this file or folder.  [default: .]"
        ),
    ]


@command(FormOptions, ("output.overwrite", "output.pad"), light=True)
def convert(context: Context[FormOptions]) -> int:
    """Write stored tubes in the format of another program.

    TUBES are .tube.json files of 'cospal ground', folders of them, or files with one document per
    line (results.jsonl). Each video gets a file of its own, or all share one, as the format
    requires. video, clip, clip-copy, crop, sheet and thumbnail are drawn from the video, as by
    'cospal ground', one for each document.

    Exits with 0, or with 3 if some of several documents had to be left out.
    """
    options, config = context.options, context.config.output
    from cospal_cli.commands import format_files
    from cospal_cli.core import files
    from cospal_cli.outputs.stored import read_documents

    kinds, names = without(options.formats)
    cut = bool({"clip", "clip-copy", "crop"} & {*kinds})
    check_pad(config.pad, "" if cut else "give --to clip, clip-copy or crop")
    formats = format_files.open_formats(names, config)
    given = read_documents(options.tubes)
    for sentence in given.bad:
        console.LOG.warning("left out: %s", sentence)
    written = [pair for one in formats for pair in _planned(one, given.documents, options.output)]
    drawn = planned(kinds, given.files, options.output)
    _refuse_several(written, options.output, len(drawn))
    inputs = dict.fromkeys(given.files, "an input")
    inputs |= {one.source: "the video" for one in drawn}
    outs, pictures = [out for out, _ in written], [one.path for one in drawn]
    with output_folder(options.output):
        format_files.check(outs, inputs, config.overwrite, pictures)
        with files.claimed([*pictures, *(path for out in outs for path in out.paths)]):
            format_files.check(outs, inputs, config.overwrite, pictures)  # as others left them
            for out, documents in written:
                out.write(documents, context.quiet)
            failed = draw(drawn, config, context.quiet)
    return SOME_FAILED if given.bad or failed else 0


def _planned(
    format: OutputFormat, documents: Sequence[TubeDocument], output: str | None
) -> Iterator[tuple[FormatFiles, list[TubeDocument]]]:
    """The files of ``format``, and what goes into each."""
    from cospal_cli.commands.format_files import beside, exactly
    from cospal_cli.outputs.stored import by_video, distinct

    groups = by_video(documents)
    names = distinct([short_stem(video.stem) for video, _ in groups])
    if format.joint:
        names = names if len(groups) == 1 else [MANY]
        batches = [list(documents)]
    else:
        batches = [group for _, group in groups]
    for name, batch in zip(names, batches, strict=True):
        if output is None or is_folder(output):
            yield beside(format, Path(output or ".") / name), batch
        else:
            yield exactly(format, Path(output)), batch


def _refuse_several(
    written: Sequence[tuple[FormatFiles, list[TubeDocument]]], output: str | None, more: int
) -> None:
    count = len(written) + more
    if output is not None and not is_folder(output) and count > 1:
        raise UsageError(
            f"-o {output!r} is one file, but there are {count} to write", "name a folder"
        )

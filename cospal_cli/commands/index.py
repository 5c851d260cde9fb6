"""``cospal index``: videos are watched once and kept in a library."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cospal_cli.commands import console
from cospal_cli.commands.context import (
    PATH,
    TEXT_PATH,
    Context,
    argument,
    command,
    json_option,
    option,
)
from cospal_cli.commands.libraries import clock, library_option, named
from cospal_cli.commands.options import (
    DETECTION_FLAGS,
    DEVICE_FLAGS,
    ENGINE_FLAGS,
    VIDEO_FLAGS,
    recursive_option,
)
from cospal_cli.core.counted import counted
from cospal_cli.core.errors import SOME_FAILED, InputError
from cospal_cli.core.progress import NOTICE
from cospal_cli.settings.words import MODELS

FLAGS = (*VIDEO_FLAGS, *DETECTION_FLAGS, *DEVICE_FLAGS, *ENGINE_FLAGS)


@dataclass(frozen=True)
class IndexOptions:
    """See ``index``."""

    inputs: Annotated[
        tuple[str, ...], argument(nargs=-1, required=True, type=TEXT_PATH, metavar="INPUT...")
    ]
    library: Annotated[Path | None, library_option]
    recursive: Annotated[bool, recursive_option]
    checkpoint: Annotated[
        Path | None,
        option(
            "--checkpoint",
            group=MODELS,
            metavar="DIR",
            type=PATH,
            help="Trained heads that will be run later: keeps the clips that they need.",
        ),
    ]
    as_json: Annotated[bool, json_option("Print one JSON document of the run.")]


@command(IndexOptions, FLAGS)
def index(context: Context[IndexOptions]) -> int | None:
    """Watch each video once and keep what was seen in a library, which 'cospal search' and
    'cospal ground --library' read as often as you like.

    INPUT is a video, a folder of videos, a pattern such as 'clips/**/*.mp4', or a folder of
    pictures. Videos that are in the library and have not changed are not watched again, so that an
    interrupted run continues where it stopped; several runs may fill one library.

    Exit codes: 0 done, 2 wrong usage, 3 some videos cannot be read, 4 none of them can, 5 weights,
    6 device, memory or disk, 130 interrupted.
    """
    options, settings = context.options, context.settings
    folder = named(options.library)
    from cospal_cli.library.inputs import find
    from cospal_cli.library.library import Library

    videos, ours = find(options.inputs, options.recursive)
    if ours:
        console.LOG.log(NOTICE, "left out: %s that cospal wrote", counted(ours, "file"))
    checkpoint, stated = options.checkpoint, settings.said
    library = Library(folder, settings.config, checkpoint=checkpoint, stated=stated)
    with console.Interrupts() as interrupts, context.progress("videos") as progress:
        report = library.index([one.path for one in videos], None, progress, interrupts.stopped)
    for video, why in report.failed.items():
        console.LOG.error(why if repr(video) in why else f"{video}: {why}")
    if options.as_json:
        console.emit(json.dumps({"library": str(folder), **report.as_dict()}, indent=2))
    elif not context.quiet:
        console.say(
            f"{folder}: {report.added} added ({clock(report.video_s)} of video in "
            f"{clock(report.seconds)}), {report.kept} already there, {len(report.failed)} failed"
        )
    if report.interrupted:
        return 130
    if report.failed and not report.added and not report.kept:
        raise InputError(
            f"of {counted(len(report.failed), 'video')} none can be read", "see the lines above"
        )
    return SOME_FAILED if report.failed else None

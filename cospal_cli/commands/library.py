"""``cospal library``: what is in a library, and keeping it in order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click

from cospal_cli.commands import console
from cospal_cli.commands.context import HELP, PATH, Context, argument, command, json_option
from cospal_cli.commands.libraries import clock, library_option, megabytes, opened
from cospal_cli.core.counted import counted
from cospal_cli.core.errors import InputError
from cospal_cli.core.table import screen_width, table

if TYPE_CHECKING:
    from cospal_cli.library.upkeep import LibraryProblem


@click.group(context_settings=HELP)
def library() -> None:
    """List, check, repair and thin out a library of watched videos.

    'cospal index' fills it, 'cospal search' searches it.
    """


@dataclass(frozen=True)
class LibraryOptions:
    """Of the commands that only need to know which library."""

    library: Annotated[Path | None, library_option]
    as_json: Annotated[bool, json_option("Print one JSON document.")]


@command(LibraryOptions, name="list", light=True)
def list_(context: Context[LibraryOptions]) -> None:
    """Show every video in the library, and whether it has changed since."""
    store = opened(context.options.library)
    rows = [["video", "length", "tubelets", "size", "detector", "state"]]
    document = []
    for entry in store.entries():
        state = store.state(entry) or "unchanged"
        rows.append(
            [
                entry.path, clock(entry.duration_s), str(entry.tubelets),
                megabytes(entry.stored_bytes), entry.detector, state,
            ]
        )  # fmt: skip
        kept = {k: v for k, v in vars(entry).items() if k not in ("numbers", "classes")}
        document.append({**kept, "state": state})
    if context.options.as_json:
        console.emit(json.dumps({"videos": document}, indent=2))
    elif len(rows) == 1:
        console.say("the library is empty: 'cospal index' fills it")
    else:
        console.emit("\n".join(map(console.printable, table(rows, "lrrrll", screen_width()))))


@command(LibraryOptions, light=True)
def info(context: Context[LibraryOptions]) -> None:
    """Show how much is in the library."""
    about = opened(context.options.library).info()
    if context.options.as_json:
        console.emit(json.dumps(about, indent=2))
        return
    hours = about["video_s"] / 3600
    each = about["bytes"] / max(about["video_s"] / 60, 1e-9)
    lines = [
        f"{about['folder']}: {counted(about['videos'], 'video')}, {hours:.2f} hours, "
        f"{counted(about['tubelets'], 'tubelet')}",
        f"{megabytes(about['bytes'])}, {megabytes(round(each))} per minute of video"
        if about["video_s"]
        else "nothing is stored yet",
    ]
    lines += [f"detector: {name} ({count})" for name, count in about["detectors"].items()]
    console.emit("\n".join(map(console.printable, lines)))


@dataclass(frozen=True)
class RemoveOptions:
    """See ``remove``."""

    videos: Annotated[
        tuple[Path, ...], argument(nargs=-1, required=True, type=PATH, metavar="VIDEO...")
    ]
    library: Annotated[Path | None, library_option]
    as_json: Annotated[bool, json_option("Print one JSON document.")]


@command(RemoveOptions, light=True)
def remove(context: Context[RemoveOptions]) -> None:
    """Forget what was seen in VIDEO, or in all videos of a folder. The videos stay as they are."""
    gone = opened(context.options.library).remove(context.options.videos)
    if context.options.as_json:
        console.emit(json.dumps({"removed": [entry.path for entry in gone]}, indent=2))
    elif not context.quiet:
        size = sum(entry.stored_bytes for entry in gone)
        console.say(f"{len(gone)} removed, {megabytes(size)} freed")


@command(LibraryOptions, light=True)
def verify(context: Context[LibraryOptions]) -> None:
    """Read every stored file and compare it with the catalogue.

    Exits with 4 if something is damaged, missing or left over.
    """
    store = opened(context.options.library)
    with context.progress("files") as progress:
        problems = store.verify(progress)
    _show(context, problems, "all is well")
    if problems:
        message = f"{len(problems)} of the library's files need repair"
        raise InputError(message, "run: cospal library repair")


@command(LibraryOptions, light=True)
def repair(context: Context[LibraryOptions]) -> None:
    """Rebuild the catalogue from the stored files. Damaged ones are removed; 'cospal index' makes
    them again."""
    store = opened(context.options.library)
    with context.progress("files") as progress:
        problems = store.repair(progress)
    _show(context, problems, "nothing to repair")


def _show(context: Context[LibraryOptions], problems: Sequence[LibraryProblem], none: str) -> None:
    if context.options.as_json:
        console.emit(json.dumps({"problems": [vars(one) for one in problems]}, indent=2))
    elif problems or not context.quiet:
        lines = [f"{one.file}: {one.what}" for one in problems] or [none]
        console.emit("\n".join(map(console.printable, lines)))


for _command in (list_, info, remove, verify, repair):
    library.add_command(_command)

"""What the commands about libraries share: the option, and how sizes and times are shown."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.commands.context import PATH, option
from cospal_cli.core.errors import UsageError

if TYPE_CHECKING:
    from cospal_cli.grounder import Grounder
    from cospal_cli.library.library import Library
    from cospal_cli.settings import Config

VARIABLE = "COSPAL_LIBRARY"
library_option = option(
    "--library",
    type=PATH,
    envvar=VARIABLE,
    metavar="DIR",
    help=f"The library's folder.  [default: what {VARIABLE} says]",
)


def named(folder: Path | None) -> Path:
    """The folder; UsageError where neither the option nor the variable names one."""
    if folder is None or not str(folder):
        raise UsageError(
            "no library is named", f"give --library DIR, or set the variable {VARIABLE}"
        )
    return folder


def opened(folder: Path | None) -> Library:
    """The library that is there already."""
    from cospal_cli.library.library import Library

    return Library(named(folder), create=False)


def open_grounder(
    library: Path | None, config: Config, checkpoint: Path | None, stated: AbstractSet[str]
) -> Grounder:
    """The models; over a library, which is made if need be, those of its observations."""
    if library is None:
        from cospal_cli.grounder import Grounder

        return Grounder.open(config, checkpoint=checkpoint, stated=stated)
    from cospal_cli.library.grounder import LibraryGrounder
    from cospal_cli.library.store import Store

    return LibraryGrounder.over(Store.open(library, create=True), config, checkpoint, stated)


def megabytes(size: int) -> str:
    """A size for people."""
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


def clock(seconds: float) -> str:
    """A time for people: 0:07.3, 1:02:10."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:02.0f}" if hours else f"{minutes}:{rest:04.1f}"

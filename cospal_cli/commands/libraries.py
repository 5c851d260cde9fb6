"""What the commands about libraries share: the option, and how sizes and times are shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.commands.context import PATH, option
from cospal_cli.core.errors import UsageError

if TYPE_CHECKING:
    from cospal_cli.library.library import Library

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
        raise UsageError("no library is named", f"--library DIR, or the variable {VARIABLE}")
    return folder


def opened(folder: Path | None) -> Library:
    """The library that is there already."""
    from cospal_cli.library.library import Library

    return Library(named(folder), create=False)


def megabytes(size: int) -> str:
    """A size for people."""
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


def clock(seconds: float) -> str:
    """A time for people: 0:07.3, 1:02:10."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:02.0f}" if hours else f"{minutes}:{rest:04.1f}"

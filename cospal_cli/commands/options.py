"""Options, and the flags of settings, that several commands share: one declaration each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import click

from cospal_cli.commands.context import PATH, option
from cospal_cli.settings.words import INPUT, SPEED

# Settings that have flags wherever a video is read, watched, and by whom.
VIDEO_FLAGS = (
    "video.fps",
    "video.start",
    "video.end",
    "video.duration",
    "video.image_fps",
    "video.stream",
    "video.max_pixels",
    "video.strict",
)
DETECTION_FLAGS = ("detector.name", "detector.model", "detector.nanodet.tiles", "tracker.name")
DEVICE_FLAGS = (
    "detector.device",
    "detector.precision",
    "detector.batch",
    "detector.threads",
)
ENGINE_FLAGS = ("engine.name", "engine.workers", "engine.ray.address")
RUNTIME_FLAGS = ("runtime.name", "runtime.provider")

MOST = 2**31 - 1  # of a count: what every library takes

Declaration = Callable[[str], click.Parameter]

recursive_option = option(
    "-r", "--recursive", group=INPUT, is_flag=True, help="Look into folders within folders too."
)
report_option = option(
    "--report", type=PATH, help="Write the results as one HTML page, in a single file."
)
prepared_option = option(
    "--prepared",
    group=INPUT,
    type=PATH,
    help="Folder of its prepared features.  [default: DATA/prepared]",
)


class Count(click.ParamType):
    """A whole number of at least ``least``."""

    name = "N"

    def __init__(self, least: int) -> None:
        self.least = least

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """See ``click.ParamType``."""
        with suppress(ValueError):
            if self.least <= int(value) <= MOST:
                return int(value)
        self.fail(f"{value!r}: expected a whole number from {self.least} to {MOST}", param, ctx)


def count_option(
    name: str,
    help: str,
    default: int | None = None,
    *,
    least: int = 1,
    group: str = SPEED,
    shown: str = "",
    **more: Any,
) -> Declaration:
    """A whole number of at least ``least``; ``shown``: what the help says in place of the default.
    See ``option``."""
    shown = shown or ("" if default is None else str(default))
    notes = [f"default: {shown}"] if shown else []
    notes += ["required"] if more.get("required") else []
    text = f"{help}  [{'; '.join([*notes, f'at least {least}'])}]"
    more |= {} if default is None else {"default": default}
    return option(name, group=group, type=Count(least), help=text, **more)


def processes_option(name: str, help: str) -> Declaration:
    """How many processes share the work; None: not said."""
    return count_option(name, help, least=0, shown="one per processor")

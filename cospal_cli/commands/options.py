"""Options that several commands share, and the settings that flags stand for."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from cospal_cli.commands.console import set_up_logging
from cospal_cli.devices.memory import check_room
from cospal_cli.settings import Entry, Settings, resolve

F = TypeVar("F", bound=Callable[..., Any])


class Flag(NamedTuple):
    """A flag that fills one setting. ``value``: what a flag without argument stands for."""

    name: str
    key: str
    type: Any
    help: str
    value: Any = None

    @property
    def parameter(self) -> str:
        """The name of the command's keyword argument."""
        return self.name.lstrip("-").replace("-", "_")


class Batch(click.ParamType):
    """A number of frames, or ``auto`` (the setting's 0)."""

    name = "N|auto"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """The number; 0 for ``auto``."""
        return 0 if value == "auto" else click.INT.convert(value, param, ctx)


def flag_options(flags: Sequence[Flag]) -> Callable[[F], F]:
    """A decorator that adds ``flags``; one that is not given stays None."""

    def decorate(command: F) -> F:
        for flag in reversed(flags):
            kind = {"type": flag.type} if flag.value is None else {"is_flag": True}
            add = click.option(flag.name, flag.parameter, default=None, help=flag.help, **kind)
            command = add(command)
        return command

    return decorate


def config_options(command: F) -> F:
    """Add ``--config`` and ``--set``."""
    sets = click.option(
        "--set", "sets", multiple=True, metavar="KEY=VALUE", help="Change one setting; repeatable."
    )
    file = click.option(
        "--config", "config_file", type=click.Path(path_type=Path), help="YAML file of settings."
    )
    return file(sets(command))


def merged_settings(
    config_file: Path | None,
    sets: Sequence[str],
    flags: Sequence[Flag] = (),
    given: dict[str, Any] | None = None,
) -> Settings:
    """All sources merged; ``given`` are the command's keyword arguments for ``flags``."""
    entries = []
    for flag in flags:
        value = (given or {}).get(flag.parameter)
        if value is not None and value is not False:
            typed = value if flag.value is None else flag.value
            entries.append(Entry(flag.key, typed, flag.name, text=False))
    return resolve(config_file, os.environ, sets, entries)


def _remember_debug(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    ctx.ensure_object(dict)["debug"] = value


def debug_option(command: F) -> F:
    """Add ``--debug``: show the traceback of an error."""
    return click.option(
        "--debug",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_remember_debug,
        help="Show the traceback of an error.",
    )(command)


def logging_options(command: F) -> F:
    """Add ``-v``, ``--quiet``, ``--log-file`` and ``--debug``."""
    for add in (
        debug_option,
        click.option("--log-file", type=click.Path(path_type=Path), help="Log everything there."),
        click.option("--quiet", is_flag=True, help="Only errors on stderr."),
        click.option("-v", "--verbose", count=True, help="More on stderr; -vv for everything."),
    ):
        command = add(command)
    return command


def start_logging(
    verbose: int, quiet: bool, log_file: Path | None, others: Mapping[Path, str] | None = None
) -> None:
    """Set up logging from what ``logging_options`` gave, and see that there is memory to work.

    UsageError for a log file that is another file of the command line, or of ``others``.
    """
    check_room()
    named = {} if log_file is None else _named_files()
    set_up_logging(-1 if quiet else verbose, log_file, named | dict(others or {}))


def _named_files() -> dict[Path, str]:
    """Every value on the command line that may name a file, with its option."""
    context = click.get_current_context(silent=True)
    found: dict[Path, str] = {}
    for parameter in context.command.params if context else ():
        value = context.params.get(parameter.name or "") if context else None
        role = parameter.opts[0] if isinstance(parameter, click.Option) else "an input"
        for one in value if isinstance(value, tuple | list) else [value]:
            if isinstance(one, str | Path) and str(one) and role != "--log-file":
                found[Path(one)] = role
    return found

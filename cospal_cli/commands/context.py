"""What every command shares: its options as one typed object, settings, logging, grouped help.

@dataclass(frozen=True)
class Options:
    query_file: Annotated[Path | None, option("--query-file", type=PATH, help="...")]

@command(Options, flags=("video.fps", "ground.top_k"))
def ground(context: Context[Options]) -> int | None: ...
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin, get_type_hints

import click

from cospal_cli.commands import console
from cospal_cli.commands.flags import Given, GroupedOption, flag_options, read_flags
from cospal_cli.core.progress import Progress
from cospal_cli.settings.config import Config
from cospal_cli.settings.merge import Entry, Settings, resolve
from cospal_cli.settings.words import GROUPS, LOGGING, OUTPUT, SETTINGS

T = TypeVar("T")
HELP: dict[str, object] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _GivenPath(click.Path):
    """A path of the command line. An empty one, such as of a variable that is not set, would mean
    the working folder."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """See ``click.ParamType``."""
        if isinstance(value, str) and not value.strip():
            self.fail("the path is empty", param, ctx)
        return super().convert(value, param, ctx)


PATH, TEXT_PATH = _GivenPath(path_type=Path), _GivenPath(path_type=str)  # as it is written


@dataclass(frozen=True)
class Context(Generic[T]):
    """One call of a command: its own ``options``, and what all commands have."""

    options: T
    given: Given = field(default_factory=dict)  # flags that stand for settings, by key
    config_file: Path | None = None
    sets: tuple[str, ...] = ()
    verbose: int = 0
    quiet: bool = False  # print errors only
    log_file: Path | None = None

    @cached_property
    def settings(self) -> Settings:
        """All sources merged."""
        return self.merged(self.config_file)

    @property
    def config(self) -> Config:
        """All settings."""
        return self.settings.config

    def merged(self, config_file: Path | None, implied: Given | None = None) -> Settings:
        """All sources with ``config_file`` as the file. ``implied``: as flags, which go before."""
        given = {**(implied or {}), **self.given}
        flags = [Entry(key, value, flag) for key, (flag, value) in given.items()]
        return resolve(config_file, os.environ, self.sets, flags)

    def start_logging(self, others: Mapping[Path, str] | None = None) -> None:
        """Set up logging.

        UsageError for a log file that is another file of the command line, or of ``others``.
        """
        named = {} if self.log_file is None else _named_files()
        level = -1 if self.quiet else self.verbose
        console.set_up_logging(level, self.log_file, named | dict(others or {}))

    def progress(self, unit: str = "frames") -> AbstractContextManager[Progress]:
        """See ``console.progress``."""
        return console.progress(self.quiet, unit)


class _WholeWords(click.HelpFormatter):
    """Lines that break at spaces only: a value with a hyphen in it can be copied from the help."""

    HYPHEN = "\ue000"  # stands for "-" while the text is wrapped: as wide, and no break after it

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """See ``click.HelpFormatter``."""
        kept = [(first, second.replace("-", self.HYPHEN)) for first, second in rows]
        super().write_dl(kept, col_max, col_spacing)

    def write(self, string: str) -> None:
        """See ``click.HelpFormatter``."""
        super().write(string.replace(self.HYPHEN, "-"))


class _HelpContext(click.Context):
    formatter_class = _WholeWords


class Command(click.Command):
    """A command whose help lists its options in groups."""

    context_class = _HelpContext

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each group with its options, in the order in which they are declared."""
        rows: dict[str, list[tuple[str, str]]] = {name: [] for name in GROUPS}
        for one in self.get_params(ctx):
            record = one.get_help_record(ctx) if isinstance(one, click.Option) else None
            if record is not None:
                rows[getattr(one, "group", LOGGING)].append(record)
        for name, records in rows.items():
            if records:
                with formatter.section(name):
                    formatter.write_dl(records)


Body = Callable[[Context[T]], int | None]


def command(
    options: type[T],
    flags: Sequence[str] | None = None,
    name: str | None = None,
    logs: bool = True,
    light: bool = False,
) -> Callable[[Body[T]], Command]:
    """A decorator: the function becomes a command that is called with a ``Context``.

    ``flags``: the keys of the settings that have flags; None: it reads no settings at all.
    ``logs``: logging is set up before; else the function calls ``Context.start_logging`` once it
    knows what the log must not be, and until then nothing is written into it. ``light``: it needs
    little memory, so that whether there is enough is not checked.
    """

    def decorate(function: Body[T]) -> Command:
        own = list(_parameters(options))
        filling = [] if flags is None else [*flag_options(flags), *_config_options()]

        def call(**values: Any) -> int | None:
            first = int(os.environ.get("RANK", "0")) == 0  # of processes that train together
            quiet = values["quiet"] or not first
            console.set_up_logging(-1 if quiet else values["verbose"], None)
            context = Context(
                options(**{one.name: values[one.name] for one in own if one.name}),
                read_flags(flags or (), values),
                values.get("config_file"),
                values.get("sets", ()),
                values["verbose"],
                quiet,
                values["log_file"] if first else None,
            )
            if not light:
                from cospal_cli.devices.memory import check_room  # help needs none of it

                check_room()
            if logs:
                context.start_logging()
            return function(context)

        return Command(
            name or function.__name__,
            context_settings=HELP,
            callback=call,
            params=[*own, *filling, *_logging_options()],
            help=function.__doc__,
        )

    return decorate


@dataclass(frozen=True)
class NoOptions:
    """The options of a command that has none of its own."""


def option(*names: str, group: str = OUTPUT, **more: Any) -> Callable[[str], click.Parameter]:
    """The declaration of an option that fills the field it annotates; see ``click.Option``."""
    return lambda field_name: GroupedOption([*names, field_name], group=group, **more)


class Numbers(click.ParamType):
    """A list of positive whole numbers, such as 1,4,8."""

    name = "N,N,..."

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, ...]:
        """See ``click.ParamType``."""
        if isinstance(value, tuple):
            return value
        words = [word.strip() for word in value.split(",") if word.strip()]
        if not all(word.isdigit() and 0 < int(word) <= 256 for word in words):
            self.fail(f"{value!r}: expected numbers from 1 to 256, such as 1,4,8", param, ctx)
        return tuple(map(int, words))


def argument(**more: Any) -> Callable[[str], click.Parameter]:
    """The declaration of an argument; see ``click.Argument``."""
    return lambda field_name: click.Argument([field_name], **more)


def json_option(help: str) -> Callable[[str], click.Parameter]:
    """``--json``."""
    return option("--json", is_flag=True, help=help)


def _parameters(options: type) -> Iterator[click.Parameter]:
    for name, hint in get_type_hints(options, include_extras=True).items():
        if get_origin(hint) is Annotated:
            yield get_args(hint)[1](name)


def _config_options() -> list[click.Parameter]:
    return [
        GroupedOption(
            ["--config", "config_file"], group=SETTINGS, type=PATH, help="YAML file of settings."
        ),
        GroupedOption(
            ["--set", "sets"],
            group=SETTINGS,
            multiple=True,
            metavar="KEY=VALUE",
            help="Change one setting; repeatable. 'cospal config show --explain' lists them.",
        ),
    ]


def _logging_options() -> list[click.Parameter]:
    return [
        GroupedOption(
            ["-v", "--verbose"], group=LOGGING, count=True,
            help="Log more to stderr; -vv logs everything.",
        ),
        GroupedOption(["--quiet"], group=LOGGING, is_flag=True, help="Print errors only."),
        GroupedOption(
            ["--log-file"], group=LOGGING, type=PATH, help="Append the whole log to this file."
        ),
        GroupedOption(
            ["--debug"], group=LOGGING, is_flag=True, is_eager=True, expose_value=False,
            callback=_remember_debug, help="Show the traceback of an error.",
        ),
    ]  # fmt: skip


def _remember_debug(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    ctx.ensure_object(dict)["debug"] = value


def _named_files() -> dict[Path, str]:
    """Every value on the command line that may name a file, with its option."""
    context = click.get_current_context(silent=True)
    files: dict[Path, str] = {}
    for parameter in context.command.params if context else ():
        value = context.params.get(parameter.name or "") if context else None
        role = parameter.opts[0] if isinstance(parameter, click.Option) else "an input"
        for one in value if isinstance(value, tuple | list) else [value]:
            if isinstance(one, str | Path) and str(one) and role != "--log-file":
                files[Path(one)] = role
    return files

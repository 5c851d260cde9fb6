"""Flags that fill settings: their names, help, defaults and choices are the settings' own."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from cospal_cli.core.json_types import Json
from cospal_cli.settings.declare import Declared
from cospal_cli.settings.names import OLD_NAMES_END, keys
from cospal_cli.settings.show import shown

LOG = logging.getLogger("cospal")
Given = Mapping[str, tuple[str, str]]  # key -> (the flag, the text behind it)
_METAVARS = {float: "NUMBER", int: "N", str: "TEXT"}


class GroupedOption(click.Option):
    """An option with the ``group`` in which help lists it."""

    def __init__(
        self, names: Sequence[str], *, group: str, declared: Declared | None = None, **more: Any
    ) -> None:
        super().__init__(names, **more)
        self.group, self.declared = group, declared

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Flag and help. That of a setting names the back ends there are when help is shown."""
        if self.declared is not None:
            self.help = flag_help(self.declared)
        return super().get_help_record(ctx)


def flag_options(flags: Sequence[str]) -> list[click.Parameter]:
    """An option for the flag of each setting in ``flags``, and hidden ones for its old names."""
    options: list[click.Parameter] = []
    for key in flags:
        one = keys()[key]
        options.append(_option(one, one.setting.flag, _parameter(key)))
        options += [_option(one, old, name, hidden=True) for old, name in _former(one)]
    return options


def read_flags(flags: Sequence[str], values: Json) -> Given:
    """What was given, by key; ``values`` are the command's keyword arguments."""
    given: dict[str, tuple[str, str]] = {}
    for key in flags:
        one = keys()[key]
        for old, name in _former(one):
            if values[name] is not None:
                LOG.warning(
                    "%s is now called %s; the old name works until version %s",
                    old, one.setting.flag, OLD_NAMES_END,
                )  # fmt: skip
                given[key] = old, _text(one, values[name])
        if values[_parameter(key)] is not None:
            given[key] = one.setting.flag, _text(one, values[_parameter(key)])
    return given


def flag_names(flags: Sequence[str]) -> dict[str, str]:
    """The flag of each setting in ``flags``."""
    return {key: keys()[key].setting.flag for key in flags}


def flag_help(one: Declared) -> str:
    """What the flag does, its default and what it takes."""
    if one.kind is bool:
        return one.setting.meaning if one.default is False else _negated(one.setting.meaning)
    limits = f"one of {', '.join(one.choices)}" if one.choices else one.limits
    notes = [f"default: {shown(one, one.default)}", *([limits] if limits else [])]
    return f"{one.setting.meaning}  [{'; '.join(notes)}]"


def _option(one: Declared, flag: str, name: str, hidden: bool = False) -> GroupedOption:
    kind: dict[str, object] = {"is_flag": True}
    if one.kind is not bool:
        metavar = f"N|{one.setting.zero}" if one.setting.zero else _METAVARS[one.kind]
        metavar = "NAME" if one.choices else metavar
        kind = {"type": str, "metavar": "N,N,..." if one.many else metavar}
    return GroupedOption(
        [flag, name],
        group=one.group,
        declared=one,
        default=None,
        hidden=hidden,
        help=flag_help(one),
        **kind,
    )


def _parameter(key: str) -> str:
    return key.replace(".", "__")


def _former(one: Declared) -> Iterator[tuple[str, str]]:
    """The flag's old names, each with the parameter that it fills."""
    for number, old in enumerate(one.setting.former_flags):
        yield old, f"{_parameter(one.key)}__was{number}"


def _text(one: Declared, value: Any) -> str:
    """A flag without argument stands for what the default is not."""
    return str(not one.default).lower() if one.kind is bool else value


def _negated(meaning: str) -> str:
    return f"Do not {meaning[0].lower()}{meaning[1:]}"

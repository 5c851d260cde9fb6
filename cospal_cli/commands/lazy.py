"""Groups whose commands are imported only when they run."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click


def lazy_group(table: Mapping[str, tuple[str, str]]) -> type[click.Group]:
    """A group class over ``table``: name -> ("module:attribute", help line), shown in its order."""

    class LazyGroup(click.Group):
        def list_commands(self, ctx: click.Context) -> list[str]:
            """The table's names in its order."""
            return list(table)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            """Import one command; None where there is none of that name."""
            if cmd_name not in table:
                return super().get_command(ctx, cmd_name)
            module, _, attribute = table[cmd_name][0].partition(":")
            command: click.Command = getattr(import_module(module), attribute)
            return command

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            """The help's list of commands, none of them imported."""
            with formatter.section("Commands"):
                formatter.write_dl([(name, line) for name, (_, line) in table.items()])

    return LazyGroup

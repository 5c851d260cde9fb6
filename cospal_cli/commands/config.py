"""``cospal config show``: the merged settings and where each value came from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated

import click

from cospal_cli.commands.console import emit
from cospal_cli.commands.context import HELP, Context, command, json_option, option
from cospal_cli.settings.merge import as_dict
from cospal_cli.settings.show import as_yaml, explained

_ALL = "all"  # settings that are explained where none is named


@dataclass(frozen=True)
class ShowOptions:
    """See ``show``."""

    explain: Annotated[
        str | None,
        option(
            "--explain",
            metavar="[KEY]",
            is_flag=False,
            flag_value=_ALL,
            help="Explain a setting, a section or all: what it means and its values.",
        ),
    ]
    as_json: Annotated[bool, json_option("Print one JSON document: config and origins.")]


@click.group(context_settings=HELP)
def config() -> None:
    """Settings: defaults < --config file < COSPAL_* environment < --set < flags."""


@command(ShowOptions, flags=(), light=True)
def show(context: Context[ShowOptions]) -> None:
    """Print every setting and where its value came from.

    The output is a file for --config: 'cospal config show > mine.yaml', edit, 'cospal ground
    --config mine.yaml ...'. The environment variable of detector.threshold is
    COSPAL_DETECTOR_THRESHOLD, and so on.
    """
    settings = context.settings
    if context.options.explain is not None:
        key = context.options.explain
        emit(explained(settings, "" if key == _ALL else key))
    elif context.options.as_json:
        shown = {"config": as_dict(settings.config), "origins": dict(settings.origins)}
        emit(json.dumps(shown, indent=2))
    else:
        emit(as_yaml(settings))


config.add_command(show)

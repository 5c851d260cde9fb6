"""``cospal config show``: the merged settings and where each value came from."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cospal_cli.commands.console import emit, printable
from cospal_cli.commands.options import config_options, debug_option, merged_settings
from cospal_cli.settings import as_dict, flatten


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def config() -> None:
    """Settings: defaults < --config file < COSPAL_* environment < --set < flags."""


@config.command()
@config_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document: config and origins.")
@debug_option
def show(config_file: Path | None, sets: tuple[str, ...], as_json: bool) -> None:
    """Print every setting, its value and where it came from.

    The environment variable of detector.threshold is COSPAL_DETECTOR_THRESHOLD, and so on.
    """
    settings = merged_settings(config_file, sets)
    if as_json:
        shown = {"config": as_dict(settings.config), "origins": dict(settings.origins)}
        emit(json.dumps(shown, indent=2))
        return
    for key, value in flatten(settings.config).items():
        line = f"{key} = {json.dumps(value)}"
        emit(f"{line:<44} # {printable(settings.origins[key])}")

"""``cospal data``: check, prepare and generate data sets."""

from __future__ import annotations

import click

from cospal_cli.commands.context import HELP
from cospal_cli.commands.lazy import lazy_group

SUBCOMMANDS = {
    "check": ("cospal_cli.commands.data_check:check", "List what is wrong with a data set."),
    "prepare": ("cospal_cli.commands.data_prepare:prepare", "Compute the features of a data set."),
    "synthetic": ("cospal_cli.commands.data_synthetic:synthetic", "Generate a synthetic data set."),
}


@click.group(cls=lazy_group(SUBCOMMANDS), context_settings=HELP)
def data() -> None:
    """Check, prepare and generate data sets: HC-STVG v1 and v2, VidSTG, synthetic."""

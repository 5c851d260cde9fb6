"""``cospal data``: look after data sets for training and evaluation."""

from __future__ import annotations

import click

from cospal_cli.commands.context import HELP
from cospal_cli.commands.lazy import lazy_group

SUBCOMMANDS = {
    "check": ("cospal_cli.commands.data_check:check", "List what is wrong with a data set."),
    "prepare": ("cospal_cli.commands.data_prepare:prepare", "Make the features of a data set."),
    "synthetic": ("cospal_cli.commands.data_synthetic:synthetic", "Make a synthetic data set."),
}


@click.group(cls=lazy_group(SUBCOMMANDS), context_settings=HELP)
def data() -> None:
    """Check, prepare and make data sets: HC-STVG v1 and v2, VidSTG, synthetic."""

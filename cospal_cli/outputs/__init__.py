"""What is written about results: ``tube_json``, always, and one file for each other format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from cospal_cli.core.backends import OUTPUTS
from cospal_cli.core.registry import load

if TYPE_CHECKING:
    from cospal_cli.outputs.stored import TubeDocument
    from cospal_cli.settings import OutputConfig


class OutputFormat(Protocol):
    """A form in which other programs read tubes, built from an ``OutputConfig``.

    ``endings``: of what it writes, each put behind a name; one that ends in "/" is a folder.
    ``joint``: one output holds many videos; else each video gets its own.
    """

    endings: tuple[str, ...]
    joint: bool

    def files(self, documents: Sequence[TubeDocument]) -> Mapping[str, str]:
        """The text of each file, by its ending, or by a folder's ending and the path in it.

        ``documents``: at least one; of one video unless the format is ``joint``. Frame bases, box
        forms and units are converted here.
        """
        ...


def open_output(name: str, config: OutputConfig) -> OutputFormat:
    """The output format called ``name``; UsageError lists the known ones."""
    made: OutputFormat = load("output format", OUTPUTS, name)(config)
    return made

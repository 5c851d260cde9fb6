"""What a data set format is: the names of its annotation files, and what reads one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cospal_cli.core.progress import Progress
from cospal_cli.datasets.records import SplitRecords
from cospal_cli.datasets.tree import Tree


class AnnotationReader(Protocol):
    """Reads one annotation file."""

    def __call__(
        self, tree: Tree, path: Path, split: str, truth: bool, progress: Progress, /
    ) -> SplitRecords:
        """The records of the file ``path``, with their truths if ``truth``.

        What is wrong with one record is noted in ``SplitRecords``; ``records.Bad`` where the whole
        file cannot be read. Videos are found by ``tree.video``, which no name can lead out of.
        """


def _any(path: Path) -> bool:
    return True


@dataclass(frozen=True)
class Format:
    """A form of data set, as the table ``FORMATS`` names it."""

    files: Mapping[str, tuple[str, ...]]  # split -> the names that its annotation file may have
    read: AnnotationReader
    is_own: Callable[[Path], bool] = _any  # False: a file of such a name, of another kind of set

"""Data sets: a folder of videos and annotations in, records and (only if wanted) truths out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.core.backends import FORMATS
from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.core.progress import Progress, silent
from cospal_cli.core.registry import load

if TYPE_CHECKING:
    from cospal_cli.datasets.format import Format
    from cospal_cli.datasets.records import Dataset
    from cospal_cli.datasets.tree import Tree

__all__ = ["FORMATS", "open_format", "read", "read_file", "resolve"]


def open_format(name: str) -> Format:
    """The data set format called ``name``; UsageError lists the known ones."""
    format: Format = load("data set format", FORMATS, name)
    return format


def annotation_files(tree: Tree, format: str = "auto") -> tuple[str, dict[str, Path]]:
    """The data set's format and the annotation file of each of its splits.

    ``auto`` goes by the files' names. UsageError where a folder holds two data sets or a split
    two files; InputError where it holds none.
    """
    if format != "auto" and format not in FORMATS:
        raise UsageError(f"unknown data format {format!r}", f"known: auto, {', '.join(FORMATS)}")
    by_format = {
        name: files
        for name in (FORMATS if format == "auto" else [format])
        if (files := _files(tree, name))
    }
    if len(by_format) > 1:
        raise UsageError(
            f"{str(tree.root)!r} holds {len(by_format)} data sets: {', '.join(by_format)}",
            "choose one with --format, or name its own folder",
        )
    if not by_format:
        formats = [open_format(name).files for name in FORMATS]
        names = [name for one in formats for some in one.values() for name in some]
        raise InputError(
            f"no annotation file of a known data set below {str(tree.root)!r}",
            f"expected names: {', '.join(names)}",
        )
    return next(iter(by_format.items()))


def read(
    root: Path,
    split: str,
    *,
    format: str = "auto",
    truth: bool,
    workers: int = 0,
    progress: Progress = silent,
) -> Dataset:
    """The records of a split: train, val or test, or a part of train: fit or validation.

    They are compared with their videos, in so many ``workers`` processes, and fitted to these: see
    ``datasets.fit``. Bad records are skipped, named and counted in ``problems``. Without ``truth``
    boxes and times are not even read, so that nothing about them can reach a model; a record
    with bad ones is then usable. InputError where the split or its file is not there.
    """
    from cospal_cli.datasets.fit import fitted
    from cospal_cli.datasets.records import Bad
    from cospal_cli.datasets.splits import PARTS, SPLITS, VALIDATION, split_name, validation_sources
    from cospal_cli.datasets.tree import Tree

    split = split_name(split)
    if split not in SPLITS + PARTS:
        raise UsageError(f"unknown split {split!r}", f"known: {', '.join(SPLITS + PARTS)}")
    tree = Tree(root)
    name, files = annotation_files(tree, format)
    whole = "train" if split in PARTS else split
    if whole not in files:
        raise InputError(f"{str(root)!r} has no split {whole!r}", f"it has: {', '.join(files)}")
    try:
        dataset = read_file(tree, name, files[whole], whole, truth, progress)
    except Bad as bad:
        raise InputError(
            f"{str(files[whole])!r} {bad.detail}", "download or write it again"
        ) from bad
    if split not in PARTS:
        return fitted(dataset, workers, progress)
    taken, wanted = validation_sources(dataset.sources), split == VALIDATION
    part = tuple(one for one in dataset.records if (one.source in taken) == wanted)
    truths = {one.id: dataset.truths[one.id] for one in part if one.id in dataset.truths}
    chosen = replace(dataset, split=split, records=part, truths=truths)
    return fitted(chosen, workers, progress)


def read_file(
    tree: Tree, format: str, path: Path, split: str, truth: bool, progress: Progress = silent
) -> Dataset:
    """The records of one annotation file. Raises ``records.Bad`` where it cannot be read."""
    return open_format(format).read(tree, path, split, truth, progress).dataset(format)


def _files(tree: Tree, format: str) -> dict[str, Path]:
    """split -> annotation file; {} where the folder has none of the format."""
    by_split, form = {}, open_format(format)
    for split, names in form.files.items():
        paths = [path for name in names for path in tree.tables(name) if form.is_own(path)]
        if len(paths) > 1:
            listed = ", ".join(tree.relative(path) for path in paths)
            raise UsageError(
                f"several files for the split {split!r}: {listed}", "name the folder of one of them"
            )
        if paths:
            by_split[split] = paths[0]
    return by_split

"""The unit of work: one video with all its queries, in a stable order."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from cospal_cli.core.errors import UsageError
from cospal_cli.library.inputs import VideoInput, named
from cospal_cli.library.manifest import ManifestRow


@dataclass(frozen=True)
class BatchQuery:
    """One sentence about a video, and which part of it."""

    text: str
    id: str  # what the JSON calls it
    ending: str = ""  # what names of outputs have behind the video's own, such as ".2"
    start: str | None = None
    end: str | None = None
    at: int = 0  # its place in the input's order, over all videos


@dataclass(frozen=True)
class BatchJob:
    """One video with all its queries. Picklable."""

    video: Path
    name: str  # its place among the inputs: see ``VideoInput``
    queries: tuple[BatchQuery, ...]
    stem: str = ""  # what its outputs are called
    bytes: int = 0  # 0: not there, or not a file

    def __str__(self) -> str:
        return self.name

    @property
    def folder(self) -> PurePosixPath:
        """Where its outputs go, within the folder of all."""
        return PurePosixPath(self.name).parent


def jobs_of_inputs(
    videos: Sequence[VideoInput], sentences: dict[int, str], of: int
) -> list[BatchJob]:
    """A job for each video: the ``sentences`` by number, of so many that were given."""
    numbered = [(str(number), text) for number, text in sentences.items()]
    made = []
    for row, video in enumerate(videos):
        queries = tuple(
            BatchQuery(text, id, f".{id}" if of > 1 else "", at=row * len(numbered) + at)
            for at, (id, text) in enumerate(numbered)
        )
        made.append(BatchJob(video.path, video.name, queries, bytes=_bytes(video.path)))
    return _named(made)


def jobs_of_manifest(rows: Sequence[ManifestRow], folder: Path) -> list[BatchJob]:
    """A job for each video of the manifest in ``folder``, in the order in which they first appear.

    UsageError where two rows about one video have the same id.
    """
    by_path: dict[str, list[tuple[int, ManifestRow]]] = {}
    for at, row in enumerate(rows):
        by_path.setdefault(os.path.abspath(row.video), []).append((at, row))
    paths = [own[0][1].video for own in by_path.values()]
    made = [
        BatchJob(video.path, video.name, _queries(own), bytes=_bytes(video.path))
        for video, own in zip(named(paths, [folder]), by_path.values(), strict=True)
    ]
    return _named(made)


def _queries(rows: Sequence[tuple[int, ManifestRow]]) -> tuple[BatchQuery, ...]:
    """One video's. With an id, outputs are named by it, so that further rows change no name."""
    queries: list[BatchQuery] = []
    taken: dict[str, str] = {}
    for number, (at, row) in enumerate(rows, 1):
        id = row.id or str(number)
        ending = "." + re.sub(r"[^\w-]", "_", id) if row.id or len(rows) > 1 else ""
        if ending in taken:
            raise UsageError(
                f"{row.where}: the id {id!r} is already that of {taken[ending]}",
                "give each query of a video its own id",
            )
        taken[ending] = row.where
        queries.append(BatchQuery(row.query, id, ending, row.start, row.end, at))
    return tuple(queries)


def _named(jobs: Iterable[BatchJob]) -> list[BatchJob]:
    """With names for their outputs: the video's without its suffix, or with it where several
    videos of a folder differ in nothing else."""
    jobs = list(jobs)
    counts: dict[str, int] = {}
    for job in jobs:
        key = str(job.folder / PurePosixPath(job.name).stem).casefold()
        counts[key] = counts.get(key, 0) + 1
    done = []
    for job in jobs:
        own = PurePosixPath(job.name)
        alone = counts[str(job.folder / own.stem).casefold()] == 1
        done.append(replace(job, stem=own.stem if alone else own.name))
    return done


def _bytes(path: Path) -> int:
    """The size of a file, or of all files of a folder."""
    with suppress(OSError, ValueError):
        if path.is_dir():
            return sum(one.stat().st_size for one in path.iterdir() if one.is_file())
        return path.stat().st_size
    return 0

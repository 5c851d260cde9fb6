"""``cospal data check``: a data set compared with its own files, its problems named and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cospal_cli import datasets
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.progress import Progress, silent
from cospal_cli.core.worker_pool import Failure
from cospal_cli.datasets.fit import fit
from cospal_cli.datasets.records import KINDS, Bad, Dataset, Problem, Record
from cospal_cli.datasets.states import VideoState, examine_all
from cospal_cli.datasets.tree import Tree
from cospal_cli.evaluation.tubes import Truth

TINY_BYTES = 6000  # placeholders of videos that were taken down are smaller


@dataclass(frozen=True)
class CheckReport:
    """All splits of a data set and everything wrong with them."""

    root: str
    format: str
    splits: dict[str, dict[str, int]]  # split -> counts of records, usable ones, truths, videos
    videos: int  # checked
    bytes: int
    decoded: bool
    problems: tuple[Problem, ...]

    @property
    def usable(self) -> int:
        """How many records can be used, over all splits."""
        return sum(split["usable"] for split in self.splits.values())

    @property
    def skipped(self) -> int:
        """How many problems make a record (or a whole annotation file) unusable."""
        return sum(problem.skipped for problem in self.problems)

    def counts(self) -> dict[str, int]:
        """kind -> how often, in the order of ``KINDS``."""
        counts = Counter(problem.kind for problem in self.problems)
        return {kind: counts[kind] for kind in KINDS if kind in counts}

    def as_dict(self) -> JsonDict:
        """Plain values for JSON."""
        return {
            "root": self.root,
            "format": self.format,
            "splits": self.splits,
            "usable": self.usable,
            "skipped": self.skipped,
            "videos": self.videos,
            "bytes": self.bytes,
            "decoded": self.decoded,
            "counts": self.counts(),
            "problems": [
                {
                    "kind": one.kind,
                    "split": one.split,
                    "record": one.record,
                    "detail": one.detail,
                    "skipped": one.skipped,
                }
                for one in self.problems
            ],
        }


def check(
    root: Path,
    format: str = "auto",
    *,
    decode: bool = False,
    workers: int = 0,
    progress: Progress = silent,
) -> CheckReport:
    """Read every split, open every video (``decode``: to its end) and compare the two.

    ``workers``: processes that open videos. InputError or UsageError where no data set is found.
    """
    tree = Tree(root)
    name, files = datasets.annotation_files(tree, format)
    sets: list[Dataset] = []
    problems: list[Problem] = []
    for split, path in files.items():
        try:
            sets.append(datasets.read_file(tree, name, path, split, True, progress))
            problems.extend(sets[-1].problems)
        except Bad as bad:
            problems.append(Problem(bad.kind, tree.relative(path), bad.detail, split))
    videos = {record.video for dataset in sets for record in dataset.records}
    states = examine_all(videos, decode=decode, workers=workers, progress=progress)
    problems.extend(_shared(sets))
    unusable: Counter[str] = Counter()
    for dataset in sets:
        for record in dataset.records:
            state = states[record.video]
            noted = _compare(record, dataset.truths.get(record.id), state, dataset.split)
            unusable[dataset.split] += any(problem.skipped for problem in noted)
            problems.extend(noted)
    return CheckReport(
        root=str(root),
        format=name,
        splits={one.split: _counts(one, unusable[one.split]) for one in sets},
        videos=len(videos),
        bytes=sum(video.stat().st_size for video in videos),
        decoded=decode,
        problems=tuple(problems),
    )


def _compare(
    record: Record, truth: Truth | None, state: VideoState | Failure, split: str
) -> list[Problem]:
    """What is wrong with one record in the light of its video."""
    if isinstance(state, Failure):
        kind = "unreadable-video"
        if record.video.stat().st_size < TINY_BYTES:
            kind = "empty-video"
        return [Problem(kind, record.id, state.reason, split)]
    damage = [Problem("damaged-video", record.id, text, split) for text in state.warnings]
    return damage + fit(record, truth, state, split)[1]


def _shared(sets: Iterable[Dataset]) -> list[Problem]:
    """Videos that are in more than one split: their tests say little."""
    splits: dict[Path, dict[str, None]] = {}
    for dataset in sets:
        for record in dataset.records:
            splits.setdefault(record.video, {})[dataset.split] = None
    return [
        Problem("shared-video", video.name, f"in {' and '.join(names)}", list(names)[-1])
        for video, names in splits.items()
        if len(names) > 1
    ]


def _counts(dataset: Dataset, unusable: int) -> dict[str, int]:
    return {
        "records": len(dataset.records) + dataset.skipped,
        "usable": len(dataset.records) - unusable,
        "truths": len(dataset.truths),
        "videos": len({record.video for record in dataset.records}),
    }

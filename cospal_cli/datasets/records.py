"""What every data set is read into: records that training may see, truths apart, and problems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cospal_cli.core.errors import InputError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.observation import FrameSpan
from cospal_cli.evaluation.tubes import Truth

# What may be wrong, by kind. The first make a record unusable; the others are only counted.
SKIPPED = {
    "bad-file": "an annotation file cannot be read",
    "bad-record": "the record does not have the data set's form",
    "duplicate-id": "the name occurs twice",
    "unsafe-path": "the name leads out of the data folder",
    "no-sentence": "no English sentence",
    "missing-video": "no such video below the data folder",
    "empty-video": "the video file is empty",
    "unreadable-video": "the video cannot be opened or decoded",
    "other-size": "the video has another shape than annotated",
    "other-length": "the video has other frames than annotated, which its rate does not explain",
    "missing-truth": "no boxes or times, although others have them",
    "bad-box": "a box is not finite, has no area, or lies outside the frame",
    "bad-span": "the start is not before the end",
    "truth-past-end": "the truth begins after the video's end",
}
NOTED = {
    "clamped-box": "boxes that reach outside the frame are cut to it",
    "gap": "frames of the span have no box; they are not scored for boxes",
    "late-truth": "the truth goes on after the video's last frame",
    "outside-segment": "the truth goes on outside the annotated segment",
    "other-scale": "the video has another size than annotated; boxes are scaled to it",
    "other-rate": "the video has another frame rate than annotated; frames are mapped by time",
    "long-video": "the video has a frame or two more than annotated",
    "other-extension": "the video has another extension than annotated; frames may differ",
    "several-videos": "several videos have the name; the first is taken",
    "short-video": "the video has fewer frames than annotated",
    "damaged-video": "only a part of the video can be decoded",
    "shared-video": "the video is in more than one split",
    "no-truth": "no record of the split has a truth",
}
KINDS = {kind: f"skipped: {why}" for kind, why in SKIPPED.items()} | NOTED


class Bad(InputError):
    """A record that cannot be used; caught by the reader."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


@dataclass(frozen=True)
class Problem:
    """Something wrong with a record. ``kind`` is one of ``KINDS``; ``record`` an id or a file."""

    kind: str
    record: str
    detail: str
    split: str = ""

    @property
    def skipped(self) -> bool:
        """Whether the record is left out because of it."""
        return self.kind in SKIPPED


@dataclass(frozen=True)
class Record:
    """A video and a sentence: everything that weakly supervised training may know."""

    id: str  # unique within its split
    video: Path
    text: str
    source: str  # what splits go by: clips cut from one film share it
    form: str = "declarative"  # or interrogative
    size: tuple[int, int] | None = None  # annotated width and height
    frames: int | None = None  # annotated number of frames of the whole video
    fps: float | None = None  # annotated frames per second, where the record says so
    segment: FrameSpan | None = None  # the part searched, half-open frames; None: all of it


@dataclass(frozen=True)
class Dataset:
    """The usable records of a split. ``truths`` (by record id) is empty unless wanted."""

    format: str
    split: str
    records: tuple[Record, ...]
    truths: Mapping[str, Truth] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    sources: tuple[str, ...] = ()  # of everything annotated, whether usable or not

    @property
    def skipped(self) -> int:
        """How many records were left out."""
        return sum(problem.skipped for problem in self.problems)

    def remarks(self) -> list[str]:
        """What was skipped and what was repaired, counted, one sentence each."""
        counts = Counter(problem.kind for problem in self.problems)
        first = {problem.kind: problem.record for problem in reversed(self.problems)}
        return [
            f"{self.split}: {count} x {kind} ({KINDS[kind]}), such as {first[kind]!r}"
            for kind, count in sorted(counts.items())
        ]


@dataclass
class SplitRecords:
    """A split while it is read."""

    split: str
    records: dict[str, Record] = field(default_factory=dict)
    truths: dict[str, Truth] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    def note(self, kind: str, record: str, detail: str) -> None:
        """Keep a problem."""
        self.problems.append(Problem(kind, record, detail, self.split))

    @contextmanager
    def record(self, name: str) -> Iterator[None]:
        """Within it, ``Bad`` means that the record ``name`` is skipped, named and counted; so does
        every other error that its values cause."""
        try:
            with errors_as(InputError, "the record"):
                yield
        except Bad as bad:
            self.note(bad.kind, name, bad.detail)
        except InputError as error:
            self.note("bad-record", name, error.message)

    def add(self, record: Record, truth: Truth | None) -> None:
        """Keep a usable record. Raises Bad if its id was there before."""
        if record.id in self.records:
            raise Bad("duplicate-id", "the first one is kept")
        self.records[record.id] = record
        if truth is not None:
            self.truths[record.id] = truth

    def dataset(self, format: str) -> Dataset:
        """What was read."""
        return Dataset(
            format,
            self.split,
            tuple(self.records.values()),
            self.truths,
            tuple(self.problems),
            tuple(self.sources),
        )

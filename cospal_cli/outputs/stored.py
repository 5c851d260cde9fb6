"""Stored tube documents (``cospal/tube@1``), checked: what every output format is made from.

Frames are 0-based source ordinals, boxes absolute pixels xyxy of the displayed frame, times seconds
from its first displayed frame, spans half-open. Formats that count or measure otherwise convert
where they write, and nowhere else.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path, PureWindowsPath

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import IntArray
from cospal_cli.core.errors import InputError
from cospal_cli.core.json_types import Json
from cospal_cli.evaluation.checked import Malformed, box, documents, rows, table, text, whole
from cospal_cli.evaluation.tube_files import RESULTS, SUFFIX, is_tube_file

USUAL_FPS = Fraction(25)  # of a video that does not say: formats need a rate
MOST_FRAMES = 10**7  # days: a larger number is not one of frames
HINT = "give a .tube.json of 'cospal ground', a folder of such files, or one document per line"


@dataclass(frozen=True)
class SourceVideo:
    """What a document says of its video."""

    path: str  # as it was given
    width: int  # of the displayed frame
    height: int
    fps: Fraction  # on average
    frames: int | None = None  # of the whole video; None: not known
    duration_s: float | None = None
    vfr: bool = False

    @property
    def name(self) -> str:
        """The file's name, by whichever slash."""
        name = PureWindowsPath(self.path).name
        return name if name.strip(". ") else "video"

    @property
    def stem(self) -> str:
        """The file's name without its ending."""
        return PureWindowsPath(self.name).stem

    def length(self, tubes: Sequence[StoredTube]) -> int:
        """Frames of the video, at least those that ``tubes`` need."""
        return max([self.frames or 1, *(tube.end for tube in tubes)])


@dataclass(frozen=True)
class StoredTube:
    """One tube: a box at each of its frames."""

    rank: int  # 1: the best of its document
    label: str  # a noun
    score: float | None
    start_s: float
    end_s: float
    frames: IntArray  # (T,) strictly increasing
    times_s: NDArray[np.float64]  # (T,)
    boxes_xyxy: NDArray[np.float64]  # (T, 4)
    scores: tuple[float | None, ...]  # (T,) of the boxes

    @property
    def start(self) -> int:
        """The first frame."""
        return int(self.frames[0])

    @property
    def end(self) -> int:
        """The frame behind the last."""
        return int(self.frames[-1]) + 1

    def runs(self) -> Iterator[slice]:
        """The stretches of frames without a gap, in order; nearly always one."""
        cuts = np.flatnonzero(np.diff(self.frames) != 1) + 1
        edges = [0, *cuts.tolist(), len(self.frames)]
        return (slice(first, last) for first, last in itertools.pairwise(edges))


@dataclass(frozen=True)
class TubeDocument:
    """One video, one sentence, and its tubes, best first; none: no match."""

    video: SourceVideo
    query_id: str
    text: str
    subject: str
    tubes: tuple[StoredTube, ...]

    @classmethod
    def parse(cls, value: object) -> TubeDocument:
        """From a JSON value. Raises Malformed, naming the field."""
        doc = table(value, "the document")
        if not is_tube_file(doc):
            found = (
                f"its schema is {doc['schema']!r:.60}" if "schema" in doc else "it has no schema"
            )
            raise Malformed(f"not a cospal/tube@1 document: {found}")
        query = table(doc.get("query"), "query")
        tubes = [
            _tube(table(one, f"tubes[{at}]"), at)
            for at, one in enumerate(rows(doc.get("tubes"), "tubes"))
        ]
        return cls(
            _video(doc),
            _word(query.get("id")) or "1",
            _whole_text(text(query.get("text"), "query.text")),
            _word(query.get("subject")),
            tuple(tubes),
        )


@dataclass
class GivenDocuments:
    """What was read. ``bad``: a sentence on each document that is left out."""

    documents: list[TubeDocument] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)  # those that were read


def read_documents(sources: Sequence[Path]) -> GivenDocuments:
    """The documents of ``sources``: tube files, folders of them, files of one document per line.

    InputError where there is not one that can be used.
    """
    given = GivenDocuments()
    seen: set[Path] = set()
    for source in sources:
        for path in _files(source, given):
            if path.resolve() not in seen:  # one that is named, and in a folder that is
                seen.add(path.resolve())
                _read_file(path, given)
    if not given.documents:
        raise InputError(given.bad[0] if given.bad else "no tube document is named", HINT)
    return given


def by_video(given: Sequence[TubeDocument]) -> list[tuple[SourceVideo, list[TubeDocument]]]:
    """The documents of each video, videos in the order in which they come."""
    found: dict[str, list[TubeDocument]] = {}
    for one in given:
        found.setdefault(one.video.path, []).append(one)
    return [(group[0].video, group) for group in found.values()]


def distinct(names: Sequence[str]) -> list[str]:
    """``names``, those that come again with a number behind: a, a_2."""
    made: dict[str, None] = {}
    for name in names:
        one, number = name, 1
        while one in made:
            number += 1
            one = f"{name}_{number}"
        made[one] = None
    return list(made)


def _files(source: Path, given: GivenDocuments) -> list[Path]:
    """``source``, or the files of that folder: each document's own, or else all in one."""
    if not source.is_dir():
        return [source]
    found = sorted(one for one in source.rglob(f"*{SUFFIX}") if not one.name.startswith("."))
    found = found or sorted(source.rglob(RESULTS))
    if not found:
        given.bad.append(f"no *{SUFFIX} and no {RESULTS} in the folder {str(source)!r}")
    return found


def _read_file(path: Path, given: GivenDocuments) -> None:
    given.files.append(path)
    try:
        values = documents(path, "tubes from")
    except (Malformed, InputError) as error:
        given.bad.append(
            error.message if isinstance(error, InputError) else f"{str(path)!r}: {error}"
        )
        return
    for number, value in enumerate(values, 1):
        try:
            given.documents.append(TubeDocument.parse(value))
        except Malformed as error:
            line = f", line {number}" if len(values) > 1 else ""
            given.bad.append(f"{str(path)!r}{line}: {error}")


def _video(doc: Json) -> SourceVideo:
    video = table(doc.get("video"), "video")
    duration = video.get("duration")
    return SourceVideo(
        _whole_text(text(video.get("path"), "video.path")),
        whole(video.get("width"), "video.width", 1),
        whole(video.get("height"), "video.height", 1),
        _rate(video.get("avg_fps")),
        _length(doc, video),
        _number(duration, "video.duration") if duration is not None else None,
        video.get("vfr") is True,
    )


def _rate(value: object) -> Fraction:
    try:
        rate = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        return USUAL_FPS
    return rate if 0 < rate < 10**6 else USUAL_FPS


def _length(doc: Json, video: Json) -> int | None:
    """How many frames the whole video has: counted where all was read, else by its header."""
    config = _inner(_inner(_inner(doc, "generator"), "config"), "video")
    part = any(config.get(name) is not None for name in ("start", "end", "duration"))
    counted = not part and doc.get("status") != "interrupted"
    frames = video.get("frames_decoded" if counted else "frames_declared")
    good = isinstance(frames, int) and not isinstance(frames, bool) and 0 < frames <= MOST_FRAMES
    return frames if good else None


def _inner(value: Json, key: str) -> Json:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _tube(tube: Json, at: int) -> StoredTube:
    frames, times, boxes, scores = [], [], [], []
    for number, row in enumerate(rows(tube.get("boxes"), f"tubes[{at}].boxes")):
        place = f"tubes[{at}].boxes[{number}]"
        row = table(row, place)
        frames.append(whole(row.get("frame"), f"{place}.frame", 0))
        times.append(_number(row.get("time"), f"{place}.time"))
        boxes.append(box(row.get("bbox"), f"{place}.bbox"))
        scores.append(_score(row.get("score")))
    if not frames or any(one >= other for one, other in itertools.pairwise(frames)):
        raise Malformed(f"tubes[{at}].boxes: expected some, at rising frames")
    start, end = (
        _number(tube.get(key), f"tubes[{at}].{key}") for key in ("start_time", "end_time")
    )
    if not start < end:
        raise Malformed(f"tubes[{at}]: expected start_time < end_time, found {start} and {end}")
    label = _word(tube.get("label")) or _word(tube.get("detected")) or "object"
    return StoredTube(
        at + 1, label, _score(tube.get("score")), start, end,
        np.array(frames, np.int64), np.array(times), np.array(boxes, np.float64), tuple(scores),
    )  # fmt: skip


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise Malformed(f"{what}: expected seconds, found {value!r:.60}")
    return float(value)


def _score(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else None


def _word(value: object) -> str:
    return _whole_text(" ".join(value.split())) if isinstance(value, str) else ""


def _whole_text(value: str) -> str:
    """Without lone surrogates, which no file of text can hold."""
    return value.encode("utf-8", "replace").decode("utf-8")

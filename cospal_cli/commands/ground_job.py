"""One video of a batch with all its queries: what runs in a worker of an engine.

Everything that a job leaves is on the disk when it returns; what is there already and is right is
not done again.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path

from cospal_cli.commands.format_files import beside, check, open_formats, write_all
from cospal_cli.commands.ground_files import Files, PlacedResult, grounded
from cospal_cli.commands.libraries import open_grounder
from cospal_cli.commands.output_paths import OutputPaths
from cospal_cli.core import files as disk
from cospal_cli.core.errors import CospalError, InputError
from cospal_cli.core.foreign import reason
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.progress import never, silent
from cospal_cli.core.query import Query
from cospal_cli.core.reading import LARGE, read_table
from cospal_cli.grounder import Grounder
from cospal_cli.library.jobs import BatchJob, BatchQuery
from cospal_cli.library.records import DONE
from cospal_cli.outputs import tube_json
from cospal_cli.settings import Config

LOG = logging.getLogger("cospal")


@dataclass(frozen=True)
class BatchPlan:
    """What all jobs of a batch share. Picklable and hashable."""

    config: Config
    checkpoint: Path | None = None
    stated: frozenset[str] = frozenset()
    skip: bool = False  # what is there and right
    retry: bool = False  # replace what a failed run left
    documents: bool = False  # return the JSON too
    library: Path | None = None  # of observations that are taken, and added to
    formats: tuple[str, ...] = ()  # that are written of each video


@dataclass(frozen=True)
class PlacedJob:
    """A job, and where the results of its queries go."""

    job: BatchJob
    paths: tuple[OutputPaths, ...]
    base: Path | None = None  # what the names of its other formats begin with


@dataclass
class JobDone:
    """What became of a job: a row of ``results.jsonl`` a query, in their order, and with
    ``documents`` a line of JSON each."""

    rows: list[JsonDict] = field(default_factory=list)
    documents: list[JsonDict | None] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    video_s: float = 0.0  # that were watched
    stop: tuple[type[CospalError], str, str] | None = None  # no fault of the job: all would fail


def process(placed: PlacedJob, plan: BatchPlan) -> JobDone:
    """Ground and write all queries of one video. Faults of the video or of a sentence are rows."""
    began, done = time.monotonic(), JobDone()
    try:
        grounder = opened(plan)
    except CospalError as error:
        done.stop = type(error), error.message, error.hint
        return done
    with _caught(done.warnings):
        rows = _Rows(placed, plan, done)
        pairs = sorted(zip(placed.job.queries, placed.paths, strict=True), key=_part)
        for (start, end), group in groupby(pairs, key=lambda pair: (pair[0].start, pair[0].end)):
            own = list(group)
            try:
                part = grounder.within(start, end)
                todo = rows.open(part, own)
                if todo:
                    _do(part, todo, rows)
            except CospalError as error:
                rows.fail(own, error.message, error.hint)
            except Exception as error:  # of a bug: this job's alone, and named
                LOG.debug("%s", placed.job, exc_info=True)
                rows.fail(own, reason(error), "run cospal ground on this video alone")
        _write_formats(placed, plan, rows)
    order = [query.id for query in placed.job.queries]
    done.rows.sort(key=lambda row: order.index(row["id"]))
    done.documents = [rows.documents.get(id) if plan.documents else None for id in order]
    done.seconds = time.monotonic() - began
    return done


def failed(placed: PlacedJob, why: str) -> JobDone:
    """What became of a job whose worker left nothing."""
    state: JsonDict = {"status": "failed", "reason": why}
    rows = [
        {"video": placed.job.name, "id": one.id, "query": one.text} | state
        for one in placed.job.queries
    ]
    return JobDone(rows, [None] * len(rows))


def forget() -> None:
    """Close the models of this process."""
    opened.cache_clear()


@cache
def opened(plan: BatchPlan) -> Grounder:
    """The models of this process."""
    return open_grounder(plan.library, plan.config, plan.checkpoint, plan.stated)


Pair = tuple[BatchQuery, OutputPaths]


class _Rows:
    """The rows of one job as they come about."""

    def __init__(self, placed: PlacedJob, plan: BatchPlan, done: JobDone) -> None:
        self.placed, self.plan, self.done = placed, plan, done
        self.documents: dict[str, JsonDict] = {}
        self.parsed: dict[str, Query] = {}
        self._began = time.monotonic()

    def open(self, grounder: Grounder, pairs: Sequence[Pair]) -> list[Pair]:
        """Those queries that are to be done; the others have their rows."""
        todo = []
        for query, paths in pairs:
            state, document = self._state(grounder, query, paths)
            if state == "skip":
                assert document is not None
                self.add(query, paths, document, skipped=True)
            elif state == "differs":
                why = f"{str(paths.json)!r} is of other settings or another video; --overwrite it"
                self._row(query, paths, "differs", why)
            else:
                try:
                    self.parsed[query.id] = grounder.parse(query.text)
                    todo.append((query, paths))
                except CospalError as error:
                    self.fail([(query, paths)], error.message, error.hint)
        return todo

    def add(
        self, query: BatchQuery, paths: OutputPaths, document: JsonDict, skipped: bool = False
    ) -> None:
        """The row of a result."""
        best = document["tubes"][0] if document["tubes"] else {}
        more: JsonDict = {"tubes": len(document["tubes"])}
        for name in ("label", "match", "score", "start_time", "end_time"):
            if name in best:
                more[name] = best[name]
        if skipped:
            more["skipped"] = True
        if self.plan.documents or self.plan.formats:
            self.documents[query.id] = document
        self._row(query, paths, document["status"], "", more)

    def fail(self, pairs: Sequence[Pair], message: str, hint: str) -> None:
        """Rows of what could not be done, for those that have none yet."""
        there = {row["id"] for row in self.done.rows}
        for query, paths in pairs:
            if query.id not in there:
                self._row(query, paths, "failed", message, {"hint": hint} if hint else {})

    def _row(
        self,
        query: BatchQuery,
        paths: OutputPaths,
        status: str,
        why: str = "",
        more: JsonDict | None = None,
    ) -> None:
        job = self.placed.job
        row: JsonDict = {"video": job.name, "id": query.id, "query": query.text}
        row |= {"status": status, **({"reason": why} if why else {}), **(more or {})}
        if status != "failed":
            places = {"json": paths.json, "mp4": paths.video}
            row |= {name: str(path) for name, path in places.items() if path is not None}
            row |= {name: str(path) for name, path in paths.pictures if path.is_file()}
        row["seconds"] = round(time.monotonic() - self._began, 3)
        self.done.rows.append(row)

    def _state(
        self, grounder: Grounder, query: BatchQuery, paths: OutputPaths
    ) -> tuple[str, JsonDict | None]:
        """Whether a query is to be done ("do"), is done ("skip"), or what is there is of other
        settings ("differs")."""
        there = [path for path in paths.files if os.path.lexists(path)]
        if not there or not self.plan.skip:
            return "do", None
        document = _document(paths.json)
        if document is None:  # no JSON of ours that is whole; an MP4 without one is a rest
            ours = paths.json is None or not os.path.lexists(paths.json)
            return "do" if ours or self.plan.config.output.overwrite else "differs", None
        same = document.get("generator", {}).get("fingerprint")
        same = same is not None and same == grounder.fingerprint(self.placed.job.video, query.text)
        drawn = not document.get("tubes") or all(path.is_file() for _, path in paths.pictures)
        if same and document["status"] in DONE and drawn and _drawn(paths.video, document):
            return "skip", document
        unfinished = same or document["status"] == "interrupted"
        return "do" if unfinished or self.plan.config.output.overwrite else "differs", None


def _do(grounder: Grounder, pairs: Sequence[Pair], rows: _Rows) -> None:
    """Ground the queries of one part of the video, and write what comes of it."""
    video, plan = rows.placed.job.video, rows.plan
    targets = [path for _, paths in pairs for path in paths.files]
    overwrite = plan.config.output.overwrite or plan.skip or plan.retry
    for folder in {path.parent for path in targets}:
        disk.make_folder(folder)
    files = Files(silent, never)
    queries = [rows.parsed[query.id] for query, _ in pairs]
    places = [(query.id, paths) for query, paths in pairs]
    by_id = {query.id: (query, paths) for query, paths in pairs}
    with disk.claimed(targets):
        disk.check_outputs(targets, {video: "the video"}, overwrite)
        for number, (placed, written) in enumerate(
            grounded(video, queries, places, grounder, files, keep=True)
        ):
            query, wanted = by_id[placed.result.id]
            if number == 0:
                first, last = placed.result.observation.span_s
                rows.done.video_s += last - first
            missing = len(written.pictures) < len(wanted.pictures) and placed.result.tubes
            if missing or (wanted.video is not None and written.video is None):
                error = files.failure
                assert error is not None
                rows.fail([(query, wanted)], getattr(error, "message", reason(error)), "")
            else:
                rows.add(query, written, _of(placed, files))


def _write_formats(placed: PlacedJob, plan: BatchPlan, rows: _Rows) -> None:
    """Write the video's other formats, unless all of it was there before. Where that fails, so have
    all its rows."""
    if placed.base is None or not rows.documents:
        return
    written = [beside(one, placed.base) for one in open_formats(plan.formats, plan.config.output)]
    paths = [path for one in written for path in one.paths]
    if all(row.get("skipped") for row in rows.done.rows) and all(map(os.path.lexists, paths)):
        return
    documents = [rows.documents[one.id] for one in placed.job.queries if one.id in rows.documents]
    try:
        with disk.claimed(paths):
            overwrite = plan.config.output.overwrite or plan.skip
            check(written, {placed.job.video: "the video"}, overwrite)
            write_all(written, documents, quiet=True)
    except CospalError as error:
        for row in rows.done.rows:
            row |= {"status": "failed", "reason": error.message, "hint": error.hint}


def _of(placed: PlacedResult, files: Files) -> JsonDict:
    return placed.result.document(files.status(placed))


def _part(pair: Pair) -> tuple[str, str]:
    """By which part of the video it is about."""
    return pair[0].start or "", pair[0].end or ""


def _document(path: Path | None) -> JsonDict | None:
    """The document at ``path``; None where there is none that is whole."""
    if path is None:
        return None
    with suppress(InputError):
        found = read_table(path, InputError, limit=LARGE)
        whole = {"generator", "tubes", "status", "query", "video"} <= found.keys()
        if whole and found.get("schema") == tube_json.SCHEMA:
            return found
    return None


def _drawn(path: Path | None, document: JsonDict) -> bool:
    """Whether the MP4 that is wanted at ``path`` is there, and shows the document's tubes."""
    if path is None:
        return True
    from cospal_cli.video.mark import mark_of

    return mark_of(path) == tube_json.fingerprint(document)


class _Catch(logging.Filter):
    """Takes warnings out of the log: the batch tells them with the video's name."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__()
        self._messages = messages

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        self._messages.append(record.getMessage())
        return False


@contextmanager
def _caught(messages: list[str]) -> Iterator[None]:
    catch = _Catch(messages)
    LOG.addFilter(catch)
    try:
        yield
    finally:
        LOG.removeFilter(catch)

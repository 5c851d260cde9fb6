"""``cospal ground`` on many videos: what is to be done, by whom, and what is told of it."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cospal_cli.commands import console
from cospal_cli.commands.format_files import beside, open_formats
from cospal_cli.commands.output_paths import (
    base_of,
    is_folder,
    output_folder,
    paths_in,
    short_stem,
    with_pictures,
)
from cospal_cli.commands.queries import SentenceSource, understood
from cospal_cli.commands.report import page_at
from cospal_cli.core import files
from cospal_cli.core.errors import SOME_FAILED, NothingFound, UsageError
from cospal_cli.core.progress import failures
from cospal_cli.core.worker_pool import Failure
from cospal_cli.library.inputs import find, is_several, read_list
from cospal_cli.library.jobs import BatchJob, jobs_of_inputs, jobs_of_manifest
from cospal_cli.library.manifest import read_manifest
from cospal_cli.library.records import DONE, Records
from cospal_cli.library.shards import read_shard, shard
from cospal_cli.settings import EngineConfig

if TYPE_CHECKING:
    from cospal_cli.commands.context import Context
    from cospal_cli.commands.ground import GroundOptions
    from cospal_cli.commands.ground_job import JobDone, PlacedJob
    from cospal_cli.core.json_types import JsonDict
    from cospal_cli.core.progress import Progress
    from cospal_cli.library.engines import JobEngine
    from cospal_cli.report.collect import AnswersPage
    from cospal_cli.settings import Config, Settings

SHOWN = 10  # failures that are listed at the end
NAMED = 3  # videos that the progress names


def is_many(options: GroundOptions, source: SentenceSource) -> bool:
    """Whether the command line may mean several videos, or asks for what only batches do."""
    if options.manifest or options.files_from or options.shard or options.recursive:
        return True
    if options.skip_existing or options.retry_failed:
        return True
    return len(source.inputs) > 1 or any(map(is_several, source.inputs))


def ground_many(
    context: Context[GroundOptions],
    source: SentenceSource,
    settings: Settings,
    trained: Path | None,
) -> int | None:
    """Ground all videos; the exit code."""
    options, config = context.options, settings.config
    _check_options(options, source)
    page = page_at(options.report)
    every, refused = _jobs(options, source, config)
    jobs = _own_shard(every, options.shard)
    if config.detector.name == "file" and len(every) > 1:
        raise UsageError(
            f"--detections holds the boxes of one video, but there are {len(every)}",
            "run cospal ground on each with its own, or name a detector",
        )
    placed = _placed(jobs, len(every), options, config)
    whole = options.output is None or is_folder(options.output)
    saved = whole and not (options.as_json and options.output is None)
    records = Records(Path(options.output or ".") if saved else None, options.shard or "")
    outputs = [*records.paths, *([page.path] if page else [])]
    context.start_logging(dict.fromkeys(outputs, "an output"))
    if options.dry_run:
        _show_plan(placed)
        return SOME_FAILED if refused else None
    with output_folder(options.output if saved else None):
        records.open()
        if options.retry_failed:
            placed = _failed(placed, records)
        _check_outputs(placed, options, config, page)
        with files.claimed(outputs):
            batch = _Batch(placed, records, context, settings, page)
            return batch.run(trained, refused)


def _check_options(options: GroundOptions, source: SentenceSource) -> None:
    """UsageError for what does not go together."""
    if options.manifest and (source.inputs or source.sentences):
        raise UsageError(
            "--manifest has the videos and the sentences, but others are given too",
            "leave them out, or add them to the manifest",
        )
    if options.formats and options.retry_failed:
        raise UsageError(
            "--format needs all results of a video, --retry-failed has some",
            "leave it out, and run 'cospal convert' on the folder afterwards",
        )
    if options.nul and not options.files_from:
        raise UsageError("-0 is about --files-from", "give --files-from LIST too, or leave -0 out")
    if (
        options.as_json
        and options.output is None
        and (options.skip_existing or options.retry_failed)
    ):
        raise UsageError(
            "--json without -o writes no files that could be kept", "say where they are: -o DIR"
        )
    if options.skip_existing and options.retry_failed:
        raise UsageError(
            "--skip-existing does what is missing, --retry-failed what failed", "give one of them"
        )


def _jobs(
    options: GroundOptions, source: SentenceSource, config: Config
) -> tuple[list[BatchJob], int]:
    """All jobs, and how many of the sentences for all videos cannot be used."""
    if options.manifest:
        rows = read_manifest(options.manifest)
        return jobs_of_manifest(rows, options.manifest.parent), 0
    sentences = understood(source.sentences, config)
    texts = {number: query.text for number, query in sentences.items()}
    for query in sentences.values():
        for message in query.warnings:
            console.LOG.warning(message)
    listed = read_list(options.files_from, options.nul) if options.files_from else None
    videos, left_out = find(source.inputs, options.recursive, listed)
    if left_out:
        console.say(f"left out: {left_out} videos that cospal wrote")
    if not videos:
        raise UsageError("no video among the inputs", "what cospal wrote itself is left out")
    refused = len(source.sentences) - len(texts)
    return jobs_of_inputs(videos, texts, len(source.sentences)), refused


def _own_shard(jobs: list[BatchJob], text: str | None) -> list[BatchJob]:
    if text is None:
        return jobs
    own = shard(jobs, *read_shard(text))
    size, whole = (sum(job.bytes for job in some) / 1e6 for some in (own, jobs))
    console.say(f"shard {text}: {len(own)} of {len(jobs)} videos, {size:.0f} of {whole:.0f} MB")
    return own


def _placed(
    jobs: Sequence[BatchJob], of: int, options: GroundOptions, config: Config
) -> list[PlacedJob]:
    """Where each result goes: within -o as the video lies among the inputs."""
    from cospal_cli.commands.ground_job import PlacedJob
    from cospal_cli.commands.output_paths import output_paths

    video, output = config.output.video, options.output
    if options.formats and (output is None and options.as_json):
        raise UsageError("--format writes files, --json none", "say where they go: -o DIR")
    open_formats(options.formats, config.output)  # whatever is wrong with them is said now
    if (output is None and options.as_json) or (output is not None and not is_folder(output)):
        if output is not None and of > 1:
            raise UsageError(
                f"-o {output!r} is one file, but there are {of} videos", "name a folder"
            )
        return [
            PlacedJob(
                job,
                tuple(
                    with_pictures(
                        output_paths(job.video, output, len(job.queries), video, True),
                        config.output,
                    )
                ),
                base_of(job.video, output) if options.formats else None,
            )
            for job in jobs
        ]
    base = Path(output or ".")
    placed = []
    for job in jobs:
        names = [one.ending for one in job.queries]
        paths = [paths_in(base / job.folder, job.stem, name, video) for name in names]
        stem = base / job.folder / short_stem(job.stem) if options.formats else None
        placed.append(PlacedJob(job, tuple(with_pictures(paths, config.output)), stem))
    return placed


def _failed(placed: Sequence[PlacedJob], records: Records) -> list[PlacedJob]:
    """Only what the last run could not do."""
    if records.path is None or not records.earlier:
        raise UsageError(
            f"--retry-failed: no {records.path or 'results.jsonl'} of an earlier run",
            "give the -o of that run, or --skip-existing to do what is missing",
        )
    failed, again = records.failed(), []
    for one in placed:
        pairs = zip(one.job.queries, one.paths, strict=True)
        own = [pair for pair in pairs if (one.job.name, pair[0].id) in failed]
        if own:
            queries, paths = zip(*own, strict=True)
            again.append(replace(one, job=replace(one.job, queries=queries), paths=paths))
    return again


def _check_outputs(
    placed: Sequence[PlacedJob], options: GroundOptions, config: Config, page: AnswersPage | None
) -> None:
    """UsageError where results are there already and it was not said what to do about them."""
    if page is not None:
        files.check_outputs([page.path], {}, config.output.overwrite)
    if config.output.overwrite or options.skip_existing or options.retry_failed:
        return
    every = [path for one in placed for paths in one.paths for path in paths.files]
    for form in open_formats(options.formats, config.output):
        every += [path for one in placed if one.base for path in beside(form, one.base).paths]
    there = [path for path in every if os.path.lexists(path)]
    if there:
        raise UsageError(
            f"{len(there)} of {len(every)} outputs already exist, the first is {str(there[0])!r}",
            "--skip-existing does what is missing, --overwrite does all again",
        )


def _show_plan(placed: Sequence[PlacedJob]) -> None:
    for one in placed:
        console.say(f"video: {console.printable(str(one.job.video))}")
        for query, paths in zip(one.job.queries, one.paths, strict=True):
            console.say(f"  query: {console.printable(query.text)}")
            for path in paths.files:
                console.say(f"    would write {console.printable(str(path))}")
    console.say(f"{len(placed)} videos, {sum(len(one.paths) for one in placed)} results")


class _Batch:
    """One run over all jobs."""

    def __init__(
        self,
        placed: Sequence[PlacedJob],
        records: Records,
        context: Context[GroundOptions],
        settings: Settings,
        page: AnswersPage | None,
    ) -> None:
        self.placed, self.records, self.page = placed, records, page
        self.options, self.quiet, self.settings = context.options, context.quiet, settings
        self.began, self.video_s = time.monotonic(), 0.0
        self.running: dict[str, None] = {}  # names of the videos in work
        self.empty: list[str] = []
        self.ordered = _Ordered(self._emit, not self.options.unordered)

    def run(self, trained: Path | None, refused: int) -> int | None:
        """Do all, write the records; the exit code."""
        from cospal_cli.commands import ground_job
        from cospal_cli.library.engines import open_engine

        config, options = self.settings.config, self.options
        engine = open_engine(config, len(self.placed))
        plan = ground_job.BatchPlan(
            replace(config, engine=EngineConfig()),  # has no part in what comes out
            trained,
            self.settings.said,
            options.skip_existing,
            options.retry_failed,
            options.as_json or self.page is not None,
            options.library,
            options.formats,
        )
        self.records.begin(
            (one.job.name, query.id) for one in self.placed for query in one.job.queries
        )
        try:
            interrupted = self._work(engine, partial(ground_job.process, plan=plan))
        finally:
            ground_job.forget()
        self._finish(engine, interrupted)
        if interrupted:
            return 130
        if refused or any(row["status"] not in DONE for row in self.records.lines.values()):
            return SOME_FAILED
        if options.fail_on_empty and self.empty:
            raise NothingFound(
                f"nothing found for {self.empty[0]!r}", "--top-k and --set change the search"
            )
        return None

    def _work(self, engine: JobEngine, work: partial[JobDone]) -> bool:
        """Every job; whether it was interrupted."""
        with console.Interrupts() as interrupts, console.progress(self.quiet, "videos") as progress:
            jobs = self._handed_out(interrupts)
            self._tell(progress)
            with closing(engine.run(jobs, work)) as results:
                try:
                    for placed, done in results:
                        self._add(placed, done)
                        self._tell(progress)
                except BaseException:  # nobody waits for what is in work
                    for child in multiprocessing.active_children():
                        child.terminate()
                    raise
            self.ordered.end()
            if self.page is not None:
                from cospal_cli.report.sources import failure

                rows = self.records.lines.values()
                self.page.notes = [failure(row) for row in rows if row["status"] not in DONE]
                self.page.write(progress, interrupts.stopped)
                if not self.quiet:
                    console.say(f"wrote {console.printable(str(self.page.path))}")
            return interrupts.stopped()

    def _handed_out(self, interrupts: console.Interrupts) -> Iterator[PlacedJob]:
        """The jobs, until the first Ctrl-C: what is in work is finished."""
        for one in self.placed:
            if interrupts.stopped():
                return
            self.running[one.job.name] = None
            yield one

    def _add(self, placed: PlacedJob, done: JobDone | Failure) -> None:
        """Record what became of one job."""
        from cospal_cli.commands.ground_job import failed

        self.running.pop(placed.job.name, None)
        if isinstance(done, Failure):
            done = failed(placed, done.reason)
        if done.stop is not None:
            kind, message, hint = done.stop
            raise kind(message, hint)
        self.video_s += done.video_s
        name = placed.job.name
        for message in done.warnings:
            console.LOG.warning("%s: %s", name, message)
        for row, query, document in zip(done.rows, placed.job.queries, done.documents, strict=True):
            self.records.add(row)
            if row["status"] in DONE and not row["tubes"]:
                self.empty.append(query.text)
            if not self.quiet:
                console.say(console.printable(_line(row, len(placed.paths) > 1)))
            elif row["status"] not in DONE:
                console.LOG.error("%s: %s", name, row["reason"])
            self.ordered.add(query.at, (row, document) if document else None)

    def _emit(self, pair: tuple[JsonDict, JsonDict]) -> None:
        row, document = pair
        if self.options.as_json:
            console.emit(json.dumps(document))
        if self.page is not None:
            drawn = [("annotated", Path(row["mp4"]))] if "mp4" in row else []
            self.page.add(document, Path(row["json"]) if "json" in row else None, drawn)

    def _tell(self, progress: Progress) -> None:
        videos = {row["video"] for row in self.records.lines.values()}
        bad = sum(row["status"] not in DONE for row in self.records.lines.values())
        rate = self.video_s / max(time.monotonic() - self.began, 1e-9)
        now = [os.path.basename(name) for name in self.running][:NAMED]
        note = [failures(bad), f"{rate:.1f} s of video/s" if rate else "", ", ".join(now)]
        progress("ground", len(videos), len(self.placed), ", ".join(filter(None, note)))

    def _finish(self, engine: JobEngine, interrupted: bool) -> None:
        """Write the summary, and say it in lines."""
        seconds = time.monotonic() - self.began
        summary = self.records.finish(
            {
                "interrupted": interrupted,
                "seconds": round(seconds, 2),
                "video_seconds": round(self.video_s, 2),
                "workers": engine.workers,
                **({"shard": self.options.shard} if self.options.shard else {}),
            }
        )
        counts = ", ".join(f"{count} {state}" for state, count in summary["counts"].items())
        line = f"{summary['videos']} of {len(self.placed)} videos: {counts or 'nothing to do'}"
        if not self.quiet:
            rate = self.video_s / max(seconds, 1e-9)
            console.say(f"{line}; {seconds:.1f} s, {rate:.1f} s of video a second")
        bad = summary["failures"]
        for row in bad[:SHOWN]:
            console.LOG.error("%s: %s", row["video"], row["reason"])
        if len(bad) > SHOWN:
            where = f"; {self.records.summary} lists them" if self.records.summary else ""
            console.LOG.error("... and %d more%s", len(bad) - SHOWN, where)


class _Ordered:
    """Hands on what comes in any order in that of its numbers from 0, or at once."""

    def __init__(self, emit: Callable[[Any], None], ordered: bool) -> None:
        self._emit, self._ordered = emit, ordered
        self._waiting: dict[int, Any] = {}
        self._next = 0

    def add(self, at: int, one: Any) -> None:
        """The one of number ``at``; None: there is none."""
        if not self._ordered:
            if one is not None:
                self._emit(one)
            return
        self._waiting[at] = one
        while self._next in self._waiting:
            ready = self._waiting.pop(self._next)
            self._next += 1
            if ready is not None:
                self._emit(ready)

    def end(self) -> None:
        """Hand on what still waits for one that did not come."""
        for at in sorted(self._waiting):
            if (one := self._waiting[at]) is not None:
                self._emit(one)
        self._waiting.clear()


def _line(row: JsonDict, several: bool) -> str:
    """A result in one line."""
    name = f"{row['video']}: {row['query']}" if several else row["video"]
    if row["status"] not in DONE:
        return f"{name}: {row['status']}: {row['reason']}"
    done = "done before, " if row.get("skipped") else ""
    if not row["tubes"]:
        return f"{name}: {done}no match"
    span = f"{row['start_time']:.2f} to {row['end_time']:.2f} s"
    match = f", match {row['match']:.2f}" if "match" in row else ""  # documents of 0.1 have none
    return f"{name}: {done}{row['label']}, {span}, score {row['score']:.2f}{match}"

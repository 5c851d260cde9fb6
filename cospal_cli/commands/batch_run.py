"""A batch as it runs: jobs handed out, results recorded, printed and drawn as they come."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.commands import console, ground_job
from cospal_cli.commands.batch_lines import progress_note, result_line, show_failures, show_summary
from cospal_cli.commands.in_order import InOrder
from cospal_cli.core.errors import SOME_FAILED, NothingFound
from cospal_cli.core.worker_pool import Failure
from cospal_cli.library.records import DONE, Records
from cospal_cli.settings import EngineConfig

if TYPE_CHECKING:
    from cospal_cli.commands.context import Context
    from cospal_cli.commands.ground_options import GroundOptions
    from cospal_cli.core.json_types import JsonDict
    from cospal_cli.core.progress import Progress
    from cospal_cli.library.engines import JobEngine
    from cospal_cli.report.collect import AnswersPage
    from cospal_cli.settings import Settings


class BatchRun:
    """One run over all jobs."""

    def __init__(
        self,
        placed: Sequence[ground_job.PlacedJob],
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
        self.ordered: InOrder[tuple[JsonDict, JsonDict]] = InOrder(
            self._emit, not self.options.unordered
        )

    def run(self, trained: Path | None, refused: int) -> int | None:
        """Do all, write the records; the exit code."""
        from cospal_cli.library.engines import open_engine

        engine = open_engine(self.settings.config, len(self.placed))
        self.records.begin(
            (one.job.name, query.id) for one in self.placed for query in one.job.queries
        )
        try:
            interrupted = self._work(engine, partial(ground_job.process, plan=self._plan(trained)))
        finally:
            ground_job.forget()
        self._finish(engine, interrupted)
        if interrupted:
            return 130
        if refused or self.records.bad:
            return SOME_FAILED
        if self.options.fail_on_empty and self.empty:
            raise NothingFound(
                f"nothing found for {self.empty[0]!r}",
                "--min-match 0 returns the best tube, however badly it matches",
            )
        return None

    def _plan(self, trained: Path | None) -> ground_job.BatchPlan:
        options = self.options
        return ground_job.BatchPlan(
            replace(self.settings.config, engine=EngineConfig()),  # has no part in what comes out
            trained,
            self.settings.said,
            options.skip_existing,
            options.retry_failed,
            options.as_json or self.page is not None,
            options.library,
            options.formats,
        )

    def _work(self, engine: JobEngine, work: partial[ground_job.JobDone]) -> bool:
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
                self._write_page(self.page, progress, interrupts)
            return interrupts.stopped()

    def _write_page(
        self, page: AnswersPage, progress: Progress, interrupts: console.Interrupts
    ) -> None:
        from cospal_cli.report.sources import failure

        page.notes = [failure(row) for row in self.records.bad]
        page.write(progress, interrupts.stopped)
        if not self.quiet:
            console.say(f"wrote {console.printable(str(page.path))}")

    def _handed_out(self, interrupts: console.Interrupts) -> Iterator[ground_job.PlacedJob]:
        """The jobs, until the first Ctrl-C: what is in work is finished."""
        for one in self.placed:
            if interrupts.stopped():
                return
            self.running[one.job.name] = None
            yield one

    def _add(self, placed: ground_job.PlacedJob, done: ground_job.JobDone | Failure) -> None:
        """Record what became of one job."""
        self.running.pop(placed.job.name, None)
        if isinstance(done, Failure):
            done = ground_job.failed(placed, done.reason)
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
                console.say(console.printable(result_line(row, len(placed.paths) > 1)))
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
        rate = self.video_s / max(time.monotonic() - self.began, 1e-9)
        note = progress_note(len(self.records.bad), rate, self.running)
        progress("ground", len(self.records.videos), len(self.placed), note)

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
        if not self.quiet:
            show_summary(summary, len(self.placed), seconds, self.video_s)
        show_failures(summary["failures"], self.records.summary)

"""``cospal ground`` on many videos: the way in, from the command line to the exit code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.commands import batch_jobs
from cospal_cli.commands.batch_lines import show_batch
from cospal_cli.commands.batch_run import BatchRun
from cospal_cli.commands.output_paths import is_folder, output_folder
from cospal_cli.commands.queries import SentenceSource
from cospal_cli.commands.report import page_at
from cospal_cli.core import files
from cospal_cli.core.errors import SOME_FAILED, UsageError
from cospal_cli.library.inputs import is_several
from cospal_cli.library.records import Records

if TYPE_CHECKING:
    from cospal_cli.commands.context import Context
    from cospal_cli.commands.ground_options import GroundOptions
    from cospal_cli.settings import Settings


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
    page = page_at(options.report) if options.report else None
    every, refused = batch_jobs.jobs_of(options, source, config)
    jobs = batch_jobs.own_shard(every, options.shard)
    if config.detector.name == "file" and len(every) > 1:
        raise UsageError(
            f"--detections holds the boxes of one video, but there are {len(every)}",
            "run cospal ground on each with its own, or name a detector",
        )
    placed = batch_jobs.placed_jobs(jobs, len(every), options, config)
    whole = options.output is None or is_folder(options.output)
    saved = whole and not (options.as_json and options.output is None)
    records = Records(Path(options.output or ".") if saved else None, options.shard or "")
    outputs = [*records.paths, *([page.path] if page else [])]
    context.start_logging(dict.fromkeys(outputs, "an output"))
    if options.dry_run:
        show_batch(placed)
        return SOME_FAILED if refused else None
    with output_folder(options.output if saved else None):
        records.open()
        if options.retry_failed:
            placed = batch_jobs.failed_ones(placed, records)
        batch_jobs.check_outputs(placed, options, config, page)
        with files.claimed(outputs):
            batch = BatchRun(placed, records, context, settings, page)
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

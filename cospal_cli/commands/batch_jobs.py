"""The jobs of a batch: which videos and sentences, and where each result goes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.commands import console
from cospal_cli.commands.format_files import beside, open_formats
from cospal_cli.commands.ground_job import PlacedJob
from cospal_cli.commands.output_paths import (
    base_of,
    is_folder,
    output_paths,
    paths_in,
    short_stem,
    with_pictures,
)
from cospal_cli.commands.queries import SentenceSource, understood
from cospal_cli.core import files
from cospal_cli.core.counted import counted
from cospal_cli.core.errors import UsageError
from cospal_cli.library.inputs import find, read_list
from cospal_cli.library.jobs import BatchJob, jobs_of_inputs, jobs_of_manifest
from cospal_cli.library.manifest import read_manifest
from cospal_cli.library.records import Records
from cospal_cli.library.shards import read_shard, shard

if TYPE_CHECKING:
    from cospal_cli.commands.ground_options import GroundOptions
    from cospal_cli.report.collect import AnswersPage
    from cospal_cli.settings import Config


def jobs_of(
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
        console.say(f"left out: {counted(left_out, 'video')} that cospal wrote")
    if not videos:
        raise UsageError(
            "there is no video among the inputs", "what cospal wrote itself is left out"
        )
    refused = len(source.sentences) - len(texts)
    return jobs_of_inputs(videos, texts, len(source.sentences)), refused


def own_shard(jobs: list[BatchJob], text: str | None) -> list[BatchJob]:
    """The jobs of the shard that ``text`` names, such as "2/8"; None: all of them."""
    if text is None:
        return jobs
    own = shard(jobs, *read_shard(text))
    size, whole = (sum(job.bytes for job in some) / 1e6 for some in (own, jobs))
    console.say(f"shard {text}: {len(own)} of {len(jobs)} videos, {size:.0f} of {whole:.0f} MB")
    return own


def placed_jobs(
    jobs: Sequence[BatchJob], of: int, options: GroundOptions, config: Config
) -> list[PlacedJob]:
    """Where each result goes: within -o as the video lies among the inputs."""
    output = options.output
    if options.formats and (output is None and options.as_json):
        raise UsageError(
            "--format writes files, but --json without -o writes none", "say where they go: -o DIR"
        )
    open_formats(options.formats, config.output)  # whatever is wrong with them is said now
    if output is not None and not is_folder(output) and of > 1:
        raise UsageError(f"-o {output!r} is one file, but there are {of} videos", "name a folder")
    loose = output is None and options.as_json
    if loose or (output is not None and not is_folder(output)):
        return [_loose(job, options, config) for job in jobs]
    base = Path(output or ".")
    return [_in_folder(job, base / job.folder, bool(options.formats), config) for job in jobs]


def _loose(job: BatchJob, options: GroundOptions, config: Config) -> PlacedJob:
    """A job whose results go to stdout, or to the one file of -o."""
    output, count = options.output, len(job.queries)
    paths = output_paths(job.video, output, count, config.output.video, stdout=True)
    base = base_of(job.video, output) if options.formats else None
    return PlacedJob(job, tuple(with_pictures(paths, config.output)), base)


def _in_folder(job: BatchJob, folder: Path, formats: bool, config: Config) -> PlacedJob:
    """A job whose results go into ``folder``."""
    video = config.output.video
    paths = [paths_in(folder, job.stem, one.ending, video) for one in job.queries]
    base = folder / short_stem(job.stem) if formats else None
    return PlacedJob(job, tuple(with_pictures(paths, config.output)), base)


def failed_ones(placed: Sequence[PlacedJob], records: Records) -> list[PlacedJob]:
    """Only what the last run could not do."""
    if records.path is None or not records.earlier:
        raise UsageError(
            f"--retry-failed: there is no {records.path or 'results.jsonl'} of an earlier run",
            "give -o as in that run, or --skip-existing to do only what is missing",
        )
    failed, again = records.failed(), []
    for one in placed:
        pairs = zip(one.job.queries, one.paths, strict=True)
        own = [pair for pair in pairs if (one.job.name, pair[0].id) in failed]
        if own:
            queries, paths = zip(*own, strict=True)
            again.append(replace(one, job=replace(one.job, queries=queries), paths=paths))
    return again


def check_outputs(
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

"""``cospal ground``: a video and sentences in; JSON tubes and annotated videos out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.commands import console
from cospal_cli.commands.context import Context, command
from cospal_cli.commands.flags import flag_names
from cospal_cli.commands.format_files import FormatFiles, beside, check, open_formats, write_all
from cospal_cli.commands.ground_files import Files, grounded
from cospal_cli.commands.ground_lines import show_plan, summarise
from cospal_cli.commands.ground_options import FLAGS, GroundOptions
from cospal_cli.commands.libraries import open_grounder
from cospal_cli.commands.output_paths import (
    OutputPaths,
    base_of,
    inputs_of,
    output_folder,
    output_paths,
    with_pictures,
)
from cospal_cli.commands.queries import split, understood
from cospal_cli.commands.report import page_at
from cospal_cli.core.backends import TRAINED
from cospal_cli.core.errors import SOME_FAILED, NothingFound, UsageError

if TYPE_CHECKING:
    from cospal_cli.commands.flags import Given
    from cospal_cli.commands.queries import SentenceSource
    from cospal_cli.core.query import Query
    from cospal_cli.grounder import Grounder
    from cospal_cli.report.collect import AnswersPage
    from cospal_cli.settings import Config, Settings


@dataclass(frozen=True)
class GroundJob:
    """One video, its queries, and where each result goes."""

    video: Path
    queries: dict[int, Query]  # by number: those that were understood
    paths: list[OutputPaths]  # of every number from 1
    stdout: bool  # the JSON is printed
    quiet: bool
    page: AnswersPage | None = None
    formats: Sequence[FormatFiles] = ()


@command(GroundOptions, FLAGS, logs=False)
def ground(context: Context[GroundOptions]) -> int | None:
    """Find the subject that QUERY means in the video INPUT, and when.

    Writes STEM.tube.json, and STEM.tube.mp4 with the box drawn, into the working folder or where
    -o says. Several sentences about one video (-q, --query-file) cost little more than one.

    There may be several INPUTs: files, folders, globs in quotes. Then -o is a folder that mirrors
    theirs, with results.jsonl and summary.json; a video that fails does not stop the others.

    Exit codes: 0 done, 2 wrong usage, 3 some of several videos or sentences failed, 4 unreadable
    video, 5 weights, 6 device, memory or disk, 7 nothing found under --fail-on-empty, 130
    interrupted.
    """
    options = context.options
    trained, implied = _implied(options.checkpoint, context.given)
    settings = context.merged(context.config_file, implied)
    config = settings.config
    if trained is None and config.ground.method in TRAINED:
        from cospal_cli.ranking import needs_heads

        raise needs_heads(config.ground.method)
    source = split(
        options.arguments,
        options.queries,
        options.query_file,
        listed=bool(options.files_from or options.manifest),
        complete=options.manifest is not None,
    )
    if not _is_one_file(options, source):
        from cospal_cli.commands.ground_many import ground_many, is_many

        if is_many(options, source):
            return ground_many(context, source, settings, trained)
    return _ground_one(context, source, settings, trained)


def _ground_one(
    context: Context[GroundOptions],
    source: SentenceSource,
    settings: Settings,
    trained: Path | None,
) -> int | None:
    """One video: plan what is written where, then find and write it."""
    options, config = context.options, settings.config
    video, sentences = source.video, source.sentences
    outputs = output_paths(
        video, options.output, len(sentences), config.output.video, options.as_json
    )
    outputs = with_pictures(outputs, config.output)
    page = page_at(options.report) if options.report else None
    formats = _formats(options, video, config)
    others = [*([page.path] if page else []), *(path for one in formats for path in one.paths)]
    targets = [*others, *(path for paths in outputs for path in paths.files)]
    inputs = _inputs(context, video, trained, config)
    context.start_logging(inputs | dict.fromkeys(targets, "an output"))
    from cospal_cli import detect
    from cospal_cli.core import files

    _, why = detect.resolve(config.detector)
    if why:
        console.say(why)
    queries = understood(sentences, config)
    targets = [path for number in queries for path in outputs[number - 1].files]
    targets += [page.path] if page else []
    job = GroundJob(video, queries, outputs, options.as_json, context.quiet, page, formats)
    opened = partial(open_grounder, options.library, config, trained, settings.said)
    if options.dry_run:
        known = opened().understood(list(queries.values()))
        show_plan(video, known, [outputs[number - 1] for number in queries])
        return SOME_FAILED if len(queries) < len(sentences) else None
    with output_folder(options.output):
        check(formats, inputs, config.output.overwrite, targets)
        with files.claimed([*targets, *(path for one in formats for path in one.paths)]):
            check(formats, inputs, config.output.overwrite, targets)  # as others left them
            _warn(message for query in queries.values() for message in query.warnings)
            empty, interrupted = _run(job, opened())
    if interrupted:
        return 130
    if len(queries) < len(sentences):
        return SOME_FAILED
    if options.fail_on_empty and empty:
        raise NothingFound(
            f"nothing found for {empty[0]!r}",
            "--min-match 0 returns the best tube, however badly it matches",
        )
    return None


def _is_one_file(options: GroundOptions, source: SentenceSource) -> bool:
    """Whether it is plain that one video is meant; else ``is_many``, slower to load, decides."""
    wanted = (options.manifest, options.files_from, options.shard, options.recursive)
    batch = any(wanted) or options.skip_existing or options.retry_failed
    return not batch and len(source.inputs) == 1 and os.path.isfile(source.inputs[0])


def _formats(options: GroundOptions, video: Path, config: Config) -> list[FormatFiles]:
    """What ``--format`` writes, beside the other outputs."""
    if options.formats and options.as_json and options.output is None:
        raise UsageError(
            "--format writes files, but --json without -o writes none", "say where they go: -o DIR"
        )
    base = base_of(video, options.output)
    return [beside(one, base) for one in open_formats(options.formats, config.output)]


def _inputs(
    context: Context[GroundOptions], video: Path, trained: Path | None, config: Config
) -> dict[Path, str]:
    """Every file that is read, with its name for the user."""
    options = context.options
    named = {"--config": context.config_file, "--query-file": options.query_file}
    named["--library"] = options.library
    return inputs_of(video, named | {"--checkpoint": trained}, config, flag_names(FLAGS))


def _run(job: GroundJob, grounder: Grounder) -> tuple[list[str], bool]:
    """Ground every query; returns the texts without a tube, and whether it was interrupted."""
    empty, documents = [], []
    with console.Interrupts() as interrupts, console.progress(job.quiet) as progress:
        files = Files(progress, interrupts.stopped)
        places = [(str(number), job.paths[number - 1]) for number in job.queries]
        queries = list(job.queries.values())
        for placed, paths in grounded(job.video, queries, places, grounder, files):
            if not placed.result.tubes:
                empty.append(placed.result.query.text)
            if job.stdout:
                placed.emit(files.status(placed), len(job.paths) > 1)
            if not job.quiet:
                summarise(placed.result, paths)
            if job.page is not None or job.formats:
                documents.append(placed.result.document(files.status(placed)))
            if job.page is not None:
                drawn = [("annotated", paths.video)] if paths.video else []
                job.page.add(documents[-1], paths.json, [*drawn, *paths.pictures])
        write_all(job.formats, documents, job.quiet)
        if job.page is not None:
            job.page.write(progress, interrupts.stopped)
            if not job.quiet:
                console.say(f"wrote {console.printable(str(job.page.path))}")
    if files.failure is not None:
        raise files.failure
    return empty, interrupts.stopped()


def _implied(
    checkpoint: str | None, given: Given
) -> tuple[Path | None, dict[str, tuple[str, str]]]:
    """The heads' folder, and the settings that other flags leave no choice about."""
    heads, implied = None, {}
    if checkpoint is not None and not checkpoint.endswith((".pth", ".pt")):
        heads = Path(checkpoint)
        if not os.path.isdir(heads):
            raise UsageError(
                f"--checkpoint {checkpoint!r}: neither a folder nor a .pth file",
                "name a folder of 'cospal train' or 'cospal export', or weights of Grounding DINO",
            )
    elif checkpoint is not None:
        if "detector.model" in given:
            raise UsageError("--checkpoint and --detector-model both name weights", "give one")
        implied["detector.model"] = ("--checkpoint", checkpoint)
        implied["detector.name"] = ("--checkpoint", "grounding-dino")
    if "detector.file.path" in given:
        implied["detector.name"] = ("--detections", "file")
    if heads is None and {"runtime.name", "runtime.provider"} & given.keys():
        raise UsageError(
            "--runtime and --provider need trained heads", "give their folder: --checkpoint DIR"
        )
    return heads, implied


def _warn(messages: Iterable[str]) -> None:
    for message in messages:
        console.LOG.warning(message)

"""``cospal ground``: a video and sentences in; JSON tubes and annotated videos out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cospal_cli.commands import console
from cospal_cli.commands.context import (
    PATH,
    TEXT_PATH,
    Context,
    argument,
    command,
    json_option,
    option,
)
from cospal_cli.commands.flags import flag_names
from cospal_cli.commands.format_files import FormatFiles, beside, check, open_formats, write_all
from cospal_cli.commands.ground_files import Files, grounded
from cospal_cli.commands.ground_lines import show_plan, summarise
from cospal_cli.commands.libraries import library_option, open_grounder
from cospal_cli.commands.options import (
    DETECTION_FLAGS,
    DEVICE_FLAGS,
    ENGINE_FLAGS,
    RUNTIME_FLAGS,
    VIDEO_FLAGS,
    recursive_option,
    report_option,
)
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
from cospal_cli.core.backends import OUTPUTS, TRAINED
from cospal_cli.core.errors import SOME_FAILED, NothingFound, UsageError
from cospal_cli.settings.words import FIND, INPUT, LOGGING, MODELS

if TYPE_CHECKING:
    from cospal_cli.commands.flags import Given
    from cospal_cli.commands.queries import SentenceSource
    from cospal_cli.core.query import Query
    from cospal_cli.grounder import Grounder
    from cospal_cli.report.collect import AnswersPage
    from cospal_cli.settings import Config

FLAGS = (
    *VIDEO_FLAGS,
    "detector.file.path",
    "ground.method",
    "ground.top_k",
    "ground.all",
    "ground.min_match",
    "output.overwrite",
    "output.video",
    "output.clip",
    "output.clip_copy",
    "output.crop",
    "output.pad",
    "output.sheet",
    "output.thumbnail",
    *DETECTION_FLAGS,
    "appearance.image_text",
    *RUNTIME_FLAGS,
    *DEVICE_FLAGS,
    *ENGINE_FLAGS,
)


@dataclass(frozen=True)
class GroundOptions:
    """See ``ground``."""

    arguments: Annotated[tuple[str, ...], argument(nargs=-1, metavar="INPUT... QUERY")]
    queries: Annotated[
        tuple[str, ...],
        option(
            "-q",
            "--query",
            group=FIND,
            multiple=True,
            help="A sentence, in place of QUERY; repeatable.",
        ),
    ]
    query_file: Annotated[
        Path | None,
        option("--query-file", group=FIND, type=PATH, help="Text file with one sentence per line."),
    ]
    recursive: Annotated[bool, recursive_option]
    files_from: Annotated[
        str | None,
        option(
            "--files-from",
            group=INPUT,
            type=TEXT_PATH,
            metavar="LIST|-",
            help="Videos from a list, one path per line; - is stdin.",
        ),
    ]
    nul: Annotated[
        bool,
        option(
            "-0",
            "--null",
            group=INPUT,
            is_flag=True,
            help="Paths in that list are separated by NUL.",
        ),
    ]
    manifest: Annotated[
        Path | None,
        option(
            "--manifest",
            group=INPUT,
            type=PATH,
            metavar="FILE",
            help="CSV or JSON Lines of video, query and, if wanted, id, start, end.",
        ),
    ]
    shard: Annotated[
        str | None,
        option(
            "--shard", group=INPUT, metavar="I/N", help="Only part I of N of the videos, from 1."
        ),
    ]
    output: Annotated[
        str | None,
        option(
            "-o",
            "--output",
            type=TEXT_PATH,
            help="Write to this .mp4 or .json file, or folder.  [default: .]",
        ),
    ]
    as_json: Annotated[bool, json_option("Print the JSON; write files only with -o.")]
    unordered: Annotated[
        bool,
        option("--unordered", is_flag=True, help="Print the JSON of many videos as they finish."),
    ]
    skip_existing: Annotated[
        bool,
        option(
            "--skip-existing",
            is_flag=True,
            help="Continue an earlier run: keep results that are up to date.",
        ),
    ]
    retry_failed: Annotated[
        bool,
        option("--retry-failed", is_flag=True, help="Repeat only what failed in the last run."),
    ]
    checkpoint: Annotated[
        str | None,
        option(
            "--checkpoint",
            group=MODELS,
            type=TEXT_PATH,
            metavar="DIR|FILE.pth",
            help="Trained heads (a folder; implies --method cospal), or original weights of "
            "Grounding DINO (a file).",
        ),
    ]
    formats: Annotated[
        tuple[str, ...],
        option(
            "--format",
            multiple=True,
            metavar="NAME",
            help=f"Write the tubes in this format too: {', '.join(OUTPUTS)}; repeatable.",
        ),
    ]
    report: Annotated[Path | None, report_option]
    library: Annotated[Path | None, library_option]
    fail_on_empty: Annotated[
        bool,
        option(
            "--fail-on-empty", is_flag=True, help="Exit with 7 if nothing is found for a sentence."
        ),
    ]
    dry_run: Annotated[
        bool,
        option("--dry-run", is_flag=True, help="Check everything and show the plan, nothing more."),
    ]
    offline: Annotated[
        bool,
        option(
            "--offline", group=LOGGING, is_flag=True,
            help="For scripts: this command never uses the network.",
        ),
    ]  # fmt: skip


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

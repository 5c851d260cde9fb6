"""``cospal ground``: a video and sentences in; JSON tubes and annotated videos out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cospal_cli.commands import console
from cospal_cli.commands.ground_files import Answer, Files
from cospal_cli.commands.ground_lines import show_plan, summarise
from cospal_cli.commands.options import (
    Batch,
    Flag,
    config_options,
    flag_options,
    logging_options,
    merged_settings,
    start_logging,
)
from cospal_cli.commands.places import Place, inputs_of, made_folder, places
from cospal_cli.commands.queries import split
from cospal_cli.core.errors import NothingFound, UsageError
from cospal_cli.ranking import TRAINED

if TYPE_CHECKING:
    from cospal_cli.core.types import Query
    from cospal_cli.grounder import Grounder

FLAGS = [
    Flag("--fps", "video.fps", float, "Frames looked at per second of video."),
    Flag(
        "--start",
        "video.start",
        str,
        "Begin: a frame's number (5 is frame 5, not 5 s), seconds (5s, 12.5s) or HH:MM:SS.mmm.",
    ),
    Flag("--end", "video.end", str, "End, in the same forms; this frame is no longer part of it."),
    Flag("--duration", "video.duration", str, "Length instead of --end: 50 frames, 2s or 00:02."),
    Flag("--stream", "video.stream", int, "Which of several video streams, from 0."),
    Flag("--max-pixels", "video.max_pixels", int, "Refuse larger frames."),
    Flag("--strict", "video.strict", None, "A damaged video is an error.", True),
    Flag("--top-k", "ground.top_k", int, "How many tubes to return at most."),
    Flag(
        "--method", "ground.method", str, "How: zero-shot, w-gdino, cospal (with --checkpoint) ..."
    ),
    Flag(
        "--detector",
        "detector.name",
        str,
        "nanodet, grounding-dino, grounding-dino-onnx, groundingdino-py, auto, file.",
    ),
    Flag("--detector-model", "detector.model", str, "Its weights: a known id, folder or hub id."),
    Flag("--detections", "detector.path", str, "JSON Lines of boxes; implies --detector file."),
    Flag("--tiles", "detector.tiles", int, "N x N tiles besides the frame, for small people."),
    Flag("--device", "detector.device", str, "auto, cpu, cuda or cuda:N."),
    Flag("--threads", "detector.threads", int, "Threads of the detector; 0: all but one."),
    Flag("--precision", "detector.precision", str, "auto, fp32, fp16 or bf16."),
    Flag("--batch", "detector.batch", Batch(), "Frames per batch of the detector, or auto."),
    Flag("--tracker", "tracker.name", str, "bytetrack or botsort."),
    Flag("--overwrite", "output.overwrite", None, "Replace existing outputs.", True),
    Flag("--no-video", "output.video", None, "Write no annotated MP4.", False),
]


@dataclass(frozen=True)
class Job:
    """One video, what is asked of it, and where each answer goes."""

    video: Path
    queries: list[Query]
    places: list[Place]
    stdout: bool  # the JSON is printed
    quiet: bool


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("arguments", nargs=-1, metavar="INPUT... QUERY")
@click.option(
    "-q", "--query", "asked", multiple=True, help="A sentence; repeatable, no QUERY then."
)
@click.option("--query-file", type=click.Path(path_type=Path), help="Sentences, one a line.")
@click.option("-o", "--output", help="A .mp4 or .json file, or a folder.  [default: .]")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON; files only where -o says.")
@flag_options(FLAGS)
@click.option(
    "--checkpoint",
    metavar="DIR|FILE.pth",
    help="Trained heads (a folder; implies --method cospal), or original weights of Grounding "
    "DINO (a file).",
)
@click.option("--runtime", help="Of trained heads: auto, torch, onnx or tensorrt.")
@click.option("--provider", help="Of --runtime onnx: auto, cpu, cuda or tensorrt.")
@click.option("--fail-on-empty", is_flag=True, help="Exit with 7 if a sentence finds nothing.")
@click.option("--dry-run", is_flag=True, help="Check everything, show the plan, do nothing.")
@click.option("--offline", is_flag=True, help="For scripts: this command never uses the network.")
@config_options
@logging_options
def ground(
    arguments: tuple[str, ...],
    asked: tuple[str, ...],
    query_file: Path | None,
    output: str | None,
    as_json: bool,
    checkpoint: str | None,
    runtime: str | None,
    provider: str | None,
    fail_on_empty: bool,
    dry_run: bool,
    offline: bool,
    config_file: Path | None,
    sets: tuple[str, ...],
    verbose: int,
    quiet: bool,
    log_file: Path | None,
    **given: Any,
) -> int | None:
    """Find what QUERY means in the video INPUT, and when.

    Writes STEM.tube.json, and STEM.tube.mp4 with the box drawn, into the working folder or where
    -o says. Several sentences about one video (-q, --query-file) cost little more than one.

    Exit codes: 0 done, 2 wrong usage, 4 unreadable video, 5 weights, 6 device, memory or disk,
    7 nothing found under --fail-on-empty, 130 interrupted.
    """
    trained = _imply(given, checkpoint)
    if trained is None and (runtime or provider):
        raise UsageError(
            "--runtime and --provider are of trained heads", "give their folder: --checkpoint DIR"
        )
    settings = merged_settings(config_file, sets, FLAGS, given)
    config = settings.config
    if trained is None and config.ground.method in TRAINED:
        raise UsageError(f"--method {config.ground.method} needs trained heads", "--checkpoint DIR")
    video, texts = split(arguments, asked, query_file)
    answers = places(video, output, len(texts), config.output.video, as_json)
    targets = [path for place in answers for path in place.files]
    named = {"--config": config_file, "--query-file": query_file, "--checkpoint": trained}
    inputs = inputs_of(video, named, config, {flag.key: flag.name for flag in FLAGS})
    start_logging(verbose, quiet, log_file, inputs | dict.fromkeys(targets, "an output"))
    from cospal_cli import detect
    from cospal_cli.core import files
    from cospal_cli.grounder import Grounder
    from cospal_cli.language.parser.parse import parse_all

    _, why = detect.resolve(config.detector)
    if why:
        console.say(why)
    queries = parse_all(texts, config.language)
    job = Job(video, queries, answers, as_json, quiet)
    opened = partial(
        Grounder.open,
        config,
        checkpoint=trained,
        runtime=runtime or "auto",
        provider=provider or "auto",
        stated={key for key, origin in settings.origins.items() if origin != "default"},
    )
    if dry_run:
        show_plan(video, opened().understood(queries), answers)
        return None
    with made_folder(output):
        files.check_outputs(targets, inputs, config.output.overwrite)
        with files.claimed(targets):
            files.check_outputs(targets, inputs, config.output.overwrite)  # as others left them
            _warn(message for query in queries for message in query.warnings)
            empty, interrupted = _run(job, opened())
    if interrupted:
        return 130
    if fail_on_empty and empty:
        raise NothingFound(f"nothing found for {empty[0]!r}", "--top-k and --set change the search")
    return None


def _run(job: Job, grounder: Grounder) -> tuple[list[str], bool]:
    """Answer every query; returns the texts without an answer, and if interrupted."""
    empty = []
    left = enumerate(job.places, 1)
    with console.Interrupts() as interrupts, console.progress(job.quiet) as progress:
        files = Files(progress, interrupts.stopped)
        passes = grounder.observations(job.video, job.queries, progress, interrupts.stopped)
        for seen, queries in passes:
            _warn(seen.timeline.warnings)
            answers = [
                Answer(replace(grounder.answer(seen, query), id=str(number)), place)
                for query, (number, place) in zip(queries, left, strict=False)
            ]
            grounder.release()
            empty += [answer.result.query.text for answer in answers if not answer.result.tubes]
            for answer, place in files.write(answers):
                if job.stdout:
                    answer.emit(files.status(answer), len(job.queries) > 1)
                if not job.quiet:
                    summarise(answer.result, place)
    if files.failure is not None:
        raise files.failure
    return empty, interrupts.stopped()


def _imply(given: dict[str, Any], checkpoint: str | None) -> Path | None:
    """Name the detector in ``given`` where another flag leaves no choice; the heads' folder."""
    heads = None
    if checkpoint is not None and not checkpoint.endswith((".pth", ".pt")):
        heads = Path(checkpoint)
        if not os.path.isdir(heads):
            raise UsageError(
                f"--checkpoint {checkpoint!r}: neither a folder nor a .pth file",
                "name a folder of 'cospal train' or 'cospal export', or weights of Grounding DINO",
            )
    elif checkpoint is not None:
        if given["detector_model"] is not None:
            raise UsageError("--checkpoint and --detector-model both name weights", "give one")
        given["detector_model"] = checkpoint
        given["detector"] = given["detector"] or "groundingdino-py"
    if given["detections"] is not None:
        given["detector"] = given["detector"] or "file"
    return heads


def _warn(messages: Iterable[str]) -> None:
    for message in messages:
        console.LOG.warning(message)

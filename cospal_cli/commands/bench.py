"""``cospal bench``: how fast each stage runs here, and how close the pipeline is to its limit."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import click

from cospal_cli.commands.console import emit, say
from cospal_cli.commands.context import (
    HELP,
    PATH,
    Context,
    Numbers,
    argument,
    command,
    json_option,
    option,
)
from cospal_cli.commands.options import count_option
from cospal_cli.core.errors import UsageError
from cospal_cli.core.files import check_outputs, claimed
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.table import screen_width, table
from cospal_cli.settings.words import INPUT, MODELS, SPEED

GROUND_FLAGS = (
    "video.fps",
    "video.start",
    "video.end",
    "video.duration",
    "video.image_fps",
    "detector.name",
    "detector.model",
    "tracker.name",
    "text.name",
    "clips.name",
    "detector.device",
    "detector.precision",
    "detector.batch",
    "detector.threads",
)
TRAIN_FLAGS = ("train.batch", "train.device", "train.precision", "train.threads")


@click.group(context_settings=HELP)
def bench() -> None:
    """Measure speed on this machine."""


@dataclass(frozen=True)
class BenchGroundOptions:
    """See ``ground``."""

    video: Annotated[Path, argument(type=PATH)]
    query: Annotated[str, argument()]
    rounds: Annotated[int, count_option("--rounds", "Rounds that the medians are over.", 3)]
    batches: Annotated[
        tuple[int, ...],
        option(
            "--batches",
            group=SPEED,
            type=Numbers(),
            default="",
            metavar="N,N",
            help="Further batch sizes of the detector to measure.",
        ),
    ]
    encoders: Annotated[
        bool,
        option(
            "--encoders",
            group=MODELS,
            is_flag=True,
            help="Measure the text and video encoders too; implied where one is named.",
        ),
    ]
    compare: Annotated[
        str,
        option(
            "--compare",
            group=SPEED,
            default="",
            metavar="PRECISION",
            help="Compare the boxes with those of this precision: fp32, fp16 or bf16.",
        ),
    ]
    as_json: Annotated[bool, json_option("Print one JSON document.")]  # fmt: skip


@command(BenchGroundOptions, GROUND_FLAGS)
def ground(context: Context[BenchGroundOptions]) -> None:
    """Time every stage of 'cospal ground' on VIDEO with QUERY.

    The whole first pass is compared with the detector's forward passes alone and, for Grounding
    DINO, with the plain loop over frames that the documentation of transformers shows.
    """
    options, config = context.options, context.config
    from cospal_cli import detect
    from cospal_cli.bench.ground import GroundBenchPlan, measure
    from cospal_cli.language.parser.parse import parse

    chosen, why = detect.resolve(config.detector)
    if why:
        say(why)
    plan = GroundBenchPlan(
        options.video,
        parse(options.query, config.language),
        replace(config, detector=chosen),
        options.rounds,
        options.batches,
        options.encoders or bool({"text.name", "clips.name"} & context.given.keys()),
        options.compare,
    )
    report = measure(plan)
    emit(json.dumps(report, indent=2) if options.as_json else _table(report))


@dataclass(frozen=True)
class BenchTrainOptions:
    """See ``train``."""

    updates: Annotated[int, count_option("--updates", "Updates to measure over.", 30, least=10)]
    videos: Annotated[int, count_option("--videos", "Files of random features.", 256, least=2)]
    as_json: Annotated[bool, json_option("Print one JSON document.")]


@command(BenchTrainOptions, TRAIN_FLAGS)
def train(context: Context[BenchTrainOptions]) -> None:
    """Time the training loop on random features: 10 tubelets x 32 x 256, 200 clips x 1024,
    20 words x 768, written to a temporary folder and read from there.
    """
    from cospal_cli.core.registry import require

    options, config = context.options, context.config
    for package in ("torch", "accelerate"):
        require(package, "train")
    from cospal_cli.bench.random_set import Shape
    from cospal_cli.bench.train import TrainBenchPlan, measure

    with context.progress("updates") as progress:
        report = measure(
            TrainBenchPlan(config, Shape(videos=options.videos), options.updates), progress
        )
    emit(json.dumps(report, indent=2) if options.as_json else _train_table(report))


@dataclass(frozen=True)
class BenchExportOptions:
    """See ``export``."""

    checkpoint: Annotated[
        Path | None,
        option(
            "--checkpoint",
            group=MODELS,
            type=PATH,
            help="Trained heads.  [default: random ones, full size]",
        ),
    ]
    exported: Annotated[
        Path | None,
        option(
            "--exported",
            group=MODELS,
            type=PATH,
            help="The same heads, exported.  [default: exported for this run]",
        ),
    ]
    tubelets: Annotated[
        tuple[int, ...],
        option(
            "--tubelets",
            group=INPUT,
            type=Numbers(),
            default="1,10,40",
            show_default=True,
            metavar="K,K",
            help="Tubelets of a video.",
        ),
    ]
    words: Annotated[
        tuple[int, ...],
        option(
            "--words",
            group=INPUT,
            type=Numbers(),
            default="4,12,40",
            show_default=True,
            metavar="N,N",
            help="Words of a sentence.",
        ),
    ]
    frames: Annotated[int, count_option("--frames", "Times T at which tubelets have features.", 32)]
    clips: Annotated[int, count_option("--clips", "Clips C of a video.", 200)]
    rounds: Annotated[int, count_option("--rounds", "Rounds; the runtimes take turns.", 15)]
    threads: Annotated[int, count_option("--threads", "Threads on the CPU; 0: all.", 0, least=0)]
    compiled: Annotated[
        bool,
        option(
            "--compile",
            group=SPEED,
            is_flag=True,
            help="Measure torch.compile too, which starts slowly.",
        ),
    ]
    gpu: Annotated[
        bool,
        option(
            "--gpu", group=SPEED, is_flag=True, help="Measure the runtimes that need a GPU too."
        ),
    ]
    output: Annotated[
        Path | None, option("-o", "--output", type=PATH, help="Draw the times into this .png file.")
    ]
    as_json: Annotated[bool, json_option("Print one JSON document.")]  # fmt: skip


@command(BenchExportOptions)
def export(context: Context[BenchExportOptions]) -> None:
    """Time the heads in torch, ONNX Runtime and TensorRT: one video, one query."""
    from cospal_cli.bench import export as heads

    options = dict(vars(context.options))
    output, as_json = options.pop("output"), options.pop("as_json")
    if output is not None:
        if output.suffix.lower() != ".png":
            raise UsageError(f"-o {str(output)!r}: expected a .png", "such as -o bench.png")
        named = {"--checkpoint": options["checkpoint"], "--exported": options["exported"]}
        inputs = {path: name for name, path in named.items() if path is not None}
        check_outputs([output], inputs, overwrite=True)
        click.get_current_context().with_resource(claimed([output]))
    with context.progress("points") as shown:
        report = heads.measure(heads.ExportBenchPlan(**options), shown)
    if output is not None:
        heads.draw(output, report)
    emit(
        json.dumps(report, indent=2) if as_json else "\n".join(heads.table(report, screen_width()))
    )


for one in (ground, train, export):
    bench.add_command(one)


def _train_table(report: JsonDict) -> str:
    """The report of ``bench train`` as lines of text."""
    gpu = report["gpu_peak_mb"]
    lines = [
        f"{report['device']}, {report['precision']}, {report['threads']} threads, "
        f"batch {report['batch']}, {report['updates']} updates",
        *table(
            [
                ["measured", "value"],
                ["samples a second", f"{report['samples_per_s']:.2f}"],
                ["ms per update", f"{report['ms_per_update']:.2f}"],
                ["share of time waiting for data", f"{report['wait_share']:.2%}"],
                ["s per epoch of HC-STVG v1 (4,500)", f"{report['hcstvg_v1_epoch_s']:.1f}"],
            ],
            width=screen_width(),
        ),
        f"peak memory of this process: {report['peak_mb']:.0f} MB"
        + (f"; on the GPU {gpu:.0f} MB" if gpu is not None else ""),
    ]
    return "\n".join(lines)


def _table(report: JsonDict) -> str:
    """The report as lines of text."""
    lines = [
        f"{report['video']}: {report['frames']} frames, {report['boxes']} boxes, "
        f"{report['model']}, batch {report['batch']}",
    ]
    gpu = any(one["gpu_peak_mb"] is not None for one in report["batches"])
    rows = [["stage", "frames/s", "ms/frame", *["MB on the GPU"] * gpu]]
    rates = dict(report["stages"])
    rates |= {f"detector, batch {one['batch']}": one for one in report["batches"]}
    for name, rate in rates.items():
        row = [name, f"{rate['frames_per_s']:.2f}", f"{rate['ms_per_frame']:.2f}"]
        peak = rate.get("gpu_peak_mb")
        rows.append([*row, *([] if peak is None else [f"{peak:.0f}"])])
    lines += table(rows, width=screen_width())
    ratios = [[name, f"{value:.3f}"] for name, value in report["ratios"].items()]
    if ratios:
        lines += table([["ratio", "value"], *ratios], width=screen_width())
    for kind in ("encoders", "agreement"):
        if report[kind]:
            lines.append(f"{kind}: {json.dumps(report[kind])}")
    lines.append(f"peak memory of this process: {report['peak_mb']:.0f} MB")
    return "\n".join(lines)

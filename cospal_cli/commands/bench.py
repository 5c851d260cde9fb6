"""``cospal bench``: how fast each stage is here, and how near the whole comes to its limit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from cospal_cli.commands.console import emit, progress, say
from cospal_cli.commands.ground import FLAGS as GROUND_FLAGS
from cospal_cli.commands.options import (
    Flag,
    config_options,
    debug_option,
    flag_options,
    logging_options,
    merged_settings,
    start_logging,
)
from cospal_cli.commands.train import FLAGS as ALL_TRAIN_FLAGS
from cospal_cli.core.errors import UsageError
from cospal_cli.core.files import check_outputs, claimed
from cospal_cli.core.table import screen_width, table

_SHARED = {"--fps", "--start", "--end", "--duration", "--detector", "--detector-model", "--device"}
_SHARED |= {"--threads", "--batch", "--precision", "--tracker"}
FLAGS = [flag for flag in GROUND_FLAGS if flag.name in _SHARED] + [
    Flag("--text-encoder", "text.name", str, "minilm or bert; implies --encoders."),
    Flag("--video-encoder", "clips.name", str, "embedded, i3d, videomae ...; likewise."),
]

TRAIN_FLAGS = [
    flag
    for flag in ALL_TRAIN_FLAGS
    if flag.name in ("--batch", "--device", "--precision", "--threads")
]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Measure speed on this machine."""


@bench.command()
@click.argument("video", type=click.Path(path_type=Path))
@click.argument("query")
@flag_options(FLAGS)
@click.option("--rounds", default=3, type=click.IntRange(1), help="Medians are over so many.")
@click.option("--batches", default="", metavar="N,N", help="Further batch sizes of the detector.")
@click.option("--encoders", is_flag=True, help="Measure the text and video encoders too.")
@click.option("--compare", default="", metavar="PRECISION", help="How well its boxes agree.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@config_options
@debug_option
def ground(
    video: Path,
    query: str,
    rounds: int,
    batches: str,
    encoders: bool,
    compare: str,
    as_json: bool,
    config_file: Path | None,
    sets: tuple[str, ...],
    **given: Any,
) -> None:
    """Time every stage of 'cospal ground' on VIDEO with QUERY.

    The whole first pass is compared with the detector's forward passes alone and, for Grounding
    DINO, with the plain loop over frames that the documentation of transformers shows.
    """
    config = merged_settings(config_file, sets, FLAGS, given).config
    sizes = _sizes(batches)
    from dataclasses import replace

    from cospal_cli import detect
    from cospal_cli.bench.ground import Plan, measure
    from cospal_cli.language.parser.parse import parse

    chosen, why = detect.resolve(config.detector)
    if why:
        say(why)
    encoders = encoders or bool(given["text_encoder"] or given["video_encoder"])
    asked = parse(query, config.language)
    plan = Plan(video, asked, replace(config, detector=chosen), rounds, sizes, encoders, compare)
    report = measure(plan)
    emit(json.dumps(report, indent=2) if as_json else _table(report))


@bench.command()
@flag_options(TRAIN_FLAGS)
@click.option(
    "--updates", default=30, show_default=True, type=click.IntRange(10), help="To measure over."
)
@click.option("--videos", default=256, show_default=True, type=click.IntRange(2), help="Files.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@config_options
@logging_options
def train(
    updates: int,
    videos: int,
    as_json: bool,
    config_file: Path | None,
    sets: tuple[str, ...],
    verbose: int,
    quiet: bool,
    log_file: Path | None,
    **given: Any,
) -> None:
    """Time the training loop on random features: 10 tubelets x 32 x 256, 200 clips x 1024,
    20 words x 768, written to a temporary folder and read from there.
    """
    from cospal_cli.core.registry import require

    start_logging(verbose, quiet, log_file)
    config = merged_settings(config_file, sets, TRAIN_FLAGS, given).config
    for package in ("torch", "accelerate"):
        require(package, "train")
    from cospal_cli.bench.made import Shape
    from cospal_cli.bench.train import Plan, measure

    with progress(quiet, "updates") as told:
        report = measure(Plan(config, Shape(videos=videos), updates), told)
    emit(json.dumps(report, indent=2) if as_json else _train_table(report))


@bench.command("export")
@click.option(
    "--checkpoint", type=click.Path(path_type=Path), help="Heads.  [default: random, full size]"
)
@click.option(
    "--exported", type=click.Path(path_type=Path), help="Their export.  [default: made for this]"
)
@click.option("--tubelets", default="1,10,40", show_default=True, metavar="K,K", help="Of a video.")
@click.option("--words", default="4,12,40", show_default=True, metavar="N,N", help="Of a query.")
@click.option("--frames", default=32, show_default=True, type=click.IntRange(1), help="T.")
@click.option("--clips", default=200, show_default=True, type=click.IntRange(1), help="C.")
@click.option("--rounds", default=15, show_default=True, type=click.IntRange(1), help="In turns.")
@click.option("--threads", default=0, type=click.IntRange(0), help="On the CPU; 0: all.")
@click.option("--compile", "compiled", is_flag=True, help="torch.compile too; it starts slowly.")
@click.option("--gpu", is_flag=True, help="The runtimes that need a GPU too.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A .png to draw.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@logging_options
def export_(
    checkpoint: Path | None,
    exported: Path | None,
    tubelets: str,
    words: str,
    output: Path | None,
    as_json: bool,
    verbose: int,
    quiet: bool,
    log_file: Path | None,
    **numbers: Any,
) -> None:
    """Time the heads in torch, ONNX Runtime and TensorRT: one video, one query."""
    start_logging(verbose, quiet, log_file)
    from cospal_cli.bench import export as heads

    if output is not None:
        if output.suffix.lower() != ".png":
            raise UsageError(f"-o {str(output)!r}: expected a .png", "such as -o bench.png")
        named = {"--checkpoint": checkpoint, "--exported": exported}
        inputs = {path: option for option, path in named.items() if path is not None}
        check_outputs([output], inputs, overwrite=True)
        click.get_current_context().with_resource(claimed([output]))
    lengths = _sizes(tubelets, "--tubelets"), _sizes(words, "--words")
    plan = heads.Plan(checkpoint, exported, *lengths, **numbers)
    with progress(quiet, "points") as shown:
        report = heads.measure(plan, shown)
    if output is not None:
        heads.draw(output, report)
    emit(
        json.dumps(report, indent=2) if as_json else "\n".join(heads.table(report, screen_width()))
    )


def _train_table(report: dict[str, Any]) -> str:
    """The report of ``bench train`` as lines for a person."""
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


def _sizes(batches: str, flag: str = "--batches") -> tuple[int, ...]:
    """``1,4,8`` as numbers; UsageError for anything else."""
    words = [word.strip() for word in batches.split(",") if word.strip()]
    if not all(word.isdigit() and 0 < int(word) <= 256 for word in words):
        raise UsageError(f"{flag} {batches!r}: expected numbers from 1 to 256", "such as 1,4,8")
    return tuple(map(int, words))


def _table(report: dict[str, Any]) -> str:
    """The report as lines for a person."""
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

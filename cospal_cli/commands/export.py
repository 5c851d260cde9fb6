"""``cospal export``: trained heads, or a detector, for runtimes without torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click

from cospal_cli.commands import console
from cospal_cli.commands.context import PATH, Context, command, json_option, option
from cospal_cli.commands.options import count_option, prepared_option
from cospal_cli.core.errors import UsageError
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.table import screen_width, table
from cospal_cli.settings.words import INPUT, MODELS

if TYPE_CHECKING:
    from cospal_exporters.verify import Evaluation

HEADS, DETECTOR = "heads", "detector"


@dataclass(frozen=True)
class ExportOptions:
    """See ``export``."""

    as_onnx: Annotated[
        bool, option("--onnx", is_flag=True, help="Write ONNX graphs, also for --tensorrt.")
    ]
    as_tensorrt: Annotated[
        bool, option("--tensorrt", is_flag=True, help="Build TensorRT engines for this GPU.")
    ]
    what: Annotated[
        str,
        option(
            "--what",
            group=MODELS,
            type=click.Choice([HEADS, DETECTOR]),
            default=HEADS,
            show_default=True,
            help="Which model to export.",
        ),
    ]
    checkpoint: Annotated[
        Path | None,
        option(
            "--checkpoint", group=MODELS, type=PATH, help="Folder of trained heads, or exported."
        ),
    ]
    model: Annotated[
        str | None,
        option("--model", group=MODELS, help="The detector: a known name, a folder or a hub id."),
    ]
    output: Annotated[
        Path | None,
        option(
            "-o",
            "--output",
            type=PATH,
            help="Folder of the exported files.  [default: CHECKPOINT-onnx]",
        ),
    ]
    precisions: Annotated[
        tuple[str, ...],
        option(
            "--precision",
            multiple=True,
            help="Precision of the graphs: fp32, fp16 or int8; repeatable.  [default: fp32]",
        ),
    ]
    opset: Annotated[
        int,
        option(
            "--opset", default=18, show_default=True, help="ONNX opset of the graphs: 18 to 23."
        ),
    ]
    data: Annotated[
        Path | None,
        option("--data", group=INPUT, type=PATH, help="Data set to compare predictions on."),
    ]
    prepared: Annotated[Path | None, prepared_option]
    split: Annotated[
        str,
        option(
            "--split",
            group=INPUT,
            default="test",
            show_default=True,
            help="Which records of that data set.",
        ),
    ]
    samples: Annotated[
        int,
        count_option("--samples", "Compare on at most this many records.", 200, group=INPUT),
    ]
    size: Annotated[
        str,
        option(
            "--size",
            default="1333x800",
            show_default=True,
            help="Size of the detector's images: WIDTHxHEIGHT.",
        ),
    ]
    force: Annotated[
        bool,
        option("--force", is_flag=True, help="Keep fp16 or int8 even if its predictions differ."),
    ]
    as_json: Annotated[
        bool, json_option("Print export.json instead of the table.")
    ]  # fmt: skip


@command(ExportOptions)
def export(context: Context[ExportOptions]) -> None:
    """Export trained heads as ONNX graphs or TensorRT engines.

    The exported files are compared with the checkpoint, on random inputs of many shapes and on
    --data, and refused if their predictions differ. Use them with 'cospal ground --runtime'.
    """
    options = context.options
    if not options.as_onnx and not options.as_tensorrt:
        raise UsageError("nothing to export", "give --onnx, --tensorrt or both")
    report = _detector(context) if options.what == DETECTOR else _heads(context)
    console.emit(json.dumps(report, indent=1) if options.as_json else _table(report))


def _heads(context: Context[ExportOptions]) -> JsonDict:
    options = context.options
    if options.model is not None:
        raise UsageError("--model goes with --what detector", "heads are named by --checkpoint")
    checkpoint = options.checkpoint
    if checkpoint is None:
        raise UsageError("no heads to export", "give the folder of a checkpoint: --checkpoint")
    evaluation, report = _evaluation(options), {}
    folder = options.output or checkpoint.with_name(f"{checkpoint.name}-onnx")
    wanted = options.precisions or ("fp32",)
    with context.progress("steps") as progress:
        if options.as_onnx:
            from cospal_exporters.onnx import ExportPlan
            from cospal_exporters.onnx import export as run

            plan = ExportPlan(checkpoint, folder, wanted, options.opset, evaluation, options.force)
            report = run(plan, progress)
        else:
            folder = options.output or checkpoint
        if options.as_tensorrt:
            from cospal_exporters.tensorrt import build

            source = checkpoint if options.as_onnx else None
            report["tensorrt"] = [
                build(folder, precision, source, evaluation, options.force, progress)
                for precision in wanted
            ]
    return report


def _evaluation(options: ExportOptions) -> Evaluation | None:
    if options.data is None and options.prepared is None:
        return None
    from cospal_exporters.verify import Evaluation

    from cospal_cli.datasets.splits import split_name

    prepared = options.prepared or Path(str(options.data)) / "prepared"
    return Evaluation(prepared, options.data, split_name(options.split), options.samples)


def _detector(context: Context[ExportOptions]) -> JsonDict:
    options = context.options
    if options.checkpoint is not None or options.as_tensorrt:
        raise UsageError("--what detector goes with --onnx and --model", "leave out the others")
    from cospal_exporters.detector import export as run

    width, _, height = options.size.partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise UsageError(f"--size {options.size!r}: expected WIDTHxHEIGHT", "such as 1333x800")
    if options.output is None:
        raise UsageError("no output folder for the detector", "name one: -o DIR")
    size = int(width), int(height)
    with context.progress("steps") as progress:
        return run(options.model, options.output, size, options.opset, progress)


def _table(report: JsonDict) -> str:
    """The report as lines of text."""
    lines = []
    for precision, one in report.get("precisions", {}).items():
        lines += _lines(precision, one)
    for one in report.get("tensorrt", ()):
        lines.append(f"tensorrt {one['precision']}: {'kept' if one['cached'] else 'built'}")
        if "parity" in one:
            lines += _lines("tensorrt", one["parity"])
    files = [
        [name, f"{one['bytes'] / 1e6:.1f} MB"] for name, one in report.get("files", {}).items()
    ]
    if files:
        lines += table([["file", "size"], *files], width=screen_width())
    if "boxes" in report:
        boxes = report["boxes"]
        lines.append(
            f"detector: {boxes['matched']} of {boxes['reference']} boxes matched, scores differ by "
            f"up to {boxes['max_score']:.2g}, least overlap {boxes['min_iou']:.4f}"
        )
    return "\n".join(console.printable(line) for line in lines)


def _lines(name: str, one: JsonDict) -> list[str]:
    task = one["task"]
    synthetic = " (SYNTHETIC)" if task.get("synthetic") else ""
    lines = [
        f"{name}: outputs differ by up to {one['max_abs']:.2g} on {len(one['shapes'])} shapes",
        f"  same tubelet {task['same_tubelet']:.1%}, same segment {task['same_segment']:.1%} "
        f"of {task['samples']} {task['inputs']} inputs{synthetic}",
    ]
    if "accuracy" in one:
        accuracy = one["accuracy"]
        figures = ", ".join(
            f"{metric} {accuracy['exported'][metric]:.4f} ({-accuracy['drop'][metric]:+.4f})"
            for metric in accuracy["drop"]
        )
        lines.append(f"  on {accuracy['samples']} samples with a truth: {figures}")
    lines += [f"  kept by force: {fault}" for fault in one["faults"]]
    return lines

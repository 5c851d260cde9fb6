"""``cospal export``: trained heads, or a detector, for runtimes without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cospal_cli.commands import console
from cospal_cli.commands.options import logging_options, start_logging
from cospal_cli.core.errors import UsageError
from cospal_cli.core.table import screen_width, table

if TYPE_CHECKING:
    from cospal_exporters.verify import Evaluation

HEADS, DETECTOR = "heads", "detector"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--onnx", "as_onnx", is_flag=True, help="ONNX graphs; also what --tensorrt reads.")
@click.option("--tensorrt", "as_tensorrt", is_flag=True, help="TensorRT engines for this GPU.")
@click.option(
    "--what", type=click.Choice([HEADS, DETECTOR]), default=HEADS, show_default=True, help="Which."
)
@click.option(
    "--checkpoint", type=click.Path(path_type=Path), help="Folder of trained heads, or exported."
)
@click.option("--model", default=None, help="The detector: a known id, folder or hub id.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder.  [default: CHECKPOINT-onnx]"
)
@click.option(
    "--precision", "precisions", multiple=True, help="fp32, fp16 or int8; repeatable.  [fp32]"
)
@click.option("--opset", default=18, show_default=True, help="Of ONNX: 18 to 23.")
@click.option("--data", type=click.Path(path_type=Path), help="Data set to compare answers on.")
@click.option(
    "--prepared", type=click.Path(path_type=Path), help="Its features.  [default: DATA/prepared]"
)
@click.option("--split", default="test", show_default=True, help="Of that data set.")
@click.option("--samples", default=200, show_default=True, type=click.IntRange(1), help="At most.")
@click.option(
    "--size", default="1333x800", show_default=True, help="Of the detector's images: WIDTHxHEIGHT."
)
@click.option("--force", is_flag=True, help="Keep fp16 or int8 that answers otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Print export.json instead of the table.")
@logging_options
def export(
    as_onnx: bool,
    as_tensorrt: bool,
    what: str,
    checkpoint: Path | None,
    model: str | None,
    output: Path | None,
    precisions: tuple[str, ...],
    opset: int,
    data: Path | None,
    prepared: Path | None,
    split: str,
    samples: int,
    size: str,
    force: bool,
    as_json: bool,
    verbose: int,
    quiet: bool,
    log_file: Path | None,
) -> None:
    """Export trained heads as ONNX graphs or TensorRT engines.

    What is written answers as the checkpoint does: it is compared with it, on random inputs of
    many shapes and on --data, and refused if it does not. Use it with 'cospal ground --runtime'.
    """
    start_logging(verbose, quiet, log_file)
    if not as_onnx and not as_tensorrt:
        raise UsageError("nothing to export", "give --onnx, --tensorrt or both")
    if what == DETECTOR:
        if checkpoint is not None or as_tensorrt:
            raise UsageError(
                "--what detector goes with --onnx and --model", "leave out the other options"
            )
        report = _detector(model, output, size, opset, quiet)
    else:
        if model is not None:
            raise UsageError("--model is of --what detector", "the heads are --checkpoint's")
        if checkpoint is None:
            raise UsageError("no heads to export", "give the folder of a checkpoint: --checkpoint")
        evaluation = _evaluation(data, prepared, split, samples)
        report = {}
        folder = output or checkpoint.with_name(f"{checkpoint.name}-onnx")
        wanted = precisions or ("fp32",)
        with console.progress(quiet, "steps") as progress:
            if as_onnx:
                from cospal_exporters.onnx import Plan
                from cospal_exporters.onnx import export as run

                plan = Plan(checkpoint, folder, wanted, opset, evaluation, force)
                report = run(plan, progress)
            else:
                folder = output or checkpoint
            if as_tensorrt:
                from cospal_exporters.tensorrt import build

                source = checkpoint if as_onnx else None
                report["tensorrt"] = [
                    build(folder, precision, source, evaluation, force, progress)
                    for precision in wanted
                ]
    console.emit(json.dumps(report, indent=1) if as_json else _table(report))


def _evaluation(
    data: Path | None, prepared: Path | None, split: str, samples: int
) -> Evaluation | None:
    if data is None and prepared is None:
        return None
    from cospal_exporters.verify import Evaluation

    return Evaluation(prepared or Path(str(data)) / "prepared", data, split, samples)


def _detector(
    model: str | None, output: Path | None, size: str, opset: int, quiet: bool
) -> dict[str, Any]:
    from cospal_exporters.detector import export as run

    width, _, height = size.partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise UsageError(f"--size {size!r}: expected WIDTHxHEIGHT", "such as 1333x800")
    if output is None:
        raise UsageError("no place for the detector", "give a folder: -o DIR")
    with console.progress(quiet, "steps") as progress:
        return run(model, output, (int(width), int(height)), opset, progress)


def _table(report: dict[str, Any]) -> str:
    """The report as lines for a person."""
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


def _lines(name: str, one: dict[str, Any]) -> list[str]:
    task = one["task"]
    synthetic = " (SYNTHETIC)" if task.get("synthetic") else ""
    lines = [
        f"{name}: outputs differ by up to {one['max_abs']:.2g} on {len(one['shapes'])} shapes",
        f"  same tubelet {task['same_tubelet']:.1%}, same segment {task['same_segment']:.1%} "
        f"of {task['samples']} {task['inputs']} inputs{synthetic}",
    ]
    if "accuracy" in one:
        accuracy = one["accuracy"]
        told = ", ".join(
            f"{metric} {accuracy['exported'][metric]:.4f} ({-accuracy['drop'][metric]:+.4f})"
            for metric in accuracy["drop"]
        )
        lines.append(f"  on {accuracy['samples']} samples with a truth: {told}")
    lines += [f"  kept by force: {fault}" for fault in one["faults"]]
    return lines

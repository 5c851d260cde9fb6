"""TensorRT engines of exported heads, for the GPU at hand, compared with their checkpoint.

What builds and keeps engines is ``cospal_cli.runtime.engines``: the runtime rebuilds stale ones.
"""

from __future__ import annotations

import json
from pathlib import Path

from cospal_exporters import verify

from cospal_cli.core.errors import WeightsError
from cospal_cli.core.files import write_text
from cospal_cli.core.progress import Progress, silent
from cospal_cli.devices.onnx_session import open_session
from cospal_cli.runtime import engines
from cospal_cli.runtime.onnx import chosen, graphs, input_shapes
from cospal_cli.runtime.tensorrt import TensorRTRuntime

REPORT = "tensorrt.json"


def build(
    folder: Path,
    precision: str = "auto",
    checkpoint: Path | None = None,
    evaluation: verify.Evaluation | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> verify.Report:
    """Engines of the graphs in ``folder``; returns what was built, and how it compares.

    ``checkpoint``: where the graphs came from; without it nothing is compared. Raises as
    ``TensorRTRuntime`` does, and WeightsError, with the engines removed, where their
    predictions differ from the checkpoint's.
    """
    trt = engines.library()
    here = engines.machine(trt)
    precision = chosen(folder, precision)
    progress("export", 0, 2)
    runtime = TensorRTRuntime(folder, "auto", precision)
    progress("export", 1, 2)
    report: verify.Report = {
        "precision": precision,
        "machine": vars(here),
        "cached": runtime.cached,
        "profile": engines.PROFILE,
        "trtexec": [trtexec(graph) for graph in graphs(folder, precision)],
    }
    if checkpoint is not None:
        try:
            report["parity"] = verify.verify(
                checkpoint, folder, precision, evaluation, force, "tensorrt"
            )
        except WeightsError:
            for graph in graphs(folder, precision):
                engines.forget(graph)
            raise
    text = json.dumps(report, indent=1, allow_nan=False)
    write_text(folder / engines.FOLDER / f"{precision}.{REPORT}", text + "\n")
    progress("export", 2, 2)
    return report


def trtexec(graph: Path) -> str:
    """The line that builds the same engine with TensorRT's own tool."""
    bounds = []
    inputs = input_shapes(open_session(graph))
    for which, flag in enumerate(("--minShapes", "--optShapes", "--maxShapes")):
        shapes = [
            f"{name}:{'x'.join(map(str, engines.filled(shape, which)))}"
            for name, shape in inputs.items()
        ]
        bounds.append(f"{flag}={','.join(shapes)}")
    return f"trtexec --onnx={graph.name} --stronglyTyped {' '.join(bounds)}"

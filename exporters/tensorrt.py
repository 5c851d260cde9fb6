"""TensorRT engines of exported heads, for the GPU at hand, compared with their checkpoint.

What builds and keeps engines is ``cospal_cli.runtime.engines``: the runtime rebuilds stale ones.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cospal_cli.core.errors import WeightsError
from cospal_cli.core.files import write_text
from cospal_cli.core.progress import Progress, silent
from cospal_cli.runtime import engines
from cospal_cli.runtime.onnx import PARTS, chosen, graph_path
from cospal_cli.runtime.tensorrt import TensorRTRuntime

from . import verify

REPORT = "tensorrt.json"


def build(
    folder: Path,
    precision: str = "auto",
    checkpoint: Path | None = None,
    evaluation: verify.Evaluation | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Engines of the graphs in ``folder``; returns what was built, and how it compares.

    ``checkpoint``: where the graphs came from; without it nothing is compared. Raises as
    ``TensorRTRuntime`` does, and WeightsError, with the engines removed, where they do not answer
    as the checkpoint does.
    """
    trt = engines.library()
    here = engines.machine(trt)
    precision = chosen(folder, precision)
    progress("export", 0, 2)
    runtime = TensorRTRuntime(folder, "auto", precision)
    progress("export", 1, 2)
    report: dict[str, Any] = {
        "precision": precision,
        "machine": vars(here),
        "cached": runtime.cached,
        "profile": engines.PROFILE,
        "trtexec": [trtexec(graph_path(folder, part, precision)) for part in PARTS],
    }
    if checkpoint is not None:
        try:
            report["parity"] = verify.verify(
                checkpoint, folder, precision, evaluation, force, "tensorrt"
            )
        except WeightsError:
            for part in PARTS:
                engines.forget(graph_path(folder, part, precision))
            raise
    text = json.dumps(report, indent=1, allow_nan=False)
    write_text(folder / engines.FOLDER / f"{precision}.{REPORT}", text + "\n")
    progress("export", 2, 2)
    return report


def trtexec(graph: Path) -> str:
    """The line that builds the same engine with TensorRT's own tool."""
    axes = engines.axes_of(graph)
    widths = engines.widths_of(graph)
    bounds = []
    for which, flag in enumerate(("--minShapes", "--optShapes", "--maxShapes")):
        shapes = []
        for name, named in axes.items():
            sides = [*(engines.PROFILE[axis][which] for axis in named), *widths[name]]
            shapes.append(f"{name}:{'x'.join(map(str, sides))}")
        bounds.append(f"{flag}={','.join(shapes)}")
    return f"trtexec --onnx={graph.name} --stronglyTyped {' '.join(bounds)}"

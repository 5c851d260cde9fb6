"""Trained heads as an ONNX graph: from a checkpoint's folder to a folder for ``runtime.onnx``.

The model itself is exported. Everything is written to a folder beside the output and compared
with the checkpoint there; only files that pass are moved to the output. Needs torch, onnx and
onnxscript (``cospal[train]``).
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cospal_exporters import verify
from cospal_exporters.precision import lowered

from cospal_cli import __version__
from cospal_cli.backbones.record import sha256
from cospal_cli.core.contract import AXES, BATCH, HEAD_INPUTS
from cospal_cli.core.errors import UsageError
from cospal_cli.core.files import alone, make_folder, publish, workplace, write_text
from cospal_cli.core.head_inputs import collate
from cospal_cli.core.progress import Progress, silent
from cospal_cli.core.registry import require
from cospal_cli.model.checkpoint import CONFIG, WEIGHTS, load
from cospal_cli.model.metadata import HeadsMetadata, Sizes
from cospal_cli.runtime.onnx import ABOUT, METADATA, NAME, PRECISIONS, graph_path

if TYPE_CHECKING:
    import onnx_ir as ir
    from onnx import ModelProto
    from torch import Tensor

    from cospal_cli.model.heads import TrainedHeads

OPSET, OPSETS = 18, (18, 23)
REPORT = "export.json"
SCHEMA = "cospal/export@1"


@dataclass(frozen=True)
class ExportPlan:
    """What to export. ``evaluation``: real inputs, for task parity and the drop of accuracy."""

    checkpoint: Path
    out: Path
    precisions: tuple[str, ...] = ("fp32",)
    opset: int = OPSET
    evaluation: verify.Evaluation | None = None
    force: bool = False  # keep a lower precision whose predictions differ

    def __post_init__(self) -> None:
        if unknown := [one for one in self.precisions if one not in PRECISIONS]:
            raise UsageError(f"unknown precision {unknown[0]!r}", f"known: {', '.join(PRECISIONS)}")
        if not OPSETS[0] <= self.opset <= OPSETS[1]:
            raise UsageError(
                f"--opset {self.opset}: must be from {OPSETS[0]} to {OPSETS[1]}",
                f"{OPSET} is what most runtimes support",
            )


def export(plan: ExportPlan, progress: Progress = silent) -> verify.Report:
    """Write the graphs, their metadata and ``export.json`` into ``plan.out``; returns that report.

    Raises UsageError without a package, WeightsError for a bad checkpoint or where the graphs
    predict something else: nothing is written then.
    """
    for package in ("torch", "onnx", "onnxscript"):
        require(package, "train")
    model, metadata = load(plan.checkpoint)
    make_folder(plan.out)
    steps = 1 + 2 * len(plan.precisions)
    with alone(plan.out), workplace(plan.out) as work:
        about = _about(plan, metadata)
        whole = write_graph(model, metadata, work, about, plan.opset)
        progress("export", 1, steps)
        report: verify.Report = {"schema": SCHEMA, **about, "files": {}, "precisions": {}}
        write_text(work / CONFIG, metadata.dumps() + "\n")
        for done, precision in enumerate(plan.precisions):
            if precision != "fp32":
                lowered(whole, work, precision)
            progress("export", 2 * done + 2, steps)
            report["precisions"][precision] = verify.verify(
                plan.checkpoint, work, precision, plan.evaluation, plan.force
            )
            path = graph_path(work, precision)
            report["files"][path.name] = {"bytes": path.stat().st_size, "sha256": sha256(path)}
            progress("export", 2 * done + 3, steps)
        report["versions"] = _versions()
        write_text(work / REPORT, json.dumps(report, indent=1, allow_nan=False) + "\n")
        publish(work, (*report["files"], CONFIG, REPORT), plan.out)
    return report


def write_graph(
    model: TrainedHeads,
    metadata: HeadsMetadata,
    folder: Path,
    about: Mapping[str, object],
    opset: int = OPSET,
) -> ModelProto:
    """The graph of a model in fp32, checked; also as an ONNX model."""
    import onnx

    proto = traced(model.eval(), metadata.sizes, metadata.outputs, opset)
    label(proto, metadata, {**about, "part": NAME, "precision": "fp32"})
    onnx.checker.check_model(proto, full_check=True)
    onnx.save(proto, graph_path(folder))
    return proto


def label(proto: ModelProto, metadata: HeadsMetadata, about: Mapping[str, object]) -> None:
    """Give an ONNX model its metadata, in the place of any that it has."""
    import onnx

    onnx.helper.set_model_props(proto, {ABOUT: json.dumps(about), METADATA: metadata.dumps()})
    proto.producer_name, proto.producer_version = "cospal", __version__
    proto.graph.name = NAME


def traced(model: TrainedHeads, sizes: Sizes, outputs: Sequence[str], opset: int) -> ModelProto:
    """The model as an ONNX model, its axes named; without the inputs that it does not read."""
    import torch

    axes = {name: BATCH + field.axes for name, field in HEAD_INPUTS.items()}
    with quiet(), torch.no_grad():
        program = torch.onnx.export(
            model,
            kwargs=example(sizes),
            input_names=list(HEAD_INPUTS),
            output_names=list(outputs),
            opset_version=opset,
            dynamo=True,
            dynamic_shapes={name: dict(enumerate(letters)) for name, letters in axes.items()},
            custom_translation_table={torch.ops.aten.gelu.default: _fusible_gelu()},
            external_data=False,
            verbose=False,
        )
    assert program is not None  # with dynamo it never is
    _turn_weights(program.model)
    proto: ModelProto = program.model_proto
    read = {name for node in proto.graph.node for name in node.input}
    for value in [one for one in proto.graph.input if one.name not in read]:
        proto.graph.input.remove(value)
    for node in proto.graph.node:  # where torch was traced: places on this machine
        del node.metadata_props[:]
        node.doc_string = ""
    return proto


def example(sizes: Sizes) -> dict[str, Tensor]:
    """A batch to trace with, each pair shorter than the one before: no mask is all of one kind."""
    import torch

    lengths = [AXES[name].example for name in "KTCN"]
    pairs = [
        verify.random_inputs(sizes, [length - number for length in lengths], number)
        for number in range(AXES[BATCH].example)
    ]
    return {name: torch.from_numpy(rows) for name, rows in collate(pairs).items()}


def _turn_weights(model: ir.Model) -> None:
    """Transpose weights that several products share now, not in the graph: only then does int8
    find them (its file 15.2 -> 9.8 MB, 20.8 -> 18.0 ms on one thread, full-size heads)."""
    from onnxscript.optimizer import fold_constants

    fold_constants(model, should_fold=lambda node: True if node.op_type == "Transpose" else None)


def _fusible_gelu() -> Callable[..., object]:
    """GELU in the steps for which ONNX Runtime puts one of its own: 2 % of the whole graph's time
    (28.7 -> 28.2 ms on one thread, full-size heads)."""
    from onnxscript import opset18 as op

    def gelu(x: Any, approximate: str = "none") -> Any:
        share = op.Erf(op.Div(x, op.Constant(value_float=math.sqrt(2))))
        twice = op.Mul(x, op.Add(share, op.Constant(value_float=1.0)))
        return op.Mul(twice, op.Constant(value_float=0.5))

    return gelu


def _about(plan: ExportPlan, metadata: HeadsMetadata) -> verify.Report:
    """What the files say of themselves besides the metadata of the heads."""
    words = "\n".join(metadata.vocabulary).encode()
    text = metadata.features.get("text", {})
    return {
        "name": "cospal heads",
        "cospal": __version__,
        "licence": metadata.licence,
        "checkpoint": plan.checkpoint.name,
        "checkpoint_sha256": sha256(plan.checkpoint / WEIGHTS),
        "vocabulary_sha256": hashlib.sha256(words).hexdigest(),
        "tokenizer": {"model": text.get("model"), "sha256": text.get("sha256")},
        "opset": plan.opset,
    }


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    from cospal_cli.devices import installed

    versions = {name: version(name) for name in ("torch", "onnx", "onnxscript", "numpy")}
    return {**versions, "onnxruntime": ", ".join(installed())}


@contextmanager
def quiet() -> Iterator[None]:
    """Without the messages of the exporter, and those on packages that it does not need."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)

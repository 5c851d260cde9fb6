"""Trained heads as ONNX graphs: from a checkpoint's folder to a folder for ``runtime.onnx``.

Everything is made in a folder beside the output and compared with the checkpoint there; only files
that passed get to their place. Needs torch, onnx and onnxscript (``cospal[train]``).
"""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cospal_cli import __version__
from cospal_cli.backbones.record import sha256
from cospal_cli.core.errors import UsageError
from cospal_cli.core.files import alone, publish, workplace, write_text
from cospal_cli.core.progress import Progress, silent
from cospal_cli.core.registry import require
from cospal_cli.model.card import Card
from cospal_cli.model.checkpoint import CONFIG, WEIGHTS, load
from cospal_cli.runtime.onnx import ABOUT, CARD, PARTS, PRECISIONS, graph_path

from . import verify
from .precision import lowered

OPSET, OPSETS = 18, (18, 23)
REPORT = "export.json"
SCHEMA = "cospal/export@1"
EXAMPLE = {"K": 3, "T": 4, "C": 5, "N": 6}  # a length of 1 would make an axis static


@dataclass(frozen=True)
class Plan:
    """What to export. ``evaluation``: real inputs, for task parity and the drop of accuracy."""

    checkpoint: Path
    out: Path
    precisions: tuple[str, ...] = ("fp32",)
    opset: int = OPSET
    evaluation: verify.Evaluation | None = None
    force: bool = False  # keep a lower precision that does not answer as the checkpoint does

    def __post_init__(self) -> None:
        if unknown := [one for one in self.precisions if one not in PRECISIONS]:
            raise UsageError(f"unknown precision {unknown[0]!r}", f"known: {', '.join(PRECISIONS)}")
        if not OPSETS[0] <= self.opset <= OPSETS[1]:
            raise UsageError(
                f"--opset {self.opset}: must be from {OPSETS[0]} to {OPSETS[1]}",
                f"{OPSET} is what most runtimes read",
            )


def export(plan: Plan, progress: Progress = silent) -> dict[str, Any]:
    """Write the graphs, their card and ``export.json`` into ``plan.out``; returns that report.

    Raises UsageError without a package, WeightsError for a bad checkpoint or where the graphs do
    not answer as it does: nothing is written then.
    """
    for package in ("torch", "onnx", "onnxscript"):
        require(package, "train")
    model, card = load(plan.checkpoint)
    plan.out.mkdir(parents=True, exist_ok=True)
    steps = 1 + 2 * len(plan.precisions)
    with alone(plan.out), workplace(plan.out) as work:
        about = _about(plan, card)
        whole = write_graphs(model, card, work, about, plan.opset)
        progress("export", 1, steps)
        report: dict[str, Any] = {"schema": SCHEMA, **about, "files": {}, "precisions": {}}
        write_text(work / CONFIG, card.dumps() + "\n")
        for done, precision in enumerate(plan.precisions):
            if precision != "fp32":
                lowered(whole, work, precision)
            progress("export", 2 * done + 2, steps)
            report["precisions"][precision] = verify.verify(
                plan.checkpoint, work, precision, plan.evaluation, plan.force
            )
            for part in PARTS:
                path = graph_path(work, part, precision)
                report["files"][path.name] = {
                    "bytes": path.stat().st_size,
                    "sha256": sha256(path),
                }
            progress("export", 2 * done + 3, steps)
        report["versions"] = _versions()
        write_text(work / REPORT, json.dumps(report, indent=1, allow_nan=False) + "\n")
        publish(work, (*report["files"], CONFIG, REPORT), plan.out)
    return report


def write_graphs(
    model: Any, card: Card, folder: Path, about: dict[str, Any], opset: int = OPSET
) -> dict[str, Any]:
    """Both graphs of a model in fp32, checked; returns their ONNX models by part."""
    import onnx

    from .graphs import SpatialGraph, TemporalGraph

    made = {}
    for part, kind in zip(PARTS, (SpatialGraph, TemporalGraph), strict=True):
        proto = _traced(kind(model).eval(), card, opset)
        inputs = _inputs(proto)
        label(proto, card, {**about, "part": part, "precision": "fp32", "inputs": inputs})
        onnx.checker.check_model(proto, full_check=True)
        onnx.save(proto, graph_path(folder, part))
        made[part] = proto
    return made


def label(proto: Any, card: Card, about: dict[str, Any]) -> None:
    """Give an ONNX model its metadata, in the place of any that it has."""
    import onnx

    onnx.helper.set_model_props(proto, {ABOUT: json.dumps(about), CARD: card.dumps()})
    proto.producer_name, proto.producer_version = "cospal", __version__
    proto.graph.name = about["part"]


def _inputs(proto: Any) -> dict[str, Any]:
    """Of each input the names of its open axes, which come first, and the others' lengths."""
    found = {}
    for value in proto.graph.input:
        sides = value.type.tensor_type.shape.dim
        found[value.name] = {
            "axes": [side.dim_param for side in sides if side.dim_param],
            "widths": [side.dim_value for side in sides if not side.dim_param],
        }
    return found


def _traced(graph: Any, card: Card, opset: int) -> Any:
    """The ONNX model of a graph, its axes named."""
    import torch

    from .graphs import AXES

    example = _example(card)
    with quiet():
        program: Any = torch.onnx.export(
            graph,
            kwargs={name: example[name] for name in graph.inputs},
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            opset_version=opset,
            dynamo=True,
            dynamic_shapes={name: dict(enumerate(AXES[name])) for name in graph.inputs},
            external_data=False,
            verbose=False,
        )
    proto = program.model_proto
    for node in proto.graph.node:  # where torch was traced: places on this machine
        del node.metadata_props[:]
        node.doc_string = ""
    return proto


def _example(card: Card) -> dict[str, Any]:
    """Inputs to trace with; no mask is all of one kind."""
    import torch

    k, t, c, n = EXAMPLE.values()
    sizes = card.sizes
    torch.manual_seed(0)
    return {
        "tubelets": torch.randn(k, t, sizes.tubelets),
        "tubelet_mask": torch.arange(k * t).view(k, t) % 5 != 4,
        "tubelet_scores": torch.full((k,), 1 / k),
        "clips": torch.randn(c, sizes.clips),
        "clip_mask": torch.arange(c) < c - 1,
        "words": torch.randn(n, sizes.words),
        "word_mask": torch.arange(n) < n - 1,
        "referral_mask": torch.arange(n) % 2 == 0,
        "word_ids": torch.arange(n) % sizes.vocabulary,
    }


def _about(plan: Plan, card: Card) -> dict[str, Any]:
    """What the files say of themselves besides the card."""
    words = "\n".join(card.vocabulary).encode()
    text = card.features.get("text", {})
    return {
        "name": "cospal heads",
        "cospal": __version__,
        "licence": card.licence,
        "checkpoint": plan.checkpoint.name,
        "checkpoint_sha256": sha256(plan.checkpoint / WEIGHTS),
        "vocabulary_sha256": hashlib.sha256(words).hexdigest(),
        "tokenizer": {"model": text.get("model"), "sha256": text.get("sha256")},
        "opset": plan.opset,
    }


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    from cospal_cli.devices import installed

    found = {name: version(name) for name in ("torch", "onnx", "onnxscript", "numpy")}
    return {**found, "onnxruntime": ", ".join(installed())}


@contextmanager
def quiet() -> Iterator[None]:
    """Without what the exporter tells of itself and of packages that it does not need."""
    loggers: Sequence[logging.Logger] = [
        logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")
    ]
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

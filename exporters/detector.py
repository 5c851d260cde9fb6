"""Grounding DINO as an ONNX graph: one image of a fixed size, any text.

Inputs ``pixel_values`` (1, 3, H, W), ``pixel_mask`` (1, H, W) int64 (1 where the image is, 0 where
it was padded) and ``input_ids`` (1, S); outputs ``logits`` (1, Q, S), ``pred_boxes`` (1, Q, 4) and
``features`` (1, Q, d). Images keep their shape: they are scaled to fit and padded at the right and
below. The folder also holds the tokenizer; ``detect.grounding_dino_onnx`` runs it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from cospal_exporters import verify
from cospal_exporters.onnx import REPORT, SCHEMA, quiet

from cospal_cli import __version__
from cospal_cli.backbones import models, record
from cospal_cli.backbones.pretrained import model_type, open_model
from cospal_cli.core.assignment import assign
from cospal_cli.core.boxes import pairwise_iou
from cospal_cli.core.errors import WeightsError
from cospal_cli.core.files import alone, make_folder, publish, workplace, write_text
from cospal_cli.core.progress import Progress, silent
from cospal_cli.core.registry import require
from cospal_cli.detect import DEFAULT_MODEL
from cospal_cli.detect.dino.grounding_dino import KINDS, tokenizer_of
from cospal_cli.detect.dino.onnx import INPUTS, NAME, OUTPUTS, TOKENIZER
from cospal_cli.detect.dino.pixels import Pixels
from cospal_cli.devices.onnx_session import open_session
from cospal_cli.devices.torch_device import choose
from cospal_cli.runtime.onnx import ABOUT

if TYPE_CHECKING:
    from torch import Tensor, nn

CONSIDERED = 0.05  # boxes with a score above are compared
SAME_IOU, SAME_SCORE = 0.99, 1e-3  # of a matched pair: least overlap, most difference
LARGEST = 2_000_000_000  # bytes of a protocol buffer; more go into a file beside


def export(
    model: str | None,
    out: Path,
    size: tuple[int, int],
    opset: int = 18,
    progress: Progress = silent,
) -> verify.Report:
    """Write ``detector.onnx`` of ``model`` for images of ``size`` (W, H) into ``out``; a report.

    Raises UsageError without a package, WeightsError for a model of another kind, or where the
    graph and the model find different boxes: nothing is written then.
    """
    for package in ("torch", "transformers", "onnx", "onnxscript"):
        require(package, "train")
    name = model or DEFAULT_MODEL
    folder = models.locate(name)
    if not folder.is_dir() or model_type(folder) not in KINDS:
        raise WeightsError(
            f"{folder}: {' or '.join(map(repr, KINDS))} of transformers expected",
            "'cospal models list' shows the detectors",
        )
    network = open_model("AutoModelForZeroShotObjectDetection", name, choose("cpu", "fp32"))
    tokenizer, pixels = tokenizer_of(folder, network), Pixels.of(folder)
    progress("export", 1, 4)
    make_folder(out)
    about = {
        "part": "detector",
        "cospal": __version__,
        "model": Path(name).name,
        "model_sha256": record.fingerprint(folder),
        "size": list(size),
        "mean": pixels.mean,
        "std": pixels.std,
        "text": min(network.config.max_text_len, tokenizer.model_max_length),
        "opset": opset,
        "precision": "fp32",
    }
    with alone(out), workplace(out) as work:
        write_graph(network, work / NAME, size, about, opset)
        progress("export", 2, 4)
        report = {"schema": SCHEMA, **about, "boxes": compared(network, work / NAME, size)}
        progress("export", 3, 4)
        tokenizer.backend_tokenizer.save(str(work / TOKENIZER))
        names = sorted(path.name for path in work.iterdir())
        report["files"] = {
            one: {"bytes": (work / one).stat().st_size, "sha256": record.sha256(work / one)}
            for one in names
        }
        write_text(work / REPORT, json.dumps(report, indent=1, allow_nan=False) + "\n")
        publish(work, (*names, REPORT), out)
    progress("export", 4, 4)
    return report


def write_graph(
    network: nn.Module, path: Path, size: tuple[int, int], about: Mapping[str, object], opset: int
) -> None:
    """The ONNX file of a transformers Grounding DINO in eval mode on the CPU."""
    import onnx
    import torch
    from cospal_exporters.dino_patches import exportable

    class Graph(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(
            self, pixel_values: Tensor, pixel_mask: Tensor, input_ids: Tensor
        ) -> tuple[Tensor, Tensor, Tensor]:
            outputs = self.network(
                pixel_values=pixel_values, pixel_mask=pixel_mask, input_ids=input_ids
            )
            logits = outputs.logits[..., : input_ids.shape[1]]  # it pads the text with nothing
            return logits, outputs.pred_boxes, outputs.last_hidden_state

    with exportable(network), quiet(), torch.no_grad():
        program = torch.onnx.export(
            Graph().eval(),
            tuple(torch.from_numpy(value) for value in example(size, 0).values()),
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            opset_version=opset,
            dynamo=True,
            dynamic_shapes=({}, {}, {1: "S"}),
            external_data=False,
            verbose=False,
        )
    assert program is not None  # with dynamo it never is
    proto = program.model_proto
    for node in proto.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.helper.set_model_props(proto, {ABOUT: json.dumps(about)})
    proto.producer_name, proto.producer_version = "cospal", __version__
    beside = proto.ByteSize() > LARGEST
    onnx.save(proto, path, save_as_external_data=beside, location=f"{path.name}.data")
    onnx.checker.check_model(path, full_check=True)


def example(size: tuple[int, int], seed: int, tokens: int = 0) -> dict[str, np.ndarray]:
    """Inputs with a random image that fills a part of ``size``, and a text of some blocks."""
    rng = np.random.default_rng(seed)
    width, height = size
    inner = (height - height // 4, width) if seed % 2 else (height, width - width // 4)
    mask = np.zeros((1, height, width), np.int64)
    mask[:, : inner[0], : inner[1]] = 1
    coarse = rng.normal(size=(1, 3, -(-height // 8), -(-width // 8)))
    pixels = coarse.repeat(8, axis=2).repeat(8, axis=3)[..., :height, :width]
    words = rng.integers(2000, 20_000, tokens or 4 + seed % 3)
    ids = [101, *words.tolist(), 1012, *words[::-1].tolist()[:2], 1012, 102]
    return {
        "pixel_values": (pixels * mask[:, None]).astype(np.float32),
        "pixel_mask": mask,
        "input_ids": np.array([ids], np.int64),
    }


def compared(
    network: nn.Module, path: Path, size: tuple[int, int], rounds: int = 3
) -> verify.Report:
    """Matched-set parity: every box of the model against its best match of the graph.

    Queries with nearly equal scores may swap ranks, so the sets are compared, not the rows.
    WeightsError where a box has no partner, or one with another score.
    """
    import torch

    session = open_session(path, inputs=INPUTS, outputs=OUTPUTS, lean=True)
    boxes = matched = 0
    scores, overlaps = [0.0], [1.0]
    for seed in range(rounds):
        inputs = example(size, seed)
        with torch.no_grad():
            tensors = {name: torch.from_numpy(value) for name, value in inputs.items()}
            outputs = network(**tensors)
        length = inputs["input_ids"].shape[1]
        mine = _best(outputs.logits[..., :length].numpy(), outputs.pred_boxes.numpy())
        logits, position_codes, _ = session.run(list(OUTPUTS), inputs)
        theirs = _best(logits, position_codes)
        iou = pairwise_iou(mine[1], theirs[1])
        gaps = np.abs(mine[0][:, None] - theirs[0][None])
        rows, columns = assign(1 - iou + gaps, 1.0)
        boxes += len(mine[0])
        matched += len(rows)
        scores += gaps[rows, columns].tolist()
        overlaps += iou[rows, columns].tolist()
    report = {
        "reference": boxes,
        "matched": matched,
        "max_score": float(max(scores)),
        "min_iou": float(min(overlaps)),
    }
    if not boxes or matched < boxes or max(scores) > SAME_SCORE or min(overlaps) < SAME_IOU:
        raise WeightsError(
            f"the exported detector finds different boxes: {matched} of {boxes} matched, scores "
            f"differ by up to {max(scores):.2g}, least overlap {min(overlaps):.3f}",
            "nothing was written; report this with the versions that 'cospal doctor' shows",
        )
    return report


def _best(logits: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores and corners of the boxes above ``CONSIDERED``, in shares of the image."""
    scores = 1 / (1 + np.exp(-logits[0].max(axis=-1).astype(np.float64)))
    kept = scores > CONSIDERED
    centre, half = boxes[0, kept, :2], boxes[0, kept, 2:] / 2
    corners = np.concatenate([centre - half, centre + half], axis=1)
    return scores[kept], corners.astype(np.float32)

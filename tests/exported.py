"""Tiny heads with random weights, as a checkpoint and as what ``cospal export`` makes of it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch

from cospal_cli.model.checkpoint import save
from cospal_cli.model.cospal import CoSPaL
from cospal_cli.model.metadata import HeadsMetadata, Sizes
from cospal_cli.settings import ModelConfig, TemporalConfig

SIZES = Sizes(tubelets=6, clips=5, words=4, vocabulary=4)
WORDS = ("man", "walks", "red")
SMALL = ModelConfig(dim=16, ffn=16, heads=2, temporal_layers=2, proposals=3)


def checkpoint(
    folder: Path,
    model: ModelConfig = SMALL,
    features: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> Path:
    """A folder as ``cospal train`` writes them; its answers differ clearly from one another."""
    torch.manual_seed(seed)
    heads = CoSPaL(SIZES, model).eval()
    with torch.no_grad():
        for name, weight in heads.named_parameters():
            if name.startswith(
                ("spatial.word", "spatial.tube", "temporal.propose", "temporal.head")
            ):
                weight.mul_(4)
    words = TemporalConfig(hidden="words")
    trained = {"data": "tests"}
    about = HeadsMetadata(SIZES, model, features or {}, WORDS, trained, temporal=words)
    save(folder, heads, about)
    return folder


@cache
def exported() -> tuple[Path, Path]:
    """A checkpoint's folder and that of its graphs in fp32 and fp16. Made once, not to be changed:
    take a ``copy``."""
    from cospal_exporters.onnx import ExportPlan, export

    root = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    source = checkpoint(root / "best")
    # Random heads have near ties: which of two is the best in fp16 is chance.
    export(ExportPlan(source, root / "best-onnx", ("fp32", "fp16"), force=True))
    return source, root / "best-onnx"


def copy(folder: Path) -> Path:
    """The exported folder, to be changed."""
    return Path(shutil.copytree(exported()[1], folder))

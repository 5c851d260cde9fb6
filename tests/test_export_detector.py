"""Grounding DINO as an ONNX graph: the same boxes, whatever the text and the padding."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from cospal_exporters import detector
from cospal_exporters.dino_patches import blocks, exportable
from transformers.models.grounding_dino import modeling_grounding_dino as original

from cospal_cli.cli import run
from cospal_cli.errors import WeightsError
from tests.tiny_models import grounding_dino, save_grounding_dino

SIZE = (96, 64)


def test_blocks_are_those_of_transformers() -> None:
    special = torch.tensor([101, 102, 1012, 1029])
    rng = np.random.default_rng(0)
    for length in (1, 2, 3, 9, 20):
        for _ in range(20):
            ids = torch.from_numpy(rng.choice([101, 102, 1012, 1029, 7, 8, 9], (2, length)))
            expected = original.generate_masks_with_special_tokens_and_transfer_map(ids, special)
            for one, other in zip(blocks(ids, special), expected, strict=True):
                assert torch.equal(one, other)


def test_what_is_changed_for_tracing_is_put_back() -> None:
    name = "generate_masks_with_special_tokens_and_transfer_map"
    before, network = getattr(original, name), grounding_dino()

    def fail() -> None:
        with exportable(network):
            assert getattr(original, name) is blocks
            assert os.environ["TRANSFORMERS_DISABLE_TORCH_CHECK"] == "1"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert getattr(original, name) is before
    assert "TRANSFORMERS_DISABLE_TORCH_CHECK" not in os.environ


def test_the_graph_finds_the_boxes_of_the_model(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = save_grounding_dino(
        tmp_path / "tiny", encoder_layers=1, decoder_layers=2, num_queries=20
    )
    out = tmp_path / "out"
    words = ["export", "--onnx", "--what", "detector", "--model", str(source), "--json"]
    assert run([*words, "--size", "96x64", "-o", str(out)]) == 0
    report = json.loads(capfd.readouterr().out)
    assert report["boxes"]["matched"] == report["boxes"]["reference"] > 0
    kept = {path.name for path in out.iterdir()}
    assert {"detector.onnx", "export.json", "vocab.txt", "preprocessor_config.json"} <= kept
    proto = onnx.load(out / "detector.onnx")
    told = {
        one.name: [side.dim_param or side.dim_value for side in one.type.tensor_type.shape.dim]
        for one in proto.graph.input
    }
    assert told == {
        "pixel_values": [1, 3, 64, 96],
        "pixel_mask": [1, 64, 96],
        "input_ids": [1, "S"],
    }
    other = grounding_dino(seed=1, encoder_layers=1, decoder_layers=2, num_queries=20)
    with pytest.raises(WeightsError, match="finds other boxes"):
        detector.compared(other, out / "detector.onnx", SIZE)


def test_another_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(WeightsError, match="'grounding-dino' or 'mm-grounding-dino'"):
        detector.export(str(tmp_path), tmp_path / "out", SIZE)

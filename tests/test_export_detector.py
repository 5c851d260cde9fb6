"""Grounding DINO as an ONNX graph: the same boxes, whatever the text and the padding."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from cospal_exporters import detector
from cospal_exporters.dino_patches import blocks, exportable
from transformers.models.grounding_dino import modeling_grounding_dino as original

from cospal_cli.cli import run
from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.core.frames import FrameBatch
from cospal_cli.detect import detect, open_detector
from cospal_cli.detect.dino.onnx import letterboxed
from cospal_cli.language.parser.parse import parse
from cospal_cli.settings import DetectorConfig, LanguageConfig
from tests.tiny_models import grounding_dino, save_grounding_dino

SIZE = (96, 64)
PROGRAM = """
import sys
from cospal_cli.settings import DetectorConfig, LanguageConfig
from cospal_cli.detect import open_detector
from cospal_cli.language.parser.parse import parse
detector = open_detector(DetectorConfig("grounding-dino-onnx", model=sys.argv[1]))
detector.prompt(parse("the man in red walks", LanguageConfig()))
heavy = {"torch", "transformers", "onnx"} & set(sys.modules)
assert not heavy, heavy
"""


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
    assert kept == {"detector.onnx", "export.json", "tokenizer.json"}
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
    same_without_torch(source, out)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(out)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    other = grounding_dino(seed=1, encoder_layers=1, decoder_layers=2, num_queries=20)
    with pytest.raises(WeightsError, match="finds different boxes"):
        detector.compared(other, out / "detector.onnx", SIZE)


def same_without_torch(source: Path, out: Path) -> None:
    """The detector on the exported files finds in a frame what that on transformers finds."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (2, 8, 12, 3)).astype(np.uint8)
    images = small.repeat(8, axis=1).repeat(8, axis=2)
    frames = FrameBatch(images, np.arange(2), np.arange(2) / 10, (192, 128))
    query = parse("the man in red walks", LanguageConfig())
    found = []
    for name, model in (("grounding-dino", source), ("grounding-dino-onnx", out)):
        config = DetectorConfig(name, model=str(model), threshold=0.3, device="cpu")
        opened = open_detector(config).prompt(query)
        found.append((opened, detect(opened, frames)))
    (one, mine), (other, theirs) = found
    assert (one.classes, one.model_sha256) == (other.classes, other.model_sha256)
    for expected, boxes in zip(mine, theirs, strict=True):
        assert len(expected) == len(boxes) > 0
        assert expected.frame_index == boxes.frame_index
        order, again = (np.lexsort(all_.boxes_xyxy.round(1).T) for all_ in (expected, boxes))
        for field in ("boxes_xyxy", "scores", "label_scores", "features", "token_scores"):
            wanted, got = getattr(expected, field)[order], getattr(boxes, field)[again]
            np.testing.assert_allclose(got, wanted, atol=2e-3, err_msg=field)


def test_frames_of_another_shape_are_padded_not_stretched() -> None:
    images = np.full((1, 40, 40, 3), 255, np.uint8)
    pixels, mask = letterboxed(images[0], (96, 64), np.zeros(3), np.ones(3))
    assert (pixels.shape, mask.shape) == ((1, 3, 64, 96), (1, 64, 96))
    assert mask[0, :, :64].all()
    assert not mask[0, :, 64:].any()
    assert (pixels[0, :, :, :64] == 1).all()
    assert not pixels[0, :, :, 64:].any()


def test_a_folder_without_the_graph_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"detector\.onnx"):
        open_detector(DetectorConfig("grounding-dino-onnx", model=str(tmp_path)))
    with pytest.raises(UsageError, match="folder"):
        open_detector(DetectorConfig("grounding-dino-onnx"))


def test_another_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(WeightsError, match="'grounding-dino' or 'mm-grounding-dino'"):
        detector.export(str(tmp_path), tmp_path / "out", SIZE)

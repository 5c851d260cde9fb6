"""One tiny random Grounding DINO, as a folder of transformers and as an original checkpoint."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch

from cospal_cli.backbones.state import read_state
from cospal_cli.detect.dino.keys import convert
from tests.tiny_models import grounding_dino, save_grounding_dino

NEEDS_PACKAGE = pytest.mark.skipif(
    importlib.util.find_spec("groundingdino") is None,
    reason="pip install --no-deps groundingdino-py==0.4.0",
)


def sizes() -> dict[str, Any]:
    """What the original cannot be built without: features of 256, 8 heads, BERT's heads of 64."""
    from transformers import BertConfig

    bert = BertConfig(
        hidden_size=64, num_hidden_layers=2, num_attention_heads=1, intermediate_size=64
    )
    heads = {"encoder_attention_heads": 8, "decoder_attention_heads": 8}
    return {"d_model": 256, "text_config": bert, **heads}


def save_both(folder: Path) -> tuple[Path, Path]:
    """(folder of transformers, original checkpoint) below ``folder``, with the same weights.

    The names in the checkpoint and what wraps them are those of the published ones.
    """
    model = grounding_dino(**sizes())
    with torch.no_grad():  # boxes at the very border are computed differently by both
        for name, weight in model.named_parameters():
            if "bbox_embed" in name:
                weight.normal_(std=0.05)
    ours, original = folder / "transformers", folder / "original.pth"
    save_grounding_dino(ours, **sizes())  # tokenizer and image settings
    model.save_pretrained(ours)
    state = convert(read_state(ours / "model.safetensors"), "original")
    state["bert.embeddings.position_ids"] = torch.arange(512)[None]
    state["bert.pooler.dense.bias"] = torch.zeros(64)
    state["label_enc.weight"] = torch.zeros(3, 256)
    torch.save({"model": {f"module.{name}": value for name, value in state.items()}}, original)
    return ours, original

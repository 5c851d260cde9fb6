"""Tiny random models of the real classes, saved to folders as their publishers save theirs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from cospal_cli import weights
from cospal_cli.core.registry import require

VOCABULARY = Path(weights.__file__).parent / "bert_vocab.txt"


def save_tokenizer(folder: Path) -> None:
    """The tokenizer of bert-base-uncased."""
    transformers: Any = require("transformers", "torch")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(VOCABULARY, folder / "vocab.txt")
    tokenizer = transformers.BertTokenizerFast(
        vocab=str(folder / "vocab.txt"), model_max_length=512
    )
    tokenizer.save_pretrained(folder)


# --- Grounding DINO ---


def grounding_dino_config(kind: str = "grounding-dino", **changes: Any) -> Any:
    """A configuration of ``kind``: every part there, all of them small."""
    transformers: Any = require("transformers", "torch")
    swin = transformers.SwinConfig(
        embed_dim=16,
        depths=[1, 1, 1, 1],
        num_heads=[1, 1, 2, 2],
        window_size=4,
        out_indices=[2, 3, 4],
    )
    bert = transformers.BertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
    )
    small = {
        "d_model": 32,
        "num_queries": 40,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
    }
    parts = {"backbone_config": swin, "text_config": bert}
    return transformers.AutoConfig.for_model(kind, **parts | small | changes)


def grounding_dino(kind: str = "grounding-dino", seed: int = 0, **changes: Any) -> Any:
    """A random model; its boxes, too, depend on what it sees."""
    import torch
    from transformers import AutoModelForZeroShotObjectDetection

    torch.manual_seed(seed)
    model = AutoModelForZeroShotObjectDetection.from_config(grounding_dino_config(kind, **changes))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "bbox_embed" in name:  # its last layer starts as zeros
                weight.normal_(std=0.2)
            if name.endswith("class_embed.0.bias"):  # starts where nothing is likely
                weight.zero_()
    return model.eval()


def save_grounding_dino(folder: Path, kind: str = "grounding-dino", **changes: Any) -> Path:
    """A folder with weights, tokenizer and image settings (shorter side 64, longer 107)."""
    from transformers import GroundingDinoImageProcessorPil

    grounding_dino(kind, **changes).save_pretrained(folder)
    save_tokenizer(folder)
    GroundingDinoImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 107}).save_pretrained(
        folder
    )
    return folder

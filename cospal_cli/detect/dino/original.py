"""The network of the package groundingdino-py, called like that of transformers.

Imports torch: only for those that have it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from torch import nn

from cospal_cli.core.errors import WeightsError
from cospal_cli.detect.dino.config import MAX_TOKENS, PUBLISHED, Bert, Dino
from cospal_cli.detect.dino.keys import UNUSED
from cospal_cli.detect.dino.stubs import network_modules
from cospal_cli.devices.torch_device import Place

SPECIAL = {"[CLS]": 101, "[SEP]": 102, ".": 1012, "?": 1029}  # what blocks of a prompt end with
# Settings of training and of the network's insides that do not change what it computes.
_IDLE = {
    "dropout": 0.0,
    "text_dropout": 0.0,
    "fusion_dropout": 0.0,
    "fusion_droppath": 0.0,
    "use_checkpoint": False,
    "use_transformer_ckpt": False,
}


class Network(nn.Module):
    """What transformers gives as ``logits``, ``pred_boxes`` and ``last_hidden_state``."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model: Any = model
        self.config = SimpleNamespace(max_text_len=MAX_TOKENS)
        for message in (r"torch\.meshgrid", r".*torch\.cuda\.amp\.autocast"):  # old ways of theirs
            warnings.filterwarnings("ignore", message)

    def forward(self, pixel_values: torch.Tensor, input_ids: torch.Tensor) -> SimpleNamespace:
        """Pixels (B, 3, H, W) and tokens (B, S) -> logits (B, Q, 256), boxes (B, Q, 4) as centre,
        width and height in 0..1, and the decoder's last features (B, Q, F)."""
        modules: Any = network_modules()
        padding = torch.zeros_like(pixel_values[:, 0], dtype=torch.bool)
        images = modules.util.misc.NestedTensor(pixel_values.float(), padding)
        features: list[torch.Tensor] = []
        hook = self.model.transformer.register_forward_hook(
            lambda _module, _given, found: features.append(found[0][-1])
        )
        try:
            found = self.model(images, captions=input_ids)
        finally:
            hook.remove()
        return SimpleNamespace(
            logits=found["pred_logits"],
            pred_boxes=found["pred_boxes"],
            last_hidden_state=features[0],
        )


class Tokens:
    """A tokenizer for what is tokens already."""

    def convert_tokens_to_ids(self, tokens: list[str]) -> list[int]:
        """Of the special tokens, all that the network asks for."""
        return [SPECIAL[token] for token in tokens]

    def __call__(self, captions: torch.Tensor, **_: Any) -> Any:
        """Token ids (B, S), as a tokenizer returns them for B texts of the same length."""
        from transformers import BatchEncoding

        return BatchEncoding(
            {
                "input_ids": captions,
                "token_type_ids": torch.zeros_like(captions),
                "attention_mask": torch.ones_like(captions),
            }
        )


class Reduced(nn.Module):
    """``part`` in half precision where torch deems it safe; what comes out is fp32."""

    def __init__(self, part: nn.Module, place: Place) -> None:
        super().__init__()
        self.part = part
        self.place = place

    def forward(self, *given: Any, **named: Any) -> Any:
        """Of ``part``."""
        with torch.autocast(self.place.device.type, self.place.dtype):
            return _widened(self.part(*given, **named))


def open_network(dino: Dino, state: Mapping[str, torch.Tensor], place: Place) -> Network:
    """The network of ``dino`` with the weights of ``state`` at ``place``, in eval mode.

    Raises WeightsError unless every weight has its tensor, and every tensor its place.
    """
    model = build(dino)
    try:
        result = model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        lines = str(error).splitlines()
        raise WeightsError(f"weights of other shapes: {lines[-1].strip()}") from error
    for what, names in (("missing", result.missing_keys), ("unknown", result.unexpected_keys)):
        wrong = [name for name in names if not UNUSED.fullmatch(name)]
        if wrong:
            more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
            raise WeightsError(f"{what} weights: {', '.join(wrong[:3])}{more}")
    model = model.eval().requires_grad_(False).to(place.device)
    if place.dtype != torch.float32:
        model.backbone[0] = Reduced(model.backbone[0], place)
        model.transformer.encoder = Reduced(model.transformer.encoder, place)
    return Network(model)


def build(dino: Dino) -> Any:
    """The package's own network of these sizes, with random weights and cospal's text encoder."""
    modules: Any = network_modules().models.GroundingDINO
    values = {**PUBLISHED, **_IDLE, **vars(dino)}
    values |= dict.fromkeys(("pe_temperatureH", "pe_temperatureW"), dino.pe_temperature)
    args = SimpleNamespace(**values)
    swin = modules.backbone.swin_transformer.SwinTransformer(
        out_indices=tuple(args.return_interm_indices), drop_path_rate=0.0, **asdict(dino.swin)
    )
    position = modules.backbone.position_encoding.build_position_encoding(args)
    backbone = modules.backbone.backbone.Joiner(swin, position)
    backbone.num_channels = swin.num_features[1:]
    text = SimpleNamespace(
        get_tokenlizer=lambda _: Tokens(),
        get_pretrained_language_model=lambda _: _text_encoder(dino.bert),
    )
    with patch.multiple(
        modules.groundingdino, get_tokenlizer=text, BertModelWarper=lambda bert_model: bert_model
    ):
        return modules.groundingdino.GroundingDINO(
            backbone,
            modules.transformer.build_transformer(args),
            num_queries=dino.num_queries,
            iter_update=True,
            query_dim=args.query_dim,
            num_feature_levels=dino.num_feature_levels,
            nheads=dino.nheads,
            two_stage_type=args.two_stage_type,
            dec_pred_bbox_embed_share=dino.dec_pred_bbox_embed_share,
            two_stage_bbox_embed_share=False,
            two_stage_class_embed_share=False,
        )


def _text_encoder(sizes: Bert) -> nn.Module:
    """A BertModel, under the names that its weights have in the original checkpoints."""
    from transformers import BertConfig, BertModel

    class TextEncoder(BertModel):
        """Takes the original's masks (B, S, S), which of the S tokens each one attends to."""

        def forward(
            self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **named: torch.Tensor
        ) -> Any:
            """``input_ids`` are (B, S), and so are ``token_type_ids`` and ``position_ids``."""
            return super().forward(input_ids, attention_mask=attention_mask[:, None], **named)

    return TextEncoder(BertConfig(**asdict(sizes)))


def _widened(found: Any) -> Any:
    """``found`` with its half precision tensors as fp32, wherever they are in it."""
    if isinstance(found, torch.Tensor):
        return found.float() if found.is_floating_point() else found
    if isinstance(found, tuple):
        return tuple(_widened(value) for value in found)
    if isinstance(found, dict):
        return {key: _widened(value) for key, value in found.items()}
    found.tensors = _widened(found.tensors)  # the package's images with their padding
    return found

"""The network of the package groundingdino-py, called like that of transformers: what the authors'
checkpoints are compared with.

Its modules import torchvision, timm, OpenCV, matplotlib, pycocotools, addict and yapf at their
top, for drawing and training; to find boxes they need three small functions of timm. So stand-ins
take these packages' places, while the network is imported.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from torch import nn

from cospal_cli.backbones.state import read_state
from cospal_cli.detect.dino.config import MAX_TOKENS, PUBLISHED, Bert, Dino, from_state
from cospal_cli.detect.dino.keys import UNUSED

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


STOOD_IN = (
    *("torchvision", "torchvision.ops", "torchvision.ops.boxes"),
    *("torchvision.models", "torchvision.models._utils"),
    *("timm", "timm.models", "timm.models.layers"),
    *("matplotlib", "matplotlib.pyplot", "matplotlib.collections", "matplotlib.patches"),
    *("cv2", "pycocotools", "pycocotools.mask", "addict"),
    *("yapf", "yapf.yapflib", "yapf.yapflib.yapf_api"),
)
_TEXT = (  # what they import of transformers
    *("AutoTokenizer", "BertConfig", "BertModel", "BertPreTrainedModel", "BertTokenizer"),
    *("RobertaModel", "RobertaTokenizerFast"),
)


class _StandIn(ModuleType):
    """A module in which every name is a class that cannot be used."""

    __path__: list[str] = []  # noqa: RUF012 - a package, for imports from below it
    __version__ = "0.99"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (_Unusable,), {"__module__": self.__name__})


class _Unusable:
    def __init__(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError(f"{type(self).__module__}.{type(self).__name__} is a stand-in")


@cache
def network_modules() -> ModuleType:
    """The package groundingdino, with the modules of its network in it."""
    package = importlib.import_module("groundingdino")
    transformers = importlib.import_module("transformers")
    for name in _TEXT:  # first: it must not meet the stand-ins
        getattr(transformers, name)
    with _stood_in():
        importlib.import_module("groundingdino.models.GroundingDINO.groundingdino")
    return package


@contextmanager
def _stood_in() -> Iterator[None]:
    """Modules of these packages that are loaded already are put away and come back."""
    tops = {name.partition(".")[0] for name in STOOD_IN}
    away = {name: one for name, one in sys.modules.items() if name.partition(".")[0] in tops}
    for name in away:
        del sys.modules[name]
    sys.modules.update({name: _StandIn(name) for name in STOOD_IN})
    layers: Any = sys.modules["timm.models.layers"]
    layers.DropPath = torch.nn.Identity  # what it is outside training
    layers.trunc_normal_ = torch.nn.init.trunc_normal_
    layers.to_2tuple = lambda side: side if isinstance(side, tuple) else (side, side)
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] in tops]:
            del sys.modules[name]
        sys.modules.update(away)


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


def open_network(path: Path) -> Network:
    """The package's network with the weights of the checkpoint ``path``, in eval mode."""
    state = read_state(path)
    model = build(from_state(state))
    result = model.load_state_dict(state, strict=False)
    wrong = [*result.missing_keys, *result.unexpected_keys]
    assert [name for name in wrong if not UNUSED.fullmatch(name)] == []
    return Network(model.eval().requires_grad_(False))


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

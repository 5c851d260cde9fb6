"""Parts put in the place of a transformers model's own, on a twin that shares all other weights.

Imports torch: only for those that have it.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

_BEFORE_BOXES = "backbone input_proj_vision text_backbone text_projection encoder".split()


class EncodedOnce(nn.Module):
    """A text encoder for one text: it encodes it at the first call and returns the same output
    ever after.

    Every row of every batch must hold that text.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.features: torch.Tensor | None = None  # (1, S, width)

    def forward(self, input_ids: torch.Tensor, *rest: object, **named: object) -> object:
        """The encoder's own output for ``input_ids`` (B, S); of it only ``last_hidden_state``."""
        from transformers.modeling_outputs import BaseModelOutput

        if self.features is None:
            first = [_first_row(value) for value in (input_ids, *rest)]
            one = {name: _first_row(value) for name, value in named.items()}
            self.features = self.encoder(*first, **one).last_hidden_state
        return BaseModelOutput(self.features.expand(len(input_ids), -1, -1))


class TakesFull(nn.Module):
    """``part`` in fp32 within a model of less precision: what comes in is widened."""

    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part = part.float()

    def forward(self, *given: object) -> object:
        """Of ``part``, with every floating point tensor in fp32."""
        return self.part(*(_widened(value) for value in given))


class GivesFull(nn.Module):
    """``part`` as it is within a model of less precision, but what comes out is widened."""

    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part = part

    def forward(self, *given: object, **named: object) -> object:
        """The same kind of output, a mapping, with every floating point tensor in fp32."""
        outputs = self.part(*given, **named)
        return type(outputs)(**{name: _widened(value) for name, value in outputs.items()})


def with_part(module: nn.Module, path: str, part: nn.Module) -> nn.Module:
    """A twin of ``module`` that has ``part`` at the dotted ``path``, and else the same objects."""
    name, _, rest = path.partition(".")
    twin = copy.copy(module)
    new = with_part(getattr(module, name), rest, part) if rest else part
    twin._modules = {**module._modules, name: new}
    return twin


def keep_coordinates_exact(model: Any) -> nn.Module:
    """A twin of a Grounding DINO of half precision that works in fp32 from its encoder's end on.

    That is a small part of the work, and box corners in half precision are pixels off.
    """
    for name, part in model.model.named_children():
        if name not in _BEFORE_BOXES:
            part.float()
    model.bbox_embed.float()
    model.class_embed.float()
    places = TakesFull(model.model.encoder_output_class_embed)  # it sees unencoded text as well
    exact = with_part(model, "model.encoder", GivesFull(model.model.encoder))
    return with_part(exact, "model.encoder_output_class_embed", places)


def _first_row(value: object) -> object:
    return value[:1] if isinstance(value, torch.Tensor) else value


def _widened(value: Any) -> object:
    whole = not isinstance(value, torch.Tensor) or not value.is_floating_point()
    return value if whole else value.float()

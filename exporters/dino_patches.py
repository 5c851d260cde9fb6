"""The two changes without which transformers' Grounding DINO does not export.

1. Its blocks of text are found with ``isin``, ``cummax`` and ``cummin``, which ONNX lacks: here by
   comparisons of every two tokens of the text.
2. Its checks of shapes branch on values of tensors: an environment variable turns them off.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

_FUNCTION = "generate_masks_with_special_tokens_and_transfer_map"
_CHECKS = "TRANSFORMERS_DISABLE_TORCH_CHECK"


@contextmanager
def exportable(network: nn.Module) -> Iterator[None]:
    """While open, the class of ``network`` can be traced."""
    module = sys.modules[type(network).__module__]
    before, checks = getattr(module, _FUNCTION), os.environ.get(_CHECKS)
    setattr(module, _FUNCTION, blocks)
    os.environ[_CHECKS] = "1"
    try:
        yield
    finally:
        setattr(module, _FUNCTION, before)
        if checks is None:
            del os.environ[_CHECKS]
        else:
            os.environ[_CHECKS] = checks


def blocks(input_ids: Tensor, special_tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Which tokens each of ``input_ids`` (B, S) attends to (B, S, S), and its position in its
    block (B, S).

    The blocks lie between ``special_tokens``; the ends of the text attend to themselves only.
    """
    length = input_ids.shape[1]
    special = (input_ids.unsqueeze(-1) == special_tokens).any(dim=-1)  # (B, S)
    position_codes = torch.arange(length, device=input_ids.device)
    mine, other = position_codes.unsqueeze(1), position_codes.unsqueeze(0)
    ends = special.unsqueeze(1)  # (B, 1, S): whether a block ends there
    before = torch.where(ends & (other < mine), other, -1).amax(dim=-1)
    after = torch.where(ends & (other >= mine), other, length).amin(dim=-1)
    inner = (after != 0) & (after != length - 1) & (after != length)
    same = (after.unsqueeze(2) == after.unsqueeze(1)) & inner.unsqueeze(1)
    seen = same | (mine == other).unsqueeze(0)
    position = torch.where(inner, position_codes.unsqueeze(0) - before - 1, 0).clamp(min=0)
    return seen, position.to(torch.long)

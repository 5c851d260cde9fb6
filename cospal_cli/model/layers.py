"""Transformer parts on ``scaled_dot_product_attention``, so that they export as they are."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """Multi-head attention of ``x`` (B, L, d) over ``memory`` (B, M, d).

    Its weights are not dropped out: that takes the fast kernels away.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, memory: Tensor, bias: Tensor) -> Tensor:
        """(B, L, d). ``bias`` (B, 1 or L, M) is added to the logits: see ``bias_of``."""
        key, value = self.key_value(memory).chunk(2, dim=-1)
        found = functional.scaled_dot_product_attention(
            self._split(self.query(x)),
            self._split(key),
            self._split(value),
            attn_mask=bias.unsqueeze(1).to(x.dtype),
        )
        return self.out(found.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        """(B, L, d) -> (B, heads, L, d / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Block(nn.Module):
    """A pre-norm transformer layer: self-attention, attention to a memory if there is one, FFN."""

    def __init__(self, dim: int, heads: int, ffn: int, dropout: float, cross: bool = True) -> None:
        super().__init__()
        self.own = Attention(dim, heads)
        self.own_norm = nn.LayerNorm(dim)
        if cross:
            self.cross = Attention(dim, heads)
            self.cross_norm = nn.LayerNorm(dim)
        self.ffn = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, ffn), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(ffn, dim),
        )  # fmt: skip
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Self-attention of ``x`` (B, L, d). ``bias`` (B, 1, L)."""
        return self._mlp(self.self_attention(x, bias))

    def self_attention(self, x: Tensor, bias: Tensor, among: Tensor | None = None) -> Tensor:
        """The self-attention alone; ``x`` may be some of the rows ``among`` (B, M, d)."""
        normed = self.own_norm(x)
        memory = normed if among is None else self.own_norm(among)
        return x + self.drop(self.own(normed, memory, bias))

    def cross_attention(self, x: Tensor, memory: Tensor, bias: Tensor) -> Tensor:
        """What follows: cross-attention to ``memory`` (B, M, d), ``bias`` (B, 1 or L, M); MLP."""
        return self._mlp(x + self.drop(self.cross(self.cross_norm(x), memory, bias)))

    def _mlp(self, x: Tensor) -> Tensor:
        return x + self.drop(self.ffn(x))


def blocks(layers: nn.ModuleList) -> Iterator[Block]:
    """The layers, typed."""
    for layer in layers:
        assert isinstance(layer, Block)
        yield layer


class Noise(nn.Module):
    """Adds to inputs, in training only, Gaussian noise of ``share`` times their root mean square.

    Without it the heads memorise the sentences of a few hundred videos.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """``x`` as it is, or with noise."""
        if not (self.training and self.share):
            return x
        power = x.square().sum() / (x != 0).sum().clamp(min=1)  # padding is zero
        return x + torch.randn_like(x) * (self.share * power.sqrt())


def bias_of(mask: Tensor) -> Tensor:
    """Attention bias (..., 1, L) that hides what ``mask`` (..., L) has False.

    Rows without any True hide nothing: their result means nothing, but it is finite.
    """
    seen = mask | ~mask.any(dim=-1, keepdim=True)
    hidden = torch.zeros_like(mask, dtype=torch.float32).masked_fill(~seen, -1e4)
    return hidden.unsqueeze(-2)


def position_codes(length: int, dim: int, like: Tensor) -> Tensor:
    """Sinusoidal position codes (length, dim) on the device of ``like``."""
    at = torch.arange(length, device=like.device, dtype=torch.float32).unsqueeze(1)
    rates = torch.exp(
        torch.arange(0, dim, 2, device=like.device, dtype=torch.float32) * (-math.log(1e4) / dim)
    )
    return torch.cat([torch.sin(at * rates), torch.cos(at * rates)], dim=1).to(like.dtype)


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean (..., d) of ``x`` (..., L, d) over what ``mask`` (..., L) has True; 0 where nothing."""
    weights = mask.to(x.dtype).unsqueeze(-1)
    return (x * weights).sum(dim=-2) / weights.sum(dim=-2).clamp(min=1.0)


def mlp(size: int, dim: int) -> nn.Sequential:
    """Two layers, ``size`` -> ``dim``."""
    return nn.Sequential(nn.Linear(size, dim), nn.ReLU(), nn.Linear(dim, dim))

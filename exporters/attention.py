"""Attention for one video's graph: the numbers of ``model.layers.Attention`` with less work.

Linear maps are folded into each other beforehand: the scale into the queries; a bias of keys moves
all logits of a row alike and falls out; one of values passes through to the output. Rows of all
sequences stand below each other, so that every product is of two matrices. Needs torch.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cospal_cli.model.layers import Attention


class Folded(nn.Module):
    """The weights of an ``Attention``, folded."""

    query: Tensor
    query_bias: Tensor
    key: Tensor
    value: Tensor
    out: Tensor
    out_bias: Tensor

    def __init__(self, part: Attention) -> None:
        super().__init__()
        self.heads = part.heads
        size = part.query.weight.shape[0] // part.heads
        scale = size**-0.5
        key, value = part.key_value.weight.detach().chunk(2)
        passed = part.key_value.bias.detach().chunk(2)[1]
        out = part.out.weight.detach()
        self.register_buffer("query", part.query.weight.detach() * scale)
        self.register_buffer("query_bias", part.query.bias.detach() * scale)
        self.register_buffer("key", key.clone())
        self.register_buffer("value", value.clone())
        self.register_buffer("out", out.clone())
        self.register_buffer("out_bias", part.out.bias.detach() + out @ passed)

    def split(self, x: Tensor, count: int) -> Tensor:
        """(S L, m d) -> (S, m heads, L, d / heads)."""
        rows, dim = x.shape
        size = self.query.shape[0] // self.heads
        return x.view(count, rows // count, dim // size, size).transpose(1, 2)

    def join(self, x: Tensor) -> Tensor:
        """(S, heads, L, d / heads) -> (S L, d), and the last linear map."""
        count, heads, length, size = x.shape
        rows = x.transpose(1, 2).reshape(count * length, heads * size)
        return functional.linear(rows, self.out, self.out_bias)


class Within(Folded):
    """Self-attention of each of several sequences."""

    together: Tensor
    together_bias: Tensor

    def __init__(self, part: Attention) -> None:
        super().__init__(part)
        none = torch.zeros_like(self.query_bias)
        self.register_buffer("together", torch.cat([self.query, self.key, self.value]))
        self.register_buffer("together_bias", torch.cat([self.query_bias, none, none]))

    def forward(self, x: Tensor, bias: Tensor, count: int = 1) -> Tensor:
        """``x`` (S L, d) with S = ``count``; ``bias`` is added to logits (S, heads, L, L)."""
        found = functional.linear(x, self.together, self.together_bias)
        query, key, value = self.split(found, count).chunk(3, dim=1)
        logits = query @ key.transpose(-1, -2) + bias
        return self.join(logits.softmax(dim=-1) @ value)


class OfFew(Folded):
    """Attention of a few rows of each sequence to all of it: they go through the others' maps."""

    def forward(self, x: Tensor, memory: Tensor, bias: Tensor, count: int = 1) -> Tensor:
        """``x`` (S L, d), ``memory`` (S M, d), ``bias`` (L or 1, M)."""
        heads, dim = self.heads, x.shape[1]
        few, many = x.shape[0] // count, memory.shape[0] // count
        by_head = (heads, dim // heads, dim)
        memory = memory.view(count, many, dim)
        query = self.split(functional.linear(x, self.query, self.query_bias), count)
        asked = (query @ self.key.view(by_head)).view(count, heads * few, dim)
        logits = (asked @ memory.transpose(1, 2)).view(count, heads, few, many) + bias
        shares = logits.softmax(dim=-1).view(count, heads * few, many)
        found = (shares @ memory).view(count, heads, few, dim)
        return self.join(found @ self.value.view(by_head).transpose(1, 2))


class ToFew(Folded):
    """Attention of many rows to few: these go through the maps of the many."""

    def forward(self, x: Tensor, memory: Tensor, bias: Tensor) -> Tensor:
        """``x`` (L, d), ``memory`` (N, d), ``bias`` (1, N)."""
        length, heads, dim = memory.shape[0], self.heads, x.shape[1]
        by_head = (length, heads, dim // heads)
        key = functional.linear(memory, self.key).view(by_head).transpose(0, 1)  # (h, N, dh)
        value = functional.linear(memory, self.value).view(by_head).transpose(0, 1)
        size = dim // heads
        asked = (key @ self.query.view(heads, size, dim)).view(heads * length, dim)
        shift = key @ self.query_bias.view(heads, size, 1)  # (h, N, 1)
        told = (value @ self.out.t().reshape(heads, size, dim)).view(heads * length, dim)
        logits = (x @ asked.t()).view(x.shape[0], heads, length) + (shift.squeeze(-1) + bias)
        shares = logits.softmax(dim=-1).view(x.shape[0], heads * length)
        return shares @ told + self.out_bias


class Weighted(Folded):
    """Attention to the clips, each proposal with its own weights of them."""

    together: Tensor

    def __init__(self, part: Attention) -> None:
        super().__init__(part)
        self.register_buffer("together", torch.cat([self.key, self.value]))

    def forward(self, x: Tensor, memory: Tensor, there: Tensor, copies: int) -> Tensor:
        """(P, R, d) for ``x`` (G R, d): the rows of all proposals (G = 1) or of each (G = P).

        ``there`` (P, C) is added to the logits. G is ``copies``.
        """
        count, clips = there.shape
        each, dim = x.shape[0] // copies, x.shape[1]
        query = self.split(functional.linear(x, self.query, self.query_bias), 1)
        key, value = self.split(functional.linear(memory, self.together), 1).chunk(2, dim=1)
        logits = (query @ key.transpose(-1, -2)).view(self.heads, copies, each, clips)
        shares = (logits + there.unsqueeze(1)).softmax(dim=-1)
        found = self.join(shares.view(1, self.heads, count * each, clips) @ value)
        return found.view(count, each, dim)


class Layer(nn.Module):
    """A ``Block`` whose attentions are folded: of the classes ``own`` and ``cross`` (if any)."""

    def __init__(
        self, block: Any, cross: type[Folded] | None = None, own: type[Folded] = Within
    ) -> None:
        super().__init__()
        self.own, self.own_norm = own(block.own), block.own_norm
        self.cross: Any = None
        if cross is not None:
            self.cross, self.cross_norm = cross(block.cross), block.cross_norm
        self.ffn_norm, self.wide, self.narrow = block.ffn[0], block.ffn[1], block.ffn[4]

    def look(self, x: Tensor, bias: Tensor, count: int = 1) -> Tensor:
        """Self-attention of ``count`` sequences."""
        return x + self.own(self.own_norm(x), bias, count)

    def gaze(self, x: Tensor, memory: Tensor, bias: Tensor, count: int = 1) -> Tensor:
        """That of some of their rows alone."""
        return x + self.own(self.own_norm(x), self.own_norm(memory), bias, count)

    def feed(self, x: Tensor) -> Tensor:
        """The feed-forward part."""
        return x + self.narrow(gelu(self.wide(self.ffn_norm(x))))


def gelu(x: Tensor) -> Tensor:
    """As runtimes know it: they put one step in the place of these."""
    return x * (torch.erf(x / math.sqrt(2)) + 1) * 0.5

"""TPG, spatial: which tubelet the referral's words attend to (CoSPaL, eq. 1 and 2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from cospal_cli.model.layers import Block, Noise, bias_of, masked_mean, mlp, position_codes
from cospal_cli.model.metadata import Sizes
from cospal_cli.settings import ModelConfig

HIDDEN = -1e4  # logit of what is not there


class SpatialGrounding(nn.Module):
    """Tubelets and words in one space; attention of each word over the tubelets of a video."""

    def __init__(self, sizes: Sizes, config: ModelConfig) -> None:
        super().__init__()
        dim = config.dim
        self.word_score = config.word_score
        self.scale = 1 / math.sqrt(dim)
        self.noise = Noise(config.input_noise)
        self.size = sizes.tubelets - sizes.pooled
        self.input = nn.Linear(self.size, dim)
        self.layers = nn.ModuleList(
            Block(dim, config.heads, config.ffn, config.dropout, cross=False)
            for _ in range(config.spatial_layers)
        )
        self.norm = nn.LayerNorm(dim)
        self.word_query, self.word_value = mlp(sizes.words, dim), mlp(sizes.words, dim)
        self.tube_key, self.tube_value = mlp(dim, dim), mlp(dim, dim)

    def encode(self, tubelets: Tensor, mask: Tensor) -> Tensor:
        """f~ (B, K, d): a tubelet's frames (B, K, T, F) attend to each other; then their mean."""
        times = mask.flatten(0, 1)  # (BK, T)
        x = self.input(self.noise(tubelets[..., : self.size])).flatten(0, 1)
        x = x + position_codes(x.shape[1], x.shape[2], x)
        bias = bias_of(times)
        for layer in self.layers:
            x = layer(x, bias)
        return masked_mean(self.norm(x), times).unflatten(0, mask.shape[:2])

    def similarity(self, words: Tensor, encoded: Tensor, mask: Tensor) -> Tensor:
        """SIM (B, N, K) of ``words`` (B, N, Dt) with their own video's tubelets (B, K, d).

        Tubelets that ``mask`` (B, K) has False get ``HIDDEN``.
        """
        logits = self.word_query(words) @ self.tube_key(encoded).transpose(1, 2) * self.scale
        return logits.masked_fill(~mask.unsqueeze(1), HIDDEN)

    def word_tubelet_scores(self, words: Tensor, encoded: Tensor, mask: Tensor) -> Tensor:
        """A_T (B, N, S): how well each of S sets of tubelets accounts for each word.

        ``encoded`` (S, K, d) and ``mask`` (S, K) are the sets of the whole batch, so every word
        meets every video (eq. 2); eq. 1's softmax runs over the tubelets of one set.
        """
        words = self.noise(words)
        logits = torch.einsum("bnd,skd->bnsk", self.word_query(words), self.tube_key(encoded))
        logits = (logits * self.scale).masked_fill(~mask, HIDDEN)
        values = torch.einsum("bnd,skd->bnsk", self.word_value(words), self.tube_value(encoded))
        return (logits.softmax(dim=-1) * values).sum(dim=-1)

    def forward(
        self, tubelets: Tensor, tubelet_mask: Tensor, words: Tensor, referral_mask: Tensor
    ) -> Tensor:
        """Tubelet scores (B, K), a softmax over the video's tubelets of the referral's logits."""
        there = tubelet_mask.any(dim=-1)
        logits = self.similarity(words, self.encode(tubelets, tubelet_mask), there)
        if self.word_score == "mean":
            total = masked_mean(logits, referral_mask)
        else:
            total = logits.masked_fill(~referral_mask.unsqueeze(-1), HIDDEN).amax(dim=1)
        return total.softmax(dim=-1)

"""The reconstruction of whole sub-phrases: all words of one are hidden together (docs/method.md).

Contextual vectors tell a hidden word from those around it, and so does a neighbour within the same
act ("waves [his] hand"). Here a sub-phrase is told from the video alone: one hidden token stands in
the place of all of its words, so that not even their number shows, and each of them must be likely.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cospal_cli.model.temporal import TemporalGrounding


class ActGrounding(TemporalGrounding):
    """See ``TemporalGrounding``; the words that it gets are those of one sub-phrase."""

    def reconstruct(
        self,
        embedded: Tensor,
        mask: Tensor,
        weights: Tensor,
        words: Tensor,
        word_mask: Tensor,
        masked: Tensor,
        rows: Tensor | None = None,
    ) -> Tensor:
        """Logits (B, S, N, V), for every word the same: nothing of ``words`` but their number N is
        read, and ``word_mask``, ``masked`` and ``rows`` are not."""
        blank = words.new_zeros(words.shape[0], 1, words.shape[2])
        alone = torch.ones_like(blank[..., 0], dtype=torch.bool)
        logits = super().reconstruct(embedded, mask, weights, blank, alone, alone.unsqueeze(1))
        return logits.expand(-1, -1, words.shape[1], -1)


def first_act(word_mask: Tensor, phrase_ids: Tensor) -> Tensor:
    """Which words (B, N) are the first sub-phrase's; all of ``word_mask`` where there is none."""
    act = word_mask & (phrase_ids == 1)
    return torch.where(act.any(dim=-1, keepdim=True), act, word_mask)


def content_ids(word_ids: Tensor, content_mask: Tensor, words: Tensor) -> Tensor:
    """``word_ids`` (B, N) with 0 for all but the content words within ``words`` (B, N), so that
    they alone are reconstructed; without any, all of ``words`` are."""
    content = words & content_mask
    counted = torch.where(content.any(dim=-1, keepdim=True), content, words)
    return word_ids * counted

"""CoSPaL's heads together: from the contract's fields to scores."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from cospal_cli.model.metadata import Sizes
from cospal_cli.model.spatial import SpatialGrounding
from cospal_cli.model.temporal import TemporalGrounding
from cospal_cli.settings import ModelConfig


class Scores(NamedTuple):
    """``GroundingScores`` with a batch axis."""

    tubelet_scores: Tensor  # (B, K)
    proposals: Tensor  # (B, P, 2)
    proposal_scores: Tensor  # (B, P)


class CoSPaL(nn.Module):
    """The spatial and the temporal head; see ``types.GroundingInputs`` for the inputs."""

    def __init__(self, sizes: Sizes, config: ModelConfig) -> None:
        super().__init__()
        self.sizes, self.config = sizes, config
        self.spatial = SpatialGrounding(sizes, config)
        self.temporal = TemporalGrounding(sizes, config)

    def forward(
        self,
        tubelets: Tensor,
        tubelet_mask: Tensor,
        clips: Tensor,
        clip_mask: Tensor,
        words: Tensor,
        word_mask: Tensor,
        referral_mask: Tensor,
        content_mask: Tensor,
        word_ids: Tensor,
        phrase_ids: Tensor | None = None,
    ) -> Scores:
        """Scores for a batch. Takes exactly the contract's fields; deterministic in eval mode.

        ``content_mask`` matters to training alone, where it draws the words to hide.
        """
        chosen = self.spatial(tubelets, tubelet_mask, words, referral_mask)
        subject = self.subject(tubelets, tubelet_mask, chosen, clip_mask)
        proposals, scores = self.temporal(clips, clip_mask, words, word_mask, word_ids, subject)
        return Scores(chosen, proposals, scores)

    def subject(
        self, tubelets: Tensor, tubelet_mask: Tensor, chosen: Tensor, clip_mask: Tensor
    ) -> Tensor | None:
        """Features (B, C, F) of the likeliest tubelet, by ``chosen`` (B, K), at each clip.

        None where the temporal input does not hold it. Zero where it is absent. No gradient flows
        into ``chosen``.
        """
        if self.config.temporal_input == "clips":
            return None
        rows = torch.arange(chosen.shape[0], device=chosen.device)
        best = chosen.argmax(dim=1)
        subject = tubelets[rows, best] * tubelet_mask[rows, best].unsqueeze(-1)  # (B, T, F)
        steps = torch.arange(clip_mask.shape[1], device=clip_mask.device) + 0.5
        times = steps / clip_mask.sum(dim=1, keepdim=True) * subject.shape[1]
        index = times.long().clamp(max=subject.shape[1] - 1)  # (B, C)
        return subject.gather(1, index.unsqueeze(-1).expand(-1, -1, subject.shape[2]))

"""CoSPaL's heads together: from the contract's fields to scores."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from cospal_cli.model.acts import ActGrounding, content_ids, first_act
from cospal_cli.model.metadata import Sizes
from cospal_cli.model.motion import normalised
from cospal_cli.model.spatial import SpatialGrounding
from cospal_cli.model.temporal import TemporalGrounding
from cospal_cli.settings import ModelConfig


class Scores(NamedTuple):
    """``GroundingScores`` with a batch axis."""

    tubelet_scores: Tensor  # (B, K)
    proposals: Tensor  # (B, P, 2)
    proposal_scores: Tensor  # (B, P)


class CoSPaL(nn.Module):
    """The spatial and the temporal head; see ``core.grounding.GroundingInputs`` for the inputs.

    ``hidden``: what the temporal head reconstructs, see ``TemporalConfig.hidden``.
    """

    def __init__(self, sizes: Sizes, config: ModelConfig, hidden: str = "words") -> None:
        super().__init__()
        self.sizes, self.config, self.acts = sizes, config, hidden == "phrases"
        self.spatial = SpatialGrounding(sizes, config)
        self.temporal = (ActGrounding if self.acts else TemporalGrounding)(sizes, config)

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
        phrase_ids: Tensor,
    ) -> Scores:
        """Scores for a batch. Takes exactly the contract's fields; deterministic in eval mode.

        Heads of sub-phrases take the first one of a row. ``content_mask`` matters to them and, in
        training, to the choice of the words to hide.
        """
        chosen = self.spatial(tubelets, tubelet_mask, words, referral_mask)
        subject, times = self.subject(tubelets, tubelet_mask, chosen, clip_mask)
        if self.acts:
            word_mask = first_act(word_mask, phrase_ids)
            word_ids = content_ids(word_ids, content_mask, word_mask)
        proposals, scores = self.temporal(clips, times, words, word_mask, word_ids, subject)
        return Scores(chosen, proposals, scores)

    def subject(
        self, tubelets: Tensor, tubelet_mask: Tensor, chosen: Tensor, clip_mask: Tensor
    ) -> tuple[Tensor | None, Tensor]:
        """What the temporal head sees of the likeliest tubelet, by ``chosen`` (B, K), and the mask
        (B, C) of its times.

        Its features (B, C, F) at each clip; its motion (B, T, M) at the tubelets' own times; or
        None where the temporal input does not hold it. Zero where it is absent. No gradient flows
        into ``chosen``.
        """
        if self.config.temporal_input == "clips":
            return None, clip_mask
        rows = torch.arange(chosen.shape[0], device=chosen.device)
        best = chosen.argmax(dim=1)
        subject, there = tubelets[rows, best], tubelet_mask[rows, best]
        if self.config.temporal_input == "motion":
            motion = normalised(subject, there, self.temporal.mean, self.temporal.sd)
            return motion, torch.ones_like(there)
        subject = subject * there.unsqueeze(-1)  # (B, T, F)
        steps = torch.arange(clip_mask.shape[1], device=clip_mask.device) + 0.5
        times = steps / clip_mask.sum(dim=1, keepdim=True) * subject.shape[1]
        index = times.long().clamp(max=subject.shape[1] - 1)  # (B, C)
        found = subject.gather(1, index.unsqueeze(-1).expand(-1, -1, subject.shape[2]))
        return found, clip_mask

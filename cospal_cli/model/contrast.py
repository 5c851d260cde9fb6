"""Who and when by contrast: a sentence against the tubelets of many videos (docs/method.md).

A tubelet's appearance says *who*, its motion *when*. Each is seen by one side alone, since colours
identify a video and would answer in the motion's place. Every sub-phrase of the sentence (CRG)
asks for a moment of its own: its curve over the times of a tubelet.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from cospal_cli.core.contract import ABSENT
from cospal_cli.model.layers import Noise, masked_mean
from cospal_cli.model.metadata import Sizes
from cospal_cli.model.motion import MotionEncoder, normalised
from cospal_cli.settings import ModelConfig

HIDDEN = -1e4  # logit of what is not there
BANK = 2048  # bins of training videos, against which a curve is measured


class ContrastScores(NamedTuple):
    """``GroundingScores`` with a batch axis, as far as this objective gives them."""

    tubelet_scores: Tensor  # (B, K)
    curves: Tensor  # (B, K, T, J)


class SubjectGrounding(nn.Module):
    """Who: a tubelet's mean appearance against all referral words at once."""

    def __init__(self, sizes: Sizes, config: ModelConfig) -> None:
        super().__init__()
        self.size = sizes.appearance
        self.noise, self.drop = Noise(config.input_noise), nn.Dropout(config.dropout)
        self.input, self.norm = nn.Linear(sizes.appearance, config.dim), nn.LayerNorm(config.dim)
        self.tubelet_key = _mlp(config.dim, config)
        self.word_query = _mlp(sizes.words, config)

    def keys(self, tubelets: Tensor, mask: Tensor) -> Tensor:
        """(..., d) of ``tubelets`` (..., T, F), there at the times of ``mask`` (..., T)."""
        seen = masked_mean(tubelets[..., : self.size], mask)
        found: Tensor = self.tubelet_key(self.drop(self.norm(self.input(self.noise(seen)))))
        return found

    def queries(self, words: Tensor, referral_mask: Tensor) -> Tensor:
        """(B, d): the sum over the referral's ``words`` (B, N, Dt). One tubelet must answer all."""
        queries = self.word_query(self.noise(words))
        return (queries * referral_mask.unsqueeze(-1)).sum(dim=1)


class MomentGrounding(nn.Module):
    """When: a tubelet's motion in each bin against each sub-phrase.

    ``mean`` and ``sd`` are those of the training videos' motion; ``bank`` holds h of ``BANK`` of
    their bins. Training sets them, and they lie in the checkpoint.
    """

    mean: Tensor
    sd: Tensor
    bank: Tensor

    def __init__(self, sizes: Sizes, config: ModelConfig) -> None:
        super().__init__()
        self.count = sizes.phrases
        self.noise = Noise(config.input_noise)
        self.encoder = MotionEncoder(sizes.motion, config, sizes.pooled)
        both = config.temporal_input == "both"
        self.clip_input = nn.Linear(sizes.clips, config.dim, bias=False) if both else None
        self.phrase_query = _mlp(sizes.words, config)
        self.register_buffer("mean", torch.zeros(sizes.motion))
        self.register_buffer("sd", torch.ones(sizes.motion))
        self.register_buffer("bank", torch.zeros(BANK, config.dim))

    def around(self, clips: Tensor, mask: Tensor, times: int) -> Tensor | None:
        """What the clips (B, C, Dv) add at each of T times (B, T, d); None where motion is all.

        Each clip less its video's mean: what stays the same identifies the video, not the time.
        """
        if self.clip_input is None:
            return None
        scaled = functional.layer_norm(clips, clips.shape[-1:])
        changes = scaled - masked_mean(scaled, mask).unsqueeze(1)
        found: Tensor = self.clip_input(self.noise(near(changes, mask, times)))
        return found

    def encode(self, tubelets: Tensor, mask: Tensor, around: Tensor | None = None) -> Tensor:
        """h (..., T, d) of ``tubelets`` (..., T, F): no motion where ``mask`` (..., T) is False.

        ``around`` (..., T, d): see there.
        """
        motion = normalised(tubelets, mask, self.mean, self.sd)
        motion = self.noise(motion) * mask.unsqueeze(-1)
        clips = None if around is None else around.flatten(0, -3)
        found: Tensor = self.encoder(motion.flatten(0, -3), clips).unflatten(0, motion.shape[:-2])
        return found

    def queries(self, words: Tensor, phrase_ids: Tensor) -> tuple[Tensor, Tensor]:
        """p (B, J, d), the mean of each sub-phrase's ``words`` (B, N, Dt) as a query, and which
        sub-phrases exist (B, J)."""
        member = members(phrase_ids, self.count)
        count = member.sum(dim=-1, keepdim=True)
        mean = (member.to(words.dtype) @ words) / count.clamp(min=1)
        return self.phrase_query(mean), count.squeeze(-1) > 0


class ContrastHeads(nn.Module):
    """Both; see ``core.grounding.GroundingInputs`` for the inputs."""

    def __init__(self, sizes: Sizes, config: ModelConfig) -> None:
        super().__init__()
        self.sizes, self.config = sizes, config
        self.scale = 1 / math.sqrt(config.dim)
        self.spatial = SubjectGrounding(sizes, config)
        self.temporal = MomentGrounding(sizes, config)

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
    ) -> ContrastScores:
        """Takes exactly the contract's fields; deterministic in eval mode.

        A tubelet's score is the softmax over the video's of A + sum_j V_j. A curve is s less its
        log mean over the bank: above 0 where the sub-phrase is likelier than usual.
        """
        referral = self.spatial.queries(words, referral_mask).unsqueeze(-1)
        who = (self.spatial.keys(tubelets, tubelet_mask) @ referral).squeeze(-1) * self.scale
        queries, exist = self.temporal.queries(words, phrase_ids)
        queries = queries * self.scale
        around = self.temporal.around(clips, clip_mask, tubelets.shape[2])
        if around is not None:
            around = around.unsqueeze(1).expand(-1, tubelets.shape[1], -1, -1)
        encoded = self.temporal.encode(tubelets, tubelet_mask, around)
        s = encoded.flatten(1, 2) @ queries.transpose(1, 2)
        s = s.unflatten(1, encoded.shape[1:3])  # (B, K, T, J)
        usual = log_mean_exp(queries @ self.temporal.bank.T)  # (B, J)
        exist = exist.unsqueeze(1)  # (B, 1, J)
        there = tubelet_mask.unsqueeze(-1) & exist.unsqueeze(1)
        absent = torch.full_like(s, ABSENT)
        curves = torch.where(there, s - usual.unsqueeze(1).unsqueeze(1), absent)
        when = log_mean_exp(s.transpose(2, 3), tubelet_mask.unsqueeze(2))  # (B, K, J)
        total = who + (when * exist).sum(dim=-1)
        total = total.masked_fill(~tubelet_mask.any(dim=-1), HIDDEN)
        return ContrastScores(total.softmax(dim=-1), curves)


def near(clips: Tensor, mask: Tensor, times: int) -> Tensor:
    """(B, T, Dv): the clips (B, C, Dv) around each of ``times`` even parts of the video.

    A clip's weight falls to 0 at the middle of the second part from it, or of the next clip where
    clips are longer.
    """
    count = mask.sum(dim=1, keepdim=True).clamp(min=1).to(clips.dtype)  # (B, 1)
    clip_at = (torch.arange(mask.shape[1], device=mask.device) + 0.5) / count
    time_at = (torch.arange(times, device=mask.device) + 0.5) / times
    reach = (1 / count).clamp(min=1 / times).unsqueeze(1)  # (B, 1, 1)
    weights = 1 - (time_at.view(1, -1, 1) - clip_at.unsqueeze(1)).abs() / reach  # (B, T, C)
    weights = weights.clamp(min=0) * mask.unsqueeze(1)
    return (weights / weights.sum(dim=-1, keepdim=True).clamp(min=1e-6)) @ clips


def members(phrase_ids: Tensor, count: int) -> Tensor:
    """(B, J, N): which words belong to each of ``count`` sub-phrases."""
    numbers = torch.arange(1, count + 1, device=phrase_ids.device)
    return phrase_ids.unsqueeze(1) == numbers.view(1, -1, 1)


def log_mean_exp(logits: Tensor, mask: Tensor | None = None) -> Tensor:
    """log mean exp over the last axis, of what ``mask`` has True: over the times of a tubelet (V),
    or over the tubelets of a video."""
    if mask is None:
        return logits.logsumexp(dim=-1) - math.log(logits.shape[-1])
    counts = mask.sum(dim=-1).clamp(min=1).to(logits.dtype)
    return logits.masked_fill(~mask, HIDDEN).logsumexp(dim=-1) - counts.log()


def _mlp(size: int, config: ModelConfig) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(size, config.dim), nn.GELU(), nn.Dropout(config.dropout),
        nn.Linear(config.dim, config.dim),
    )  # fmt: skip

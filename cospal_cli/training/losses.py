"""The losses as pure functions of tensors (CoSPaL eq. 2; CNM and CPL for the temporal head)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from cospal_cli.model.temporal import Moments

NEGATIVE_DIVISOR = 4.5  # sigma of a negative: its width over this


def info_nce(logits: Tensor, words: Tensor, own: Tensor, allowed: Tensor) -> Tensor:
    """Eq. 2: each word's A_T must be highest for its own video's set of tubelets. A scalar.

    ``logits`` (B, N, S): A_T of every word with every set; ``words`` (B, N): which ones count;
    ``own`` (B,): the set of the sample itself; ``allowed`` (B, S): sets to compare with, the own
    one among them (others of the same video are no negatives). Every sample counts the same.
    """
    logs = logits.masked_fill(~allowed.unsqueeze(1), -torch.inf).log_softmax(dim=-1)
    index = own.view(-1, 1, 1).expand(-1, logits.shape[1], 1)
    losses = -logs.gather(-1, index).squeeze(-1)
    weights = words.to(losses.dtype)
    return ((losses * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)).mean()


def reconstruction(logits: Tensor, ids: Tensor, smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy (B, S) of the words, reconstructed S times. Words with id 0 do not count.

    ``logits`` (B, S, N, V), ``ids`` (B, N). With label smoothing every word of the vocabulary gets
    an equal share of ``smoothing``.
    """
    wanted = ids.unsqueeze(1).expand(logits.shape[:3])
    losses = functional.cross_entropy(
        logits.float().flatten(0, 2),
        wanted.flatten(),
        ignore_index=0,
        reduction="none",
        label_smoothing=smoothing,
    )
    return losses.view_as(wanted).sum(dim=-1) / (wanted > 0).sum(dim=-1).clamp(min=1)


def negatives_of(
    moments: Moments, progress: Tensor, negative_growth: float
) -> tuple[Moments, Moments]:
    """The negatives to the left and to the right of ``moments``, growing with ``progress`` 0..1.

    Left: centre = width = e / 2 · max(c - w / 2, 0), e = progress ^ gamma (``negative_growth``);
    right: its mirror image about the end of the video.
    """
    growth = 0.5 * progress.clamp(0, 1) ** negative_growth
    before = growth * (moments.centre - moments.width / 2).clamp(min=0)
    after = growth * (1 - moments.centre - moments.width / 2).clamp(min=0)
    return Moments(before, before), Moments(1 - after, after)


def contrast(nll: Tensor, whole: float, side: float, push_negatives: bool = True) -> Tensor:
    """The best moment must reconstruct the sentence better than the whole video and the negatives.

    ``nll`` (B, 4): of the moment, the whole video, left, right; ``whole``, ``side``: the margins.
    Without ``push_negatives`` only the moment gets a gradient: the heads are not taught to
    reconstruct worse from elsewhere.
    """
    margins = nll.new_tensor([whole, side, side])
    others = nll[:, 1:] if push_negatives else nll[:, 1:].detach()
    return functional.relu(nll[:, :1] - others + margins).sum(dim=1).mean()


def diversity(weights: Tensor, mask: Tensor, overlap: float) -> Tensor:
    """|| overlap · I - G Gᵀ ||² of each video's moments, G's rows divided by their sums; a scalar.

    ``weights`` (B, P, C): logs; ``mask`` (B, C).
    """
    rows = weights.exp() * mask.unsqueeze(1)
    rows = rows / rows.sum(dim=-1, keepdim=True)
    wanted = overlap * torch.eye(rows.shape[1], device=rows.device, dtype=rows.dtype)
    return (wanted - rows @ rows.transpose(1, 2)).square().sum(dim=(1, 2)).mean()

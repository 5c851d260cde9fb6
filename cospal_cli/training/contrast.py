"""The contrast: from a batch to its losses, and what heads keep of the training videos.

Sentence against (tubelet, time), the videos of the batch being the classes: no truth is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from cospal_cli.model.contrast import BANK, ContrastHeads, MomentGrounding, log_mean_exp, members
from cospal_cli.model.heads import TrainedHeads
from cospal_cli.settings import Config
from cospal_cli.training import contrast_losses as losses
from cospal_cli.training.gather import gathered

if TYPE_CHECKING:
    from cospal_cli.prepared.folder import Prepared, Sample

MOST_VIDEOS = 1000  # that the normalisation reads
BANK_VIDEOS = 60
LEAST_SD = 1e-3


class PhraseScores(NamedTuple):
    """R tubelets of all videos over time, and Q sub-phrases of all sentences."""

    s: Tensor  # (Q, R, T)
    times: Tensor  # (R, T) when each tubelet is there
    own: Tensor  # (Q,) the sentence of each sub-phrase
    verbs: Tensor  # (Q,) the id of its first word


class ContrastObjective(nn.Module):
    """The heads with their losses: L_who, and after ``temporal.start`` L_joint and L_phrase.

    Every process computes the loss of the whole batch, of which its own rows carry its gradients.
    """

    def __init__(self, model: ContrastHeads, config: Config) -> None:
        super().__init__()
        self.model, self.config, self.start = model, config.loss, config.temporal.start

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Scalars: "loss", which is to be minimised, and its parts.

        ``batch``: the collated contract, "video" (B,) numbers that are equal for samples of one
        video, "progress" the share of the training that is done.
        """
        who, there = self.who(batch)
        videos = gathered(batch["video"])
        same_video = videos.unsqueeze(1) == videos
        parts = {"who": losses.both_ways(log_mean_exp(who, there), same_video)}
        if float(batch["progress"]) >= self.start:
            parts |= self._when(batch, who, there, same_video)
        else:  # every weight has a gradient, or processes would wait for it
            idle = 0 * sum(one.sum() for one in self.model.temporal.parameters())
            parts |= {"joint": who.new_zeros(()) + idle, "phrase": who.new_zeros(())}
        total = (
            self.config.spatial * parts["who"]
            + self.config.joint * parts["joint"]
            + self.config.phrase * parts["phrase"]
        )
        return {"loss": total} | parts

    def who(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """A (S, S, K) of every sentence with every video's tubelets, and which there are (S, K)."""
        spatial, present = self.model.spatial, batch["tubelet_mask"].any(dim=-1)
        rows = batch["tubelets"][present], batch["tubelet_mask"][present]  # no others cost anything
        there = gathered(present)
        keys = gathered(_spread(spatial.keys(*rows), present))  # (S, K, d)
        referrals = gathered(spatial.queries(batch["words"], batch["referral_mask"]))  # (S, d)
        return torch.einsum("sd,vkd->svk", referrals, keys) * self.model.scale, there

    def moments(self, batch: Mapping[str, Tensor], there: Tensor) -> PhraseScores:
        """s of every sub-phrase with every tubelet that is ``there`` (S, K), over time."""
        temporal, present = self.model.temporal, batch["tubelet_mask"].any(dim=-1)
        rows = batch["tubelets"][present], batch["tubelet_mask"][present]
        around = temporal.around(batch["clips"], batch["clip_mask"], rows[0].shape[1])
        if around is not None:  # those of its video beside each tubelet that is there
            around = around[present.nonzero()[:, 0]]
        encoded = gathered(_spread(temporal.encode(*rows, around), present))  # (S, K, T, d)
        times = gathered(batch["tubelet_mask"])[there]
        queries, exist = temporal.queries(batch["words"], batch["phrase_ids"])
        queries, exist = gathered(queries), gathered(exist)  # (S, J, d), (S, J)
        verbs = gathered(first_words(batch["word_ids"], batch["phrase_ids"], exist.shape[1]))
        s = torch.einsum("qd,rtd->qrt", queries[exist], encoded[there]) * self.model.scale
        return PhraseScores(s, times, exist.nonzero()[:, 0], verbs[exist])

    def _when(
        self, batch: Mapping[str, Tensor], who: Tensor, there: Tensor, same_video: Tensor
    ) -> dict[str, Tensor]:
        s, times, own, verbs = self.moments(batch, there)
        when = s.new_zeros(len(own), *there.shape)
        when[:, there] = log_mean_exp(s, times)  # V
        joint = losses.joint_scores(who, when, own)
        phrase = joint.sum() * 0
        if len(own):
            chances = losses.subject_chances(joint, there)
            phrase = losses.phrase_loss(when, chances, own, verbs, same_video)
        return {
            "joint": losses.both_ways(log_mean_exp(joint, there), same_video),
            "phrase": phrase,
        }


def first_words(word_ids: Tensor, phrase_ids: Tensor, count: int) -> Tensor:
    """(B, J): the id of each sub-phrase's first word, its verb; 0 where there is none."""
    member = members(phrase_ids, count)
    first = member.float().argmax(dim=-1)
    return word_ids.gather(1, first) * member.any(dim=-1)


class MotionStatistics:
    """The motion of training videos: its mean and deviation, and bins for the bank."""

    def __init__(self, prepared: Prepared, samples: Sequence[Sample], size: int, seed: int) -> None:
        """Reads at most ``MOST_VIDEOS`` videos, chosen by ``seed``; ``size``: motion numbers."""
        rng = np.random.default_rng((seed, 1))
        videos = list({one.video: one for one in samples}.values())
        order = rng.permutation(len(videos))[:MOST_VIDEOS]
        total, squares, count = np.zeros(size), np.zeros(size), 0
        tubelets, masks, clips = [], [], []
        for number, at in enumerate(order):
            found = prepared.features(videos[at])
            rows = found.tubelets[found.tubelet_mask][:, -size:].astype(np.float64)
            total += rows.sum(axis=0)
            squares += (rows**2).sum(axis=0)
            count += len(rows)
            if number < BANK_VIDEOS:
                tubelets.append(found.tubelets)
                masks.append(found.tubelet_mask)
                clips.append((torch.from_numpy(found.clips), len(found.tubelets)))
        self.mean = total / max(count, 1)
        variance = squares / max(count, 1) - self.mean**2
        self.sd = np.sqrt(np.maximum(variance, LEAST_SD**2))
        self._tubelets = torch.from_numpy(np.concatenate(tubelets))
        self._mask = torch.from_numpy(np.concatenate(masks))
        self._clips = clips
        bins = int(self._mask.sum())
        self._bins = torch.from_numpy(
            rng.choice(bins, BANK, replace=bins < BANK) if bins else np.zeros(0, np.int64)
        )

    def normalise(self, model: TrainedHeads) -> None:
        """Set the mean and the deviation by which the heads normalise motion."""
        temporal = model.temporal
        temporal.mean.copy_(torch.from_numpy(self.mean))
        temporal.sd.copy_(torch.from_numpy(self.sd))

    def fill_bank(self, model: ContrastHeads) -> None:
        """Set the bank to what the heads now make of its bins."""
        temporal, training = model.temporal, model.training
        model.eval()
        with torch.no_grad():
            device = temporal.bank.device
            mask = self._mask.to(device)
            around = self._around(temporal, mask.shape[1])
            encoded = temporal.encode(self._tubelets.to(device), mask, around)[mask]
            if len(self._bins):
                temporal.bank.copy_(encoded[self._bins.to(device)])
        model.train(training)

    def _around(self, temporal: MomentGrounding, times: int) -> Tensor | None:
        """What the clips of each tubelet's video add, (R, T, d)."""
        found = []
        for clips, tubelets in self._clips:
            clips = clips.to(temporal.bank.device).unsqueeze(0)
            one = temporal.around(clips, torch.ones_like(clips[..., 0], dtype=torch.bool), times)
            if one is None:
                return None
            found.append(one.expand(tubelets, -1, -1))
        return torch.cat(found) if found else None


def _spread(rows: Tensor, present: Tensor) -> Tensor:
    """(B, K, ...) with ``rows`` (R, ...) where ``present`` (B, K) is True, zero elsewhere."""
    found = rows.new_zeros(*present.shape, *rows.shape[1:])
    found[present] = rows
    return found

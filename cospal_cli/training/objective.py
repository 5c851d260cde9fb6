"""From a batch to the loss: what is optimised, whatever does the optimising.

This is the module that distributed training wraps. Negatives come from all processes, and every
sample counts the same, so that two processes and one with the same global batch agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from cospal_cli.model.acts import content_ids, first_act
from cospal_cli.model.contrast import ContrastHeads, members
from cospal_cli.model.cospal import CoSPaL
from cospal_cli.model.heads import TrainedHeads
from cospal_cli.model.temporal import Moments
from cospal_cli.settings import Config, LossConfig
from cospal_cli.training import losses
from cospal_cli.training.contrast import ContrastObjective
from cospal_cli.training.gather import gathered, rank


def objective_of(model: TrainedHeads, config: Config) -> nn.Module:
    """What the heads are trained by: a module from a batch to its "loss" and the loss's parts."""
    if isinstance(model, ContrastHeads):
        return ContrastObjective(model, config)
    return ReconstructObjective(model, config.loss)


class ReconstructObjective(nn.Module):
    """The heads with their losses."""

    def __init__(self, model: CoSPaL, config: LossConfig) -> None:
        super().__init__()
        self.model, self.config = model, config

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Scalars: "loss", which is to be minimised, and its parts.

        ``batch``: the collated contract, "masked" (B, N) words to hide, "video" (B,) numbers that
        are equal for samples of one video, "progress" the share of the training that is done.
        """
        spatial = self._spatial(batch)
        temporal = self._temporal(batch)
        total = self.config.spatial * spatial + self.config.temporal * temporal["temporal"]
        return {"loss": total, "spatial": spatial} | temporal

    def _spatial(self, batch: Mapping[str, Tensor]) -> Tensor:
        encoded = self._encoded(batch["tubelets"], batch["tubelet_mask"])
        sets, there = gathered(encoded), gathered(batch["tubelet_mask"].any(dim=-1))
        videos = gathered(batch["video"])
        own = torch.arange(len(encoded), device=encoded.device) + rank() * len(encoded)
        others = batch["video"].unsqueeze(1) != videos
        mine = own.unsqueeze(1) == torch.arange(len(videos), device=own.device)
        logits = self.model.spatial.word_tubelet_scores(batch["words"], sets, there)
        return losses.info_nce(logits.float(), batch["referral_mask"], own, others | mine)

    def _encoded(self, tubelets: Tensor, mask: Tensor) -> Tensor:
        """(B, K, d): only tubelets that are there cost anything; videos differ in their number."""
        there = mask.any(dim=-1)
        rows = self.model.spatial.encode(tubelets[there].unsqueeze(0), mask[there].unsqueeze(0))[0]
        return rows.new_zeros(*there.shape, rows.shape[-1]).masked_scatter(
            there.unsqueeze(-1), rows
        )

    def _temporal(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        config, head = self.config, self.model.temporal
        seen = self.seen(batch)
        mask, words, word_mask = seen["mask"], seen["words"], seen["word_mask"]
        moments = head.moments(seen["embedded"], mask, words, word_mask)
        every = head.weights(moments, mask)
        # Only the best is reconstructed again with a gradient.
        with torch.no_grad(), _without_dropout(head):
            best = self._nll(seen, every).argmin(dim=1, keepdim=True)
        chosen = Moments(*(value.gather(1, best) for value in moments))
        left, right = (
            head.weights(side, mask, losses.NEGATIVE_DIVISOR)
            for side in losses.negatives_of(chosen, batch["progress"], config.negative_growth)
        )
        own = every.gather(1, best.unsqueeze(-1).expand(-1, -1, every.shape[2]))
        four = torch.cat([own, torch.zeros_like(own), left, right], dim=1)
        nll = self._nll(seen, four)
        parts = {
            "nll": nll[:, 0].mean(),
            "nll_whole": nll[:, 1].mean(),
            "contrast": losses.contrast(
                nll, config.whole_margin, config.negative_margin, config.push_negatives
            ),
            "diversity": losses.diversity(every, mask, config.overlap),
            "width": chosen.width.mean().detach(),
        }
        reconstruction = (parts["nll"] + parts["nll_whole"]) / 2
        total = (
            reconstruction
            + config.contrast * parts["contrast"]
            + config.diversity * parts["diversity"]
        )
        return {"temporal": total} | parts

    def seen(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What the temporal head is given, a row for each query: a sentence, or a sub-phrase.

        Keys: "embedded" and "mask" of the times; "words", "word_mask", "word_ids", "masked".
        """
        subject, mask = self._subject(batch)
        seen = {"embedded": self.model.temporal.embed(batch["clips"], mask, subject), "mask": mask}
        names = ("words", "word_mask", "word_ids", "masked")
        seen |= {name: batch[name] for name in names}
        if not self.model.acts:
            return seen
        acts = members(batch["phrase_ids"], max(int(batch["phrase_ids"].max()), 1))  # (B, J, N)
        acts[:, 0] = first_act(batch["word_mask"], batch["phrase_ids"])
        own, which = acts.any(dim=-1).nonzero(as_tuple=True)
        seen = {name: rows[own] for name, rows in seen.items()} | {"word_mask": acts[own, which]}
        content = batch["content_mask"][own]
        return seen | {"word_ids": content_ids(seen["word_ids"], content, seen["word_mask"])}

    def _nll(self, seen: Mapping[str, Tensor], weights: Tensor) -> Tensor:
        """Mean loss (Q, S) of the words, reconstructed from each of S weightings of the times."""
        logits = self.model.temporal.reconstruct(
            seen["embedded"],
            seen["mask"],
            weights,
            seen["words"],
            seen["word_mask"],
            seen["masked"].unsqueeze(1),
        )
        return losses.reconstruction(logits, seen["word_ids"], self.config.smoothing)

    def _subject(self, batch: Mapping[str, Tensor]) -> tuple[Tensor | None, Tensor]:
        if self.model.config.temporal_input == "clips":
            return None, batch["clip_mask"]
        fields = (batch[name] for name in ("tubelets", "tubelet_mask", "words", "referral_mask"))
        with torch.no_grad(), _without_dropout(self.model.spatial):
            chosen = self.model.spatial(*fields)
        return self.model.subject(
            batch["tubelets"], batch["tubelet_mask"], chosen, batch["clip_mask"]
        )


@contextmanager
def _without_dropout(part: nn.Module) -> Iterator[None]:
    """Without dropout while open: a choice among alternatives should not be left to it."""
    training = part.training
    part.eval()
    try:
        yield
    finally:
        part.train(training)

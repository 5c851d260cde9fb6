"""The heads as two graphs for export: one video, one query, no batch axis. Needs torch.

The same numbers as the model's, with the work left out that only training needs: what is equal for
all proposals is computed once for them, and the last layers read only the rows that are used.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from cospal_cli.model.cospal import CoSPaL
from cospal_cli.model.layers import bias_of, masked_mean, places
from cospal_cli.model.spatial import HIDDEN
from cospal_cli.model.temporal import MASKS, Moments, turns

from .attention import Layer, OfFew, ToFew, Weighted, gelu

AXES = {
    "tubelets": ("K", "T"),
    "tubelet_mask": ("K", "T"),
    "tubelet_scores": ("K",),
    "clips": ("C",),
    "clip_mask": ("C",),
    "words": ("N",),
    "word_mask": ("N",),
    "referral_mask": ("N",),
    "word_ids": ("N",),
}  # of the inputs; the axes behind are of fixed length


class SpatialGraph(nn.Module):
    """``CoSPaL.spatial`` for one video."""

    inputs = ("tubelets", "tubelet_mask", "words", "referral_mask")
    outputs = ("tubelet_scores",)

    def __init__(self, model: CoSPaL) -> None:
        super().__init__()
        self.head = model.spatial
        self.layers = [Layer(block) for block in model.spatial.layers]

    def forward(
        self, tubelets: Tensor, tubelet_mask: Tensor, words: Tensor, referral_mask: Tensor
    ) -> Tensor:
        """(K,) See ``GroundingScores``."""
        head = self.head
        count, times, size = tubelets.shape
        x = head.input(tubelets.reshape(count * times, size))
        dim = x.shape[1]
        x = (x.view(count, times, dim) + places(times, dim, x)).view(count * times, dim)
        bias = bias_of(tubelet_mask).unsqueeze(1)
        for layer in self.layers:
            x = layer.feed(layer.look(x, bias, count))
        encoded = masked_mean(head.norm(x).view(count, times, dim), tubelet_mask)
        logits = head.word_query(words) @ head.tube_key(encoded).transpose(0, 1) * head.scale
        logits = logits.masked_fill(~tubelet_mask.any(dim=-1), HIDDEN)  # (N, K)
        if head.word_score == "mean":
            total = masked_mean(logits, referral_mask)
        else:
            total = logits.masked_fill(~referral_mask.unsqueeze(-1), HIDDEN).amax(dim=0)
        return total.softmax(dim=-1)


class TemporalGraph(nn.Module):
    """``CoSPaL.temporal`` for one video; what it is told of the subject comes as its score."""

    outputs = ("proposals", "proposal_scores")

    def __init__(self, model: CoSPaL) -> None:
        super().__init__()
        head = self.head = model.temporal
        self.subject = model.subject
        self.words = [Layer(block) for block in head.word_layers]
        self.video = [Layer(block, ToFew) for block in head.video_layers[:-1]]
        self.token = Layer(head.video_layers[-1], ToFew, OfFew)
        self.telling = [Layer(block, Weighted) for block in head.word_layers[:-1]]
        self.hidden = Layer(head.word_layers[-1], Weighted, OfFew)
        self.inputs: tuple[str, ...] = ("clip_mask", "words", "word_mask", "word_ids")
        if model.config.temporal_input != "subject":
            self.inputs = ("clips", *self.inputs)
        if model.config.temporal_input != "clips":
            self.inputs += ("tubelets", "tubelet_mask", "tubelet_scores")

    def forward(
        self,
        clip_mask: Tensor,
        words: Tensor,
        word_mask: Tensor,
        word_ids: Tensor,
        clips: Tensor | None = None,
        tubelets: Tensor | None = None,
        tubelet_mask: Tensor | None = None,
        tubelet_scores: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """(P, 2) and (P,). See ``GroundingScores``."""
        subject = None
        if tubelets is not None and tubelet_mask is not None and tubelet_scores is not None:
            video = (tubelets, tubelet_mask, tubelet_scores, clip_mask)
            subject = self.subject(*(value.unsqueeze(0) for value in video))
        embedded = self._embed(clips, clip_mask, subject)
        read = self.head.word_input(words)
        place = places(words.shape[0], read.shape[1], read)
        moments = self._moments(embedded, clip_mask, read + place, word_mask)
        weights = self.head.weights(moments, clip_mask.unsqueeze(0))[0]  # (P, C)
        there = bias_of(clip_mask) + weights
        nll = self._told(embedded, there, read, place, word_mask, word_ids)
        return moments.bounds()[0], (-nll).softmax(dim=-1)

    def _embed(self, clips: Tensor | None, mask: Tensor, subject: Tensor | None) -> Tensor:
        """``TemporalGrounding.embed``: (C, d)."""
        head = self.head
        parts = [(head.clip_input, clips), (head.subject_input, subject)]
        seen = [part(rows) for part, rows in parts if part is not None]
        x = sum(seen).reshape(mask.shape[0], -1)
        steps = torch.arange(-1, x.shape[0] + 1, device=x.device).clamp(min=0)
        wide = x.index_select(0, torch.minimum(steps, (mask.sum() - 1).clamp(min=0)))
        around = head.nearby(wide.transpose(0, 1).unsqueeze(0))[0].transpose(0, 1)
        return x + gelu(around)

    def _moments(self, embedded: Tensor, mask: Tensor, told: Tensor, word_mask: Tensor) -> Moments:
        """``TemporalGrounding.moments``: of the last layer only the token's row is needed."""
        head = self.head
        hidden = bias_of(word_mask)  # (1, N)
        for layer in self.words:
            told = layer.feed(layer.look(told, hidden))
        x = embedded + places(embedded.shape[0], embedded.shape[1], embedded)
        x = torch.cat([x, head.token.unsqueeze(0)])
        bias = bias_of(functional.pad(mask, (0, 1), value=True))
        for layer in self.video:
            x = layer.look(x, bias)
            x = layer.feed(x + layer.cross(layer.cross_norm(x), told, hidden))
        last = self.token
        x = last.gaze(x[-1:], x, bias)
        x = last.feed(x + last.cross(last.cross_norm(x), told, hidden))
        centre, width = head.propose(x).sigmoid().chunk(2, dim=-1)
        return Moments(centre, width)

    def _told(
        self,
        embedded: Tensor,
        there: Tensor,
        read: Tensor,
        place: Tensor,
        word_mask: Tensor,
        word_ids: Tensor,
    ) -> Tensor:
        """``TemporalGrounding.reconstruction``: (P,).

        Every word is hidden in one of three tellings: only there does the last layer read it.
        Before the clips are read, all proposals tell the same.
        """
        head = self.head
        length, dim = read.shape
        third = turns(word_mask, word_ids)  # (N,)
        thirds = torch.arange(MASKS, device=read.device).unsqueeze(1)
        mine = third == thirds  # (3, N)
        masked = (mine & word_mask).unsqueeze(-1)
        x = (torch.where(masked, head.hidden, read) + place).view(MASKS * length, dim)
        memory = head.memory_norm(embedded)
        hidden = bias_of(word_mask)
        # A hidden word sees the words of its own telling: (N, 3, N) -> (N, 3 N).
        own = (mine.transpose(0, 1).unsqueeze(-1) & word_mask).reshape(length, MASKS * length)
        rows = third * length + torch.arange(length, device=read.device)
        copies = 1
        for layer in self.telling:
            x = self._read(layer, layer.look(x, hidden, copies * MASKS), memory, there, copies)
            copies = there.shape[0]
        some = x.view(copies, MASKS * length, dim).index_select(1, rows)
        some = some.reshape(copies * length, dim)
        some = self.hidden.gaze(some, x, bias_of(own).squeeze(-2), copies)
        x = self._read(self.hidden, some, memory, there, copies)
        logits = head.head(head.word_norm(x)).log_softmax(dim=-1)  # (P N, V)
        count = there.shape[0]
        logits = logits.view(count, length, logits.shape[1])
        ids = word_ids.view(1, length, 1).expand(count, length, 1)
        nll = -logits.gather(2, ids).squeeze(-1)
        counted = (word_mask & (word_ids > 0)).to(nll.dtype)
        return (nll * counted).sum(dim=-1) / counted.sum().clamp(min=1.0)

    def _read(self, layer: Layer, x: Tensor, memory: Tensor, there: Tensor, copies: int) -> Tensor:
        """Rows (G R, d), G = ``copies``, read the clips: (P R, d)."""
        found = layer.cross(layer.cross_norm(x), memory, there, copies)  # (P, R, d)
        count, each, dim = found.shape
        return layer.feed((x.view(copies, each, dim) + found).view(count * each, dim))

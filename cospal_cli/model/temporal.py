"""TPG, temporal: when the sentence is true, learnt by reconstructing it from a part of the video.

A video transformer with attention to the words proposes Gaussian moments; the word transformer,
some words hidden, reconstructs the sentence from the clips that a moment weights: the better the
moment, the better the words (masked-query reconstruction, in the line of CNM and CPL). The clips
are encoded once for all moments, and each is mixed with its neighbours only, so no moment leaks
into another.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from cospal_cli.model.layers import Block, Noise, bias_of, blocks, position_codes
from cospal_cli.model.metadata import Sizes
from cospal_cli.model.motion import MotionEncoder
from cospal_cli.settings import ModelConfig

LEAST_SIGMA = 0.01  # least width of a moment, and least sigma of a negative
FAINT = -30.0  # log weight below which a clip counts for nothing
MASKS = 3  # each third of the words in turn


class Moments(NamedTuple):
    """Gaussians over the clips: centres and widths, shares of the video. (B, P) each."""

    centre: Tensor
    width: Tensor

    def bounds(self) -> Tensor:
        """Start and end (B, P, 2), within 0..1."""
        half = self.width / 2
        return torch.stack([self.centre - half, self.centre + half], dim=-1).clamp(0, 1)


class TemporalGrounding(nn.Module):
    """Proposals, and how well the sentence is reconstructed from any Gaussian part of the video."""

    mean: Tensor  # of the training videos' motion, where that is the input
    sd: Tensor

    def __init__(self, sizes: Sizes, config: ModelConfig) -> None:
        super().__init__()
        dim = config.dim
        self.count, self.divisor = config.proposals, config.width_divisor
        self.noise = Noise(config.input_noise)
        self.word_input = nn.Linear(sizes.words, dim)
        given = config.temporal_input
        self.clip_input = nn.Linear(sizes.clips, dim) if given in ("clips", "both") else None
        self.subject_input = (
            nn.Linear(sizes.tubelets, dim) if given in ("subject", "both") else None
        )
        self.motion = None
        if given == "motion":
            self.motion = MotionEncoder(sizes.motion, config, sizes.pooled)
            self.register_buffer("mean", torch.zeros(sizes.motion))
            self.register_buffer("sd", torch.ones(sizes.motion))
        else:
            self.nearby = nn.Conv1d(dim, dim, 3)
        shape = (dim, config.heads, config.ffn, config.dropout)
        self.video_layers = nn.ModuleList(Block(*shape) for _ in range(config.temporal_layers))
        self.word_layers = nn.ModuleList(Block(*shape) for _ in range(config.temporal_layers))
        self.token = nn.Parameter(torch.randn(dim) * 0.02)  # attends to the whole video
        self.hidden = nn.Parameter(torch.randn(dim) * 0.02)  # in a masked word's place
        self.propose = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 2 * self.count))
        self.memory_norm, self.word_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.head = nn.Linear(dim, sizes.vocabulary)

    def embed(self, clips: Tensor, mask: Tensor, subject: Tensor | None) -> Tensor:
        """Clips (B, C, d), each mixed with its neighbours; ``subject`` (B, C, F) or None, or its
        normalised motion (B, C, M), which is then all that is seen.

        They have no position codes: a moment is chosen by its content, never by its position.
        """
        if self.motion is not None:
            assert subject is not None
            found: Tensor = self.motion(self.noise(subject))
            return found
        parts = [(self.clip_input, clips), (self.subject_input, subject)]
        inputs = [part(self.noise(rows)) for part, rows in parts if part is not None]
        x = sum(inputs)
        # A video's ends must not show as ends: their own clip is repeated beside them.
        steps = torch.arange(-1, x.shape[1] + 1, device=x.device)
        last = (mask.sum(dim=1, keepdim=True) - 1).clamp(min=0)
        index = torch.minimum(steps.clamp(min=0), last)  # (B, C + 2)
        wide = x.gather(1, index.unsqueeze(-1).expand(-1, -1, x.shape[2]))
        return x + functional.gelu(self.nearby(wide.transpose(1, 2)).transpose(1, 2))

    def moments(self, embedded: Tensor, mask: Tensor, words: Tensor, word_mask: Tensor) -> Moments:
        """P proposals of each video for its sentence."""
        encoded, hidden = self._words(words), bias_of(word_mask)
        for layer in blocks(self.word_layers):
            encoded = layer(encoded, hidden)
        x = embedded + position_codes(embedded.shape[1], embedded.shape[2], embedded)
        x = torch.cat([x, self.token.expand(x.shape[0], 1, -1)], dim=1)
        bias = bias_of(functional.pad(mask, (0, 1), value=True))
        *earlier, last = blocks(self.video_layers)
        for layer in earlier:
            x = layer.cross_attention(layer.self_attention(x, bias), encoded, hidden)
        token = last.cross_attention(last.self_attention(x[:, -1:], bias, among=x), encoded, hidden)
        centre, width = self.propose(token[:, 0]).float().sigmoid().chunk(2, dim=-1)
        return Moments(centre, width)

    def weights(self, moments: Moments, mask: Tensor, divisor: float | None = None) -> Tensor:
        """Log weights (B, P, C) of the clips in Gaussians: 0 at a moment's nearest clip.

        ``divisor``: sigma is the width divided by it, at least ``LEAST_SIGMA`` over the model's.
        """
        steps = torch.arange(mask.shape[1], device=mask.device) + 0.5
        times = (steps / mask.sum(dim=1, keepdim=True)).unsqueeze(1)  # (B, 1, C)
        if divisor is None:
            sigma = moments.width.clamp(min=LEAST_SIGMA) / self.divisor
        else:
            sigma = (moments.width / divisor).clamp(min=LEAST_SIGMA)
        logs = -((times - moments.centre.unsqueeze(2)) ** 2) / (2 * sigma.unsqueeze(2) ** 2)
        logs = logs.masked_fill(~mask.unsqueeze(1), -torch.inf)
        return (logs - logs.amax(dim=2, keepdim=True)).clamp(min=FAINT)

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
        """Logits (B, S, R, V) of the words, reconstructed from clips weighted in S ways.

        ``weights`` (B, S, C) logs; ``masked`` (B, M, N): the words hidden in each of M copies of
        the sentence, which do not attend to each other; ``rows`` (B, R): which of the M N words are
        wanted (those of the first copy count from 0, of the second from N on), None: all.
        """
        batch, count, clips = weights.shape
        copies, length = masked.shape[1:]
        copy = torch.arange(copies * length, device=mask.device) // length
        others = (copy.unsqueeze(1) == copy) & word_mask.repeat(1, copies).unsqueeze(1)
        own = bias_of(others).squeeze(-2)  # (B, M N, M N)
        memory, there = self.memory_norm(embedded), bias_of(mask) + weights

        each = count if self.training else 1  # without dropout all start alike
        x = repeated(self._words(words, masked).flatten(1, 2), each)
        for number, layer in enumerate(blocks(self.word_layers), 1):
            some, bias = x, own
            if rows is not None and number == len(self.word_layers):
                at = rows.unsqueeze(-1)
                some = x.gather(1, repeated(at, each).expand(-1, -1, x.shape[2]))
                bias = own.gather(1, at.expand(-1, -1, own.shape[2]))
            attended = layer.self_attention(some, repeated(bias, each), among=x)
            attended, each, length = (
                repeated(attended, count // each),
                count,
                attended.shape[1],
            )
            inputs = there.unsqueeze(2).expand(-1, -1, length, -1).reshape(batch, -1, clips)
            x = layer.cross_attention(attended.reshape(batch, count * length, -1), memory, inputs)
            x = x.reshape(-1, length, x.shape[2])
        return self.head(self.word_norm(x)).unflatten(0, (-1, count))

    def forward(
        self,
        clips: Tensor,
        clip_mask: Tensor,
        words: Tensor,
        word_mask: Tensor,
        word_ids: Tensor,
        subject: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Proposals (B, P, 2) and their scores (B, P), a softmax of minus the words' mean NLL."""
        embedded = self.embed(clips, clip_mask, subject)
        moments = self.moments(embedded, clip_mask, words, word_mask)
        nll = self.reconstruction(
            embedded, clip_mask, self.weights(moments, clip_mask), words, word_mask, word_ids
        )
        return moments.bounds(), (-nll).softmax(dim=-1)

    def reconstruction(
        self,
        embedded: Tensor,
        mask: Tensor,
        weights: Tensor,
        words: Tensor,
        word_mask: Tensor,
        word_ids: Tensor,
    ) -> Tensor:
        """Mean NLL (B, S) of the words, each hidden once: every third of them in turn.

        Words with id 0 do not count. ``weights`` (B, S, C).
        """
        thirds = torch.arange(MASKS, device=words.device).view(1, MASKS, 1)
        turn = turns(word_mask, word_ids)
        masked = (turn.unsqueeze(1) == thirds) & word_mask.unsqueeze(1)  # (B, 3, N)
        rows = turn * words.shape[1] + torch.arange(words.shape[1], device=words.device)
        logits = self.reconstruct(embedded, mask, weights, words, word_mask, masked, rows).float()
        ids = word_ids.unsqueeze(1).expand(-1, logits.shape[1], -1)
        nll = -logits.log_softmax(dim=-1).gather(-1, ids.unsqueeze(-1)).squeeze(-1)
        counted = (word_mask & (word_ids > 0)).unsqueeze(1).to(nll.dtype)
        return (nll * counted).sum(dim=-1) / counted.sum(dim=-1).clamp(min=1.0)

    def _words(self, words: Tensor, masked: Tensor | None = None) -> Tensor:
        """Words (B, N, d), or (B, S, N, d) where ``masked`` (B, S, N) hides some."""
        x = self.word_input(self.noise(words))
        if masked is not None:
            x = torch.where(masked.unsqueeze(-1), self.hidden.to(x.dtype), x.unsqueeze(1))
        return x + position_codes(words.shape[1], x.shape[-1], x)


def repeated(x: Tensor, count: int) -> Tensor:
    """(B, ...) -> (B count, ...): each entry ``count`` times, one after the other."""
    return x.unsqueeze(1).expand(-1, count, *x.shape[1:]).flatten(0, 1)


def turns(word_mask: Tensor, word_ids: Tensor) -> Tensor:
    """In which of ``MASKS`` copies each word (..., N) is hidden: every third word in turn.

    A word that occurs again, as in CRG's <global:local>, is hidden together with its first:
    else it could be copied, and nothing would be reconstructed from the video.
    """
    place = (word_mask.long().cumsum(dim=-1) - 1).clamp(min=0)
    known = word_ids > 0
    same = (word_ids.unsqueeze(-1) == word_ids.unsqueeze(-2)) & known.unsqueeze(-2)
    first = torch.where(same, place.unsqueeze(-2), place.shape[-1]).amin(dim=-1)
    return torch.where(known, first, place) % MASKS

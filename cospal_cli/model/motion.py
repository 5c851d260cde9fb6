"""What heads see of a tubelet's motion: normalised numbers, each bin with its neighbours."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from cospal_cli.settings import ModelConfig

LIMIT = 4.0  # largest size of a normalised motion number
LAYERS = 2


class MotionEncoder(nn.Module):
    """h: motion over time, each bin with its neighbours. Residual convolutions, pre-norm."""

    def __init__(self, size: int, config: ModelConfig, pooled: int = 0) -> None:
        """``pooled``: of ``size`` numbers the last ones, an input of their own."""
        super().__init__()
        dim = config.dim
        self.own = size - pooled
        self.input = nn.Linear(self.own, dim)
        self.pooled_input = nn.Linear(pooled, dim, bias=False) if pooled else None
        self.layers = nn.ModuleList(
            nn.Conv1d(dim, dim, 3, padding=1, padding_mode="replicate") for _ in range(LAYERS)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(LAYERS))
        self.norm, self.drop = nn.LayerNorm(dim), nn.Dropout(config.dropout)

    def forward(self, motion: Tensor, around: Tensor | None = None) -> Tensor:
        """(R, T, d) of normalised ``motion`` (R, T, M), ``around`` (R, T, d) added where given."""
        x = self.input(motion[..., : self.own])
        if self.pooled_input is not None:
            x = x + self.pooled_input(motion[..., self.own :])
        x = x if around is None else x + around
        for layer, norm in zip(self.layers, self.norms, strict=True):
            mixed = layer(norm(x).transpose(1, 2)).transpose(1, 2)
            x = x + self.drop(functional.gelu(mixed))
        out: Tensor = self.norm(x)
        return out


def normalised(tubelets: Tensor, mask: Tensor, mean: Tensor, sd: Tensor) -> Tensor:
    """The motion (..., T, M), the last numbers of ``tubelets`` (..., T, F), by its ``mean`` and
    ``sd`` (M,), held within ``LIMIT``; 0 where ``mask`` (..., T) is False."""
    motion = (tubelets[..., -len(mean) :] - mean) / sd
    return motion.clamp(-LIMIT, LIMIT) * mask.unsqueeze(-1)

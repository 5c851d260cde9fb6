"""What happens to the weights: the optimiser, its rates, averaged weights, seeds of updates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from cospal_cli.settings import TrainConfig

FIRST_RATE = 1e-7  # of the warm-up's first update
_SPATIAL = "spatial."


def adam(model: nn.Module, config: TrainConfig) -> torch.optim.Adam:
    """Adam over two groups, which keep their full rate as "full": the spatial head and the rest."""
    groups: dict[bool, list[Tensor]] = {True: [], False: []}
    for name, weight in model.named_parameters():
        groups[name.startswith(_SPATIAL)].append(weight)
    rates = {True: config.spatial_lr, False: config.lr}
    return torch.optim.Adam(
        [{"params": groups[own], "full": rates[own]} for own in groups if groups[own]],
        weight_decay=config.weight_decay,
    )


def set_rates(optimizer: torch.optim.Optimizer, update: int, warmup: int) -> None:
    """The groups' learning rates for an update, counted from 0."""
    for group in optimizer.param_groups:
        group["lr"] = rate(group["full"], update, warmup)


def rate(full: float, update: int, warmup: int) -> float:
    """From ``FIRST_RATE`` to ``full`` over ``warmup`` updates, then falling as 1 / sqrt(update).

    Without a warm-up it is ``full`` throughout.
    """
    if update < warmup:
        return FIRST_RATE + (full - FIRST_RATE) * update / warmup
    return full * math.sqrt(warmup / update) if warmup else full


def seed_update(seed: int, update: int, rank: int) -> None:
    """Make what an update draws (dropout) depend on nothing but its number and the process."""
    words = np.random.SeedSequence((seed, update, rank)).generate_state(2)
    torch.manual_seed(int(words[0]) << 31 | int(words[1]) >> 1)


class Average:
    """An exponential moving average of the weights (EMA); with decay 0 it is the weights."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self._weights = dict(model.named_parameters())
        self.averaged = {name: w.detach().clone() for name, w in self._weights.items() if decay}

    @torch.no_grad()
    def update(self, done: int) -> None:
        """Take in the weights after ``done`` updates; the first ones count for more."""
        decay = min(self.decay, (1 + done) / (10 + done))
        for name, mean in self.averaged.items():
            mean.lerp_(self._weights[name].detach(), 1 - decay)

    @contextmanager
    def shown(self) -> Iterator[dict[str, Tensor]]:
        """While open, the model has the averaged weights; yields its plain ones, {} if the same."""
        plain = {name: self._weights[name].detach().clone() for name in self.averaged}
        self._fill(self.averaged)
        try:
            yield plain
        finally:
            self._fill(plain)

    @torch.no_grad()
    def _fill(self, values: dict[str, Tensor]) -> None:
        for name, value in values.items():
            self._weights[name].copy_(value)

"""What happens to the weights: the optimiser, its rates, averaged weights, seeds of updates."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from cospal_cli.model.cospal import CoSPaL
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


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    """An exponential moving average (EMA) of the weights, to be updated after every update of
    ``model``; the first ones count for more."""

    def mean(old: Tensor, new: Tensor, count: Tensor | int) -> Tensor:
        done = int(count) - 1
        return old.lerp(new, 1 - min(decay, (1 + done) / (10 + done)))

    average = AveragedModel(model, avg_fn=mean)
    average.n_averaged.fill_(1)  # of 0 it would copy, and lose what it starts from
    return average


def kept(model: CoSPaL, average: AveragedModel | None) -> CoSPaL:
    """The heads that are evaluated and saved: with the averaged weights, where there are some."""
    if average is None:
        return model
    assert isinstance(average.module, CoSPaL)
    return average.module

"""What happens to the weights: the optimiser, its rates, averaged weights, seeds of updates."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from cospal_cli.model.heads import TrainedHeads
from cospal_cli.settings import TrainConfig

FIRST_RATE = 1e-7  # of the warm-up's first update
RISE, FALL = 25.0, 1e4  # of one cycle: from full / RISE, to that / FALL
_SPATIAL = "spatial."


def adam(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW over two groups, the spatial head and the rest; their full rates are kept as "full"."""
    groups: dict[bool, list[Tensor]] = {True: [], False: []}
    for name, weight in model.named_parameters():
        groups[name.startswith(_SPATIAL)].append(weight)
    rates = {True: config.spatial_lr, False: config.lr}
    return torch.optim.AdamW(
        [{"params": groups[own], "full": rates[own]} for own in groups if groups[own]],
        weight_decay=config.weight_decay,
    )


def set_rates(
    optimizer: torch.optim.Optimizer, update: int, total: int, config: TrainConfig
) -> None:
    """The groups' learning rates for an update, counted from 0, of ``total``."""
    for group in optimizer.param_groups:
        if config.schedule == "one-cycle":
            group["lr"] = one_cycle(group["full"], update, total)
        else:
            group["lr"] = rate(group["full"], update, config.warmup)


def rate(full: float, update: int, warmup: int) -> float:
    """From ``FIRST_RATE`` to ``full`` over ``warmup`` updates, then falling as 1 / sqrt(update).

    Without a warm-up it is ``full`` throughout.
    """
    if update < warmup:
        return FIRST_RATE + (full - FIRST_RATE) * update / warmup
    return full * math.sqrt(warmup / update) if warmup else full


def one_cycle(full: float, update: int, total: int) -> float:
    """From ``full`` / 25 to ``full`` over the first 30 % of the updates, then to next to nothing,
    both along half a cosine (Smith and Topin 2018; the values of PyTorch's OneCycleLR)."""
    start, end = full / RISE, full / RISE / FALL
    turn = max(0.3 * total - 1, 1e-9)
    if update <= turn:
        return _between(start, full, update / turn)
    return _between(full, end, (update - turn) / max(total - 1 - turn, 1e-9))


def _between(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(share, 1.0))) / 2


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


def kept(model: TrainedHeads, average: AveragedModel | None) -> TrainedHeads:
    """The heads that are evaluated and saved: with the averaged weights, where there are some."""
    if average is None:
        return model
    assert isinstance(average.module, TrainedHeads)
    return average.module

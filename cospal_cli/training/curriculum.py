"""In which order samples are shown: stages by tubelets (SPS) or by actions (STPro), or none.

Pure: the whole plan follows from the samples' counts, the settings and the batch size, so a run
that continues after a break follows from the number of its updates alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cospal_cli.settings import CurriculumConfig


class Counted(Protocol):
    """What the plan must know of a sample."""

    @property
    def tubelets(self) -> int:
        """How many its video has."""

    @property
    def actions(self) -> int:
        """Verbs of its sentence."""

    @property
    def passes(self) -> int:
        """Sub-phrase passes of its sentence."""


@dataclass(frozen=True, eq=False)
class Epoch:
    """One pass over what a stage allows, in ``updates`` updates of ``batch`` items each."""

    number: int  # counted from 0 over all stages
    stage: int  # likewise; those without any sample are left out
    items: NDArray[np.int64]  # (M, 2) sample, and phrase: 0 the sentence, i its i-th pass
    batch: int
    first: int  # updates before it
    updates: int

    @property
    def end(self) -> int:
        """Updates until its end."""
        return self.first + self.updates


def plan(
    samples: Sequence[Counted], config: CurriculumConfig, batch: int, crg: bool
) -> tuple[Epoch, ...]:
    """Every epoch of a training, in order. Empty only where ``samples`` is.

    With ``crg`` an epoch shows each sample once as its sentence and once per sub-phrase.
    """
    if config.name != "none":
        return _staged(samples, config, batch, crg)
    if not config.equal_updates:
        return _passes(_items(samples, range(len(samples)), crg), batch, _epochs(config), None)
    staged = _staged(samples, replace(config, name="sps"), batch, crg)
    total = staged[-1].end if staged else 0
    return _passes(_items(samples, range(len(samples)), crg), batch, None, total)


def stages_left_out(epochs: Sequence[Epoch], config: CurriculumConfig) -> list[int]:
    """The limits of stages that have epochs by the settings, but no sample."""
    there = {epoch.stage for epoch in epochs}
    return [
        limit
        for stage, (limit, count) in enumerate(config.stages)
        if config.name != "none" and limit is not None and count and stage not in there
    ]


def _staged(
    samples: Sequence[Counted], config: CurriculumConfig, batch: int, crg: bool
) -> tuple[Epoch, ...]:
    """Stages that let in ever more of the samples."""
    plan: list[Epoch] = []
    for stage, (limit, count) in enumerate(config.stages):
        allowed = [
            at for at, one in enumerate(samples) if limit is None or _size(one, config) <= limit
        ]
        items = _items(samples, allowed, crg)
        for _ in range(count if len(items) else 0):
            plan.append(_epoch(plan, stage, items, batch))
    return tuple(plan)


def _passes(
    items: NDArray[np.int64], batch: int, count: int | None, total: int | None
) -> tuple[Epoch, ...]:
    """``count`` epochs over all items, or as many as ``total`` updates take, the last one cut."""
    plan: list[Epoch] = []
    while len(items) and (len(plan) < count if count is not None else _done(plan) < (total or 0)):
        plan.append(_epoch(plan, 0, items, batch, total))
    return tuple(plan)


def _epoch(
    before: Sequence[Epoch],
    stage: int,
    items: NDArray[np.int64],
    batch: int,
    total: int | None = None,
) -> Epoch:
    """The epoch that follows; never more items in a batch than there are."""
    size, first = min(batch, len(items)), _done(before)
    updates = -(-len(items) // size)
    if total is not None:
        updates = min(updates, total - first)
    return Epoch(len(before), stage, items, size, first, updates)


def _done(plan: Sequence[Epoch]) -> int:
    return plan[-1].end if plan else 0


def _epochs(config: CurriculumConfig) -> int:
    return sum(count for _, count in config.stages)


def _size(sample: Counted, config: CurriculumConfig) -> int:
    return sample.tubelets if config.name == "sps" else sample.actions


def _items(samples: Sequence[Counted], allowed: Sequence[int], crg: bool) -> NDArray[np.int64]:
    rows = [(at, phrase) for at in allowed for phrase in range(1 + crg * samples[at].passes)]
    return np.array(rows, np.int64).reshape(-1, 2)

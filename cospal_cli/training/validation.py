"""Validation: losses and scores on a tenth of train, by which the best heads are chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from cospal_cli.evaluation.summary import PREDICTED, TOP1, evaluate
from cospal_cli.evaluation.tubes import Truth
from cospal_cli.model.heads import TrainedHeads
from cospal_cli.model.metadata import HeadsMetadata
from cospal_cli.settings import Config
from cospal_cli.training.batches import Arrays, Batches
from cospal_cli.training.curriculum import Epoch

if TYPE_CHECKING:
    from cospal_cli.prepared.folder import Prepared, Sample

SCORES = ("m_tIoU", "m_vIoU", TOP1)
SEED = 0  # of the words that are hidden: the same ones in every epoch and process


def losses(
    objective: nn.Module,
    batches: Batches,
    samples: int,
    batch: int,
    place: Callable[[Arrays], object],
) -> dict[str, torch.Tensor]:
    """Means of the losses over this process's share of the validation sentences; {} for too few.

    ``place`` brings a batch to the objective's device.
    """
    if not batch:
        return {}
    items = np.stack([np.arange(samples), np.zeros(samples, np.int64)], axis=1)
    epoch = Epoch(0, 0, items, batch, 0, -(-samples // batch))
    every: list[dict[str, torch.Tensor]] = []
    with torch.no_grad(), closing(batches.of(epoch, finish=place)) as stream:
        for one in stream:
            every.append(objective({**one, "progress": torch.ones((), device=one["video"].device)}))
    return {name: torch.stack([one[name] for one in every]).mean() for name in every[0]}


def scores(
    model: TrainedHeads,
    metadata: HeadsMetadata,
    prepared: Prepared,
    samples: Sequence[Sample],
    truths: Mapping[str, Truth],
    config: Config,
) -> dict[str, float]:
    """``SCORES`` of the tubes that the heads predict; {} without truths.

    This is the one place of training that knows truths, and nothing but the choice of the best
    checkpoint depends on it.
    """
    known = {one.id: truths[one.id] for one in samples if one.id in truths}
    if not known:
        return {}
    from cospal_cli.predict import predictions
    from cospal_cli.runtime.torch import TorchRuntime

    runtime = TorchRuntime.of(model, metadata)
    scored = [one for one in samples if one.id in known]
    predicted = dict(predictions(prepared, scored, "cospal", config, runtime))
    means = evaluate(predicted, known, resamples=0).rows[PREDICTED]
    return {name: means[name].mean for name in SCORES if name in means}

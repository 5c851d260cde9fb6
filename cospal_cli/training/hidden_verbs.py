"""Does the video help to reconstruct a hidden verb? Shows whether heads can have learnt when.

    nothing     the video is blank
    another     the whole of another sample's video
    whole       the whole video
    span        the part in which the sentence is true
    rest        what is left of it

Heads that learn when have the verb likelier from the span than from the rest; those whose text
betrays the verb have the same from nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from cospal_cli.core.grounding import GroundingInputs
from cospal_cli.core.head_inputs import assemble, collate
from cospal_cli.evaluation.tubes import Truth
from cospal_cli.features.spec import FeatureSpec
from cospal_cli.model.cospal import CoSPaL
from cospal_cli.model.metadata import HeadsMetadata
from cospal_cli.model.temporal import FAINT
from cospal_cli.settings import LossConfig
from cospal_cli.training.objective import ReconstructObjective

if TYPE_CHECKING:
    from cospal_cli.prepared.folder import Prepared, Sample

SOURCES = ("nothing", "another", "whole", "span", "rest")
BATCH = 32


class _Hidden(NamedTuple):
    """A query with one of its verbs."""

    inputs: GroundingInputs
    verb: int  # its id
    span: tuple[float, float]  # when the sentence is true: shares of the video


def hidden_verbs(
    model: CoSPaL,
    metadata: HeadsMetadata,
    prepared: Prepared,
    samples: Sequence[Sample],
    truths: Mapping[str, Truth],
) -> dict[str, float]:
    """Mean NLL in nats of the hidden verbs from each of ``SOURCES``, and "verbs", how many.

    {} without a verb of the vocabulary. Heads of sub-phrases are given each, others the sentence
    with its first verb hidden. ``samples`` need a truth.
    """
    objective = ReconstructObjective(model.eval(), LossConfig())
    found: list[Tensor] = []
    rows = _queries(metadata, prepared, samples, truths)
    with torch.inference_mode():
        while len(some := list(islice(rows, BATCH))) > 1:  # else there is no other video
            found.append(_nll(objective, some))
    if not found:
        return {}
    nll = torch.cat(found)
    means = nll.double().mean(dim=0).tolist()
    return dict(zip(SOURCES, means, strict=True)) | {"verbs": float(len(nll))}


def _queries(
    metadata: HeadsMetadata,
    prepared: Prepared,
    samples: Sequence[Sample],
    truths: Mapping[str, Truth],
) -> Iterator[_Hidden]:
    spec, ids = FeatureSpec(metadata.features), metadata.word_ids
    for sample in samples:
        vision, phrases = prepared.features(sample), prepared.phrases(sample)
        truth = truths[sample.id]
        start, end = truth.segment
        span = tuple((frame - start) / (end - start) for frame in truth.span)
        for act in phrases.acts if metadata.temporal.acts else phrases.acts[:1]:
            if not (verb := ids.get(act.words[0])) or not len(vision.tubelets):
                continue
            apart = metadata.temporal.acts
            inputs = assemble(
                spec.seen(vision.tubelets), vision.tubelet_mask, vision.clips,
                phrases.sentence if apart else phrases.refined, ids, [act] if apart else [],
            )  # fmt: skip
            yield _Hidden(inputs, verb, (span[0], span[1]))


def _nll(objective: ReconstructObjective, some: Sequence[_Hidden]) -> Tensor:
    """(Q, 5): of each verb, from each of ``SOURCES``."""
    head = objective.model.temporal
    device = next(head.parameters()).device
    batch = {
        name: torch.from_numpy(rows).to(device)
        for name, rows in collate([one.inputs for one in some]).items()
    }
    verbs = torch.tensor([one.verb for one in some], device=device)
    masked = batch["word_mask"] & (batch["word_ids"] == verbs.unsqueeze(1))
    seen = objective.seen({**batch, "masked": masked})
    mask = seen["mask"]
    times = (torch.arange(mask.shape[1], device=device) + 0.5) / mask.sum(dim=1, keepdim=True)
    spans = torch.from_numpy(np.array([one.span for one in some], np.float32)).to(device)
    inside = (times >= spans[:, :1]) & (times < spans[:, 1:])
    whole = torch.zeros(mask.shape, device=device)
    faint = torch.full_like(whole, FAINT)
    weights = torch.stack(
        [whole, torch.where(inside, whole, faint), torch.where(inside, faint, whole)], dim=1
    )

    def of(embedded: Tensor, mask: Tensor, weights: Tensor) -> Tensor:
        logits = head.reconstruct(
            embedded, mask, weights, seen["words"], seen["word_mask"], masked.unsqueeze(1)
        )
        place = masked.float().argmax(dim=1)
        rows = torch.arange(len(verbs), device=device)
        return -logits[rows, :, place].log_softmax(dim=-1)[rows, :, verbs]  # (Q, S)

    embedded = seen["embedded"]
    blank = of(torch.zeros_like(embedded), mask, weights[:, :1])
    other = of(embedded.roll(1, dims=0), mask.roll(1, dims=0), weights[:, :1])
    return torch.cat([blank, other, of(embedded, mask, weights)], dim=1)

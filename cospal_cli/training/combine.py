"""How much rules and trained heads count together (``ranking/combined.py``), fitted without truths.

On sentences that the heads were not trained on, as on those that they were: each must find its own
video among all, by the summed evidence of the best of its tubelets, and each video its sentence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cospal_cli.core.errors import UsageError
from cospal_cli.core.files import write_text
from cospal_cli.core.head_inputs import assemble, collate
from cospal_cli.core.observation import Observation
from cospal_cli.core.query import Query
from cospal_cli.language.phrases import moment_queries
from cospal_cli.model.checkpoint import CONFIG, load
from cospal_cli.model.contrast import ContrastHeads, log_mean_exp
from cospal_cli.model.metadata import CombinedWeights, HeadsMetadata
from cospal_cli.ranking import zero_shot
from cospal_cli.ranking.candidates import candidates
from cospal_cli.ranking.combined import EXCLUDED, inside, rule_logs
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.settings import Config
from cospal_cli.training import contrast_losses as losses
from cospal_cli.training.contrast import ContrastObjective, PhraseScores

if TYPE_CHECKING:
    from cospal_cli.prepared.folder import Prepared, Sample

MOST = 64  # sentences, each of another video
LEAST = 8  # with fewer nothing is fitted
STEPS, RATE = 200, 0.05
TOWARDS_ONE = 0.05  # of a few dozen sentences, which should not be learnt by heart
FLOOR = -20.0  # nats of a video in which the rules find nothing of the subject's class


def write(
    folder: Path, prepared: Prepared, samples: Sequence[Sample], config: Config
) -> CombinedWeights | None:
    """Fit those of the heads in ``folder`` and add them to its metadata; None for heads that
    reconstruct, which have none."""
    model, metadata = load(folder)
    if not isinstance(model, ContrastHeads):
        return None
    weights = fit(ContrastObjective(model, config), metadata, prepared, samples, config)
    write_text(folder / CONFIG, replace(metadata, combined=weights).dumps() + "\n")
    return weights


def fit(
    objective: ContrastObjective,
    metadata: HeadsMetadata,
    prepared: Prepared,
    samples: Sequence[Sample],
    config: Config,
) -> CombinedWeights:
    """The weights; those of heads without any for too few samples. Reads no truth."""
    chosen = _some(prepared, samples)
    if len(chosen) < LEAST:
        return CombinedWeights()
    objective.model.eval()
    batch = _batch(metadata, prepared, [one for one, _ in chosen])
    device = next(objective.model.parameters()).device
    batch = {name: rows.to(device) for name, rows in batch.items()}
    with torch.no_grad():
        who, there = objective.who(batch)
        moments = objective.moments(batch, there)
    rules, spans = (
        torch.from_numpy(rows).to(device)
        for rows in _rules(prepared, chosen, there.cpu().numpy(), moments.s.shape[-1], config)
    )
    return _fitted(who, there, moments, rules, spans)


def _fitted(
    who: Tensor, there: Tensor, moments: PhraseScores, rules: Tensor, spans: Tensor
) -> CombinedWeights:
    """``rules`` (S, S, K) nats; ``spans`` (S, R, T), 1 inside what the rules chose, else -1."""
    equal = math.log(math.e - 1)  # softplus of it is 1
    raw = torch.full((3,), equal, device=who.device, requires_grad=True)
    optimizer = torch.optim.Adam([raw], RATE)
    same = torch.eye(len(who), dtype=torch.bool, device=who.device)
    for _ in range(STEPS):
        weights = functional.softplus(raw)
        a, b, c = weights
        when = who.new_zeros(len(moments.own), *there.shape)
        when[:, there] = log_mean_exp(moments.s + c * spans[moments.own], moments.times)
        joint = a * rules + b * losses.joint_scores(who, when, moments.own)
        loss = losses.both_ways(log_mean_exp(joint, there), same)
        loss = loss + TOWARDS_ONE * (weights - 1).square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return CombinedWeights(*functional.softplus(raw).tolist())


def _some(prepared: Prepared, samples: Sequence[Sample]) -> list[tuple[Sample, Query]]:
    """One sample of each of the first ``MOST`` videos, with its query."""
    found: dict[str, tuple[Sample, Query]] = {}
    for sample in samples:
        if len(found) == MOST:
            break
        if sample.video in found or not sample.tubelets:
            continue
        try:
            found[sample.video] = (sample, prepared.query(sample))
        except UsageError:
            continue
    return list(found.values())


def _batch(
    metadata: HeadsMetadata, prepared: Prepared, samples: Sequence[Sample]
) -> dict[str, Tensor]:
    rows = []
    for sample in samples:
        vision, phrases = prepared.features(sample), prepared.phrases(sample)
        acts = moment_queries(phrases.acts, metadata.temporal.queries)
        rows.append(
            assemble(
                vision.tubelets, vision.tubelet_mask, vision.clips, phrases.sentence,
                metadata.word_ids, acts,
            )
        )  # fmt: skip
    return {name: torch.from_numpy(array) for name, array in collate(rows).items()}


def _rules(
    prepared: Prepared,
    chosen: Sequence[tuple[Sample, Query]],
    there: np.ndarray,
    bins: int,
    config: Config,
) -> tuple[np.ndarray, np.ndarray]:
    """What zero-shot says of every sentence with every video: nats (S, S, K), spans (S, R, T)."""
    nats = np.full((len(chosen), *there.shape), FLOOR, np.float32)
    spans = np.zeros((len(chosen), *there.shape, bins), np.float32)
    for at, (sample, _) in enumerate(chosen):
        observation = prepared.observation(sample)
        every = candidates(observation.tubelets, observation.size, observation.timeline)
        row_of = {one.tubelet.id: row for row, one in enumerate(every)}
        evidence = Evidence(observation.timeline, observation.classes)
        for sentence, (_, query) in enumerate(chosen):
            ranked = zero_shot.rank(every, query, evidence, config.ground)
            logs = rule_logs(ranked)
            if logs:
                nats[sentence, at, : len(every)] = min(logs.values()) - EXCLUDED
            for one in ranked.candidates:
                row = row_of[one.tubelet.id]
                nats[sentence, at, row] = logs[one.tubelet.id]
                when = ranked.span_of(one)
                spans[sentence, at, row] = inside(when, _times(observation), bins)
    return nats, spans[:, there]


def _times(observation: Observation) -> tuple[float, float]:
    return float(observation.timeline.times_s[0]), observation.timeline.end_s

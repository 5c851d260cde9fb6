"""What a training starts with: its folder, processes, samples, metadata and first weights."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import InitProcessGroupKwargs

from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.core.files import alone, make_folder
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.devices import torch_device
from cospal_cli.features.spec import FeatureSpec
from cospal_cli.language.parser.parse import MAX_PHRASES
from cospal_cli.language.phrases import WORD_QUERIES
from cospal_cli.model import checkpoint
from cospal_cli.model.heads import TrainedHeads
from cospal_cli.model.metadata import HeadsMetadata, Sizes
from cospal_cli.settings import Config, TemporalConfig, TrainConfig
from cospal_cli.training import curriculum, metrics, state
from cospal_cli.training.curriculum import Epoch

if TYPE_CHECKING:
    from cospal_cli.prepared.folder import Prepared, Sample

LOG = logging.getLogger("cospal")
LAST, BEST = "last", "best"
MOST_QUERIES = {"phrases": MAX_PHRASES, "words": WORD_QUERIES, "sentence": 1}
MAX_WORDS = 8000  # of the vocabulary, the most frequent ones
_BY_WORD = ("temporal.head.weight", "temporal.head.bias")  # weights with a row for each word
_PATIENCE = timedelta(hours=2)  # of processes that wait while the first one judges


@contextmanager
def processes(config: TrainConfig) -> Iterator[Accelerator]:
    """The device and, under ``accelerate launch``, the other processes.

    UsageError for an unknown name or a precision that the device lacks, DeviceError for a device
    that is not there.
    """
    place = torch_device.choose(config.device, "fp32")
    precision = config.precision
    if precision == "auto":
        precision = "bf16" if place.cuda else "fp32"
    if precision == "fp16" and not place.cuda:
        raise UsageError("train.precision fp16 needs a GPU", "give bf16 or fp32")
    if place.device.index is not None:
        torch.cuda.set_device(place.device)
    accelerator = Accelerator(
        cpu=not place.cuda,
        mixed_precision="no" if precision == "fp32" else precision,
        kwargs_handlers=[InitProcessGroupKwargs(timeout=_PATIENCE)],
    )
    if config.threads:  # else what torch finds, or OMP_NUM_THREADS says
        torch.set_num_threads(config.threads)
    try:
        yield accelerator
        accelerator.end_training()
    finally:
        if accelerator.num_processes == 1:  # so that another training may have other settings
            AcceleratorState._reset_state(reset_partial_state=True)


@contextmanager
def own_folder(out: Path, resume: bool) -> Iterator[None]:
    """Make ``out`` this training's own; UsageError where another one is in it, or was."""
    with errors_as(UsageError, f"cannot write to {str(out)!r}", "name another folder with --out"):
        make_folder(out)
    with alone(out):
        for name in (LAST, BEST):
            state.recover(out / name)
        begun = [name for name in (LAST, BEST, metrics.FILE) if (out / name).exists()]
        if begun and not resume:
            raise UsageError(
                f"{str(out)!r} holds a training already",
                "--resume continues it; --out names another folder",
            )
        yield


def usable(prepared: Prepared, split: str) -> list[Sample]:
    """The samples of a split in which there is something to choose from."""
    every = prepared.samples(split)
    some = [sample for sample in every if sample.tubelets]
    if len(some) < len(every):
        LOG.warning("%s: %d samples have no tubelet", split, len(every) - len(some))
    return some


def some(samples: list[Sample], config: TrainConfig) -> list[Sample]:
    """``train.samples`` of them, drawn by the seed, in order; a larger draw holds a smaller one."""
    if not 0 < config.samples < len(samples):
        return samples
    drawn = np.random.default_rng((config.seed, 2)).permutation(len(samples))[: config.samples]
    return [samples[at] for at in sorted(drawn.tolist())]


def make_plan(samples: Sequence[Sample], config: Config, together: int) -> tuple[Epoch, ...]:
    """The epochs; InputError for no sample, UsageError where processes cannot share a batch."""
    train = config.train
    crg = train.crg and not config.temporal.acts  # else all sub-phrases are taken at once
    epochs = curriculum.plan(samples, config.curriculum, train.batch, crg)
    if not epochs:
        raise InputError("no sample to train on", "'cospal data check' lists the problems")
    for limit in curriculum.stages_left_out(epochs, config.curriculum):
        LOG.warning("no sample is within %d: that stage is left out", limit)
    for epoch in epochs:
        if epoch.batch % together:
            raise UsageError(
                f"{together} processes cannot share {epoch.batch} samples per update",
                "give a --batch that is a multiple of them, or fewer processes",
            )
    return epochs


def heads_metadata(prepared: Prepared, config: Config, trained: Json) -> HeadsMetadata:
    """The heads' sizes, their features' identity and the vocabulary of the training sentences."""
    counts = prepared.words("fit")
    words = sorted(counts, key=lambda word: (-counts[word], word))[:MAX_WORDS]
    _check_clips(prepared, config)
    tubelets, clips, text = prepared.sizes
    sizes = Sizes(tubelets, clips, text, len(words) + 1, pooled=prepared.spec.pooled)
    if config.temporal.acts:
        _check_acts(prepared, config.temporal)
    if config.temporal.objective == "contrast" or config.model.temporal_input == "motion":
        sizes = _apart(prepared, sizes, config)
    return HeadsMetadata(
        sizes, config.model, prepared.identity, tuple(words), trained, temporal=config.temporal
    )


def _check_clips(prepared: Prepared, config: Config) -> None:
    """UsageError where the heads read clips and the features have none."""
    contrast, given = config.temporal.objective == "contrast", config.model.temporal_input
    alone = given in ("subject", "motion")
    if prepared.spec.has_clips or alone or (contrast and given != "both"):
        return
    needs = "model.temporal_input=both" if contrast else "temporal.objective=reconstruct"
    raise UsageError(
        f"{str(prepared.folder)!r}: no clips were encoded (clips.name=none), which {needs} needs",
        "prepare the data set again into another folder, or set temporal.objective=contrast and "
        "model.temporal_input=subject",
    )


def _apart(prepared: Prepared, sizes: Sizes, config: Config) -> Sizes:
    """``sizes`` where who and when are told apart. UsageError where they cannot be."""
    appearance, motion = prepared.spec.sides
    contrast = config.temporal.objective == "contrast"
    if not motion:
        needs = "temporal.objective=contrast" if contrast else "model.temporal_input=motion"
        raise UsageError(
            f"{str(prepared.folder)!r}: its tubelets have no motion apart from their appearance, "
            f"which {needs} needs",
            "prepare the data set again into another folder, or set "
            + ("temporal.objective=reconstruct" if contrast else "model.temporal_input=subject"),
        )
    phrases = MOST_QUERIES[config.temporal.queries] if contrast else 0
    return replace(sizes, appearance=appearance, motion=motion, phrases=phrases)


def _check_acts(prepared: Prepared, config: TemporalConfig) -> None:
    """UsageError where sub-phrases are wanted, but their words were not encoded each alone."""
    sample = next((one for one in prepared.samples("train") if prepared.refined(one).verbs), None)
    if sample and not prepared.phrases(sample).acts:
        contrast = config.objective == "contrast"
        needs = "temporal.objective=contrast" if contrast else "temporal.hidden=phrases"
        other = "temporal.objective=reconstruct and temporal" if contrast else "temporal"
        raise UsageError(
            f"{str(prepared.folder)!r}: its words are not encoded each alone, which {needs} needs",
            f"prepare the data set again into another folder, or set {other}.hidden=words",
        )


def facts(prepared: Prepared, samples: Sequence[Sample]) -> JsonDict:
    """What of the data the weights depend on."""
    rows = [f"{one.id} {one.tubelets} {one.actions} {one.passes}" for one in samples]
    digest = blake2b("\n".join(rows).encode("utf-8", "replace"), digest_size=8).hexdigest()
    return {"data": {"samples": len(rows), "digest": digest}, "features": prepared.identity}


def take_over(model: TrainedHeads, metadata: HeadsMetadata, folder: Path) -> None:
    """Begin with the weights of a checkpoint; those of words that it did not know stay drawn.

    UsageError where the heads are of other sizes, naming both sides.
    """
    theirs, source = checkpoint.load(folder)
    other = state.differences(_build(source), _build(metadata))
    if other:
        raise UsageError(
            f"{folder} has heads of other sizes: {'; '.join(other)}",
            "give the same sizes, or train without --init-from",
        )
    for line in FeatureSpec(source.features).differences(FeatureSpec(metadata.features)):
        LOG.warning("the first weights come from other features: %s", line)
    pairs = [(0, 0)] + [
        (own_id, source.word_ids[word])
        for word, own_id in metadata.word_ids.items()
        if word in source.word_ids
    ]
    rows, columns = torch.tensor(pairs).T
    weights = model.state_dict()
    for name, value in theirs.state_dict().items():
        weights[name] = (
            weights[name].index_copy(0, rows, value[columns]) if name in _BY_WORD else value
        )
    model.load_state_dict(weights)


def _build(metadata: HeadsMetadata) -> JsonDict:
    """What two heads must share for the weights of one to serve the other."""
    rules = ("dropout", "width_divisor", "word_score")
    widths: JsonDict = {
        f"{name} features": getattr(metadata.sizes, name) for name in ("tubelets", "clips")
    }
    temporal = metadata.temporal
    hidden = "" if temporal.objective == "contrast" else f", hidden {temporal.hidden}"
    widths |= {"word vectors": metadata.sizes.words, "objective": f"{temporal.objective}{hidden}"}
    return widths | {
        name: value for name, value in vars(metadata.model).items() if name not in rules
    }

"""Whether exported heads predict what their checkpoint does: numbers on many shapes, and the task.

Numbers: the largest differences of all outputs, at lengths of 1 and at large ones, with padding.
Task: the same tubelet and the same segment, on real inputs where there are some.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cospal_cli.core.contract import ABSENT, HEAD_OUTPUTS
from cospal_cli.core.errors import InputError, UsageError, WeightsError
from cospal_cli.core.grounding import GroundingInputs, GroundingScores
from cospal_cli.core.json_types import JsonDict
from cospal_cli.evaluation.summary import METRICS, PREDICTED, evaluate
from cospal_cli.features.spec import FeatureSpec
from cospal_cli.model.metadata import HeadsMetadata, Sizes
from cospal_cli.predict import predictions
from cospal_cli.prepared.folder import Prepared, Sample
from cospal_cli.ranking.order import in_order
from cospal_cli.ranking.prediction import inputs_of
from cospal_cli.runtime import Runtime, open_runtime
from cospal_cli.settings import Config, GroundConfig

Report = JsonDict  # a JSON document
SHAPES = (
    (10, 32, 200, 12),
    (1, 32, 50, 12),
    (10, 1, 50, 6),
    (7, 16, 33, 1),
    (1, 1, 1, 1),
    (40, 32, 200, 60),
    (3, 5, 1, 2),
    (64, 64, 400, 40),
)  # K, T, C, N
TOLERANCES = {"fp32": 1e-4, "fp16": 2e-2, "int8": None}  # absolute; None: the task alone decides
AGREEMENTS = {"fp32": 1.0, "fp16": 0.95, "int8": 0.95}  # least share of equal predictions
DRAWN = 32  # random inputs for the task where there is no data
NEAR = {"fp32": 1e-3, "fp16": 5e-3, "int8": 2e-2}  # shares of the video: segments whose ends are
# nearer are the same
TIE = 1e-5  # scores that are nearer leave it to rounding which of two is the best


@dataclass(frozen=True)
class Evaluation:
    """A prepared data set, and how many samples of a split are compared at most.

    ``root``: the data set itself, for its truths; without it no accuracy is compared.
    """

    prepared: Path
    root: Path | None = None
    split: str = "test"
    limit: int = 200


def verify(
    checkpoint: Path,
    folder: Path,
    precision: str,
    evaluation: Evaluation | None = None,
    force: bool = False,
    runtime: str = "onnx",
) -> Report:
    """Compare the exported ``folder`` with its ``checkpoint``; the numbers, for ``export.json``.

    Raises WeightsError where they differ too much; with ``force`` only for what is not finite.
    """
    reference = open_runtime("torch", checkpoint, "cpu")
    device = "auto" if runtime == "tensorrt" else "cpu"
    exported = open_runtime(runtime, folder, device, precision)
    near = NEAR[precision]
    report: Report = {"runtime": runtime, "near": near, **compared(reference, exported)}
    if evaluation is None:
        inputs = drawn_inputs(reference.metadata.sizes, DRAWN)
        report["task"] = {"inputs": "random", **agreement(reference, exported, inputs, near)}
    else:
        report |= _on_data(evaluation, reference, exported, near)
    faults = _faults(report, precision)
    report["passed"] = not faults
    if faults and (precision == "fp32" or not force):
        raise WeightsError(
            f"{precision} does not predict what the checkpoint does: {'; '.join(faults)}",
            "nothing was written; --data compares on real inputs; --force keeps fp16 or int8",
        )
    report["faults"] = faults
    return report


def compared(reference: Runtime, other: Runtime) -> Report:
    """The largest differences over ``SHAPES``. WeightsError where one is not finite."""
    shapes = []
    for seed, shape in enumerate(SHAPES):
        inputs = random_inputs(reference.metadata.sizes, shape, seed)
        mine, theirs = reference.run(inputs), other.run(inputs)
        absolute, relative = _differences(mine, theirs)
        shapes.append(
            {
                **dict(zip("KTCN", shape, strict=True)),
                "max_abs": absolute,
                "max_rel": relative,
            }
        )
    return {
        "max_abs": max(one["max_abs"] for one in shapes),
        "max_rel": max(one["max_rel"] for one in shapes),
        "shapes": shapes,
    }


def agreement(
    reference: Runtime, other: Runtime, many: Iterator[GroundingInputs], near: float
) -> Report:
    """On what share of the inputs both choose the same tubelet, and segments with ``near`` ends."""
    tubelets, segments = [], []
    for inputs in many:
        mine, theirs = reference.run(inputs), other.run(inputs)
        tubelets.append(_same_tubelet(mine, theirs))
        segments.append(_same_segment(mine, theirs, near))
    both = [one and two for one, two in zip(tubelets, segments, strict=True)]
    return {
        "samples": len(both),
        "same_tubelet": _share(tubelets),
        "same_segment": _share(segments),
        "same": _share(both),
    }


def random_inputs(sizes: Sizes, shape: Sequence[int], seed: int) -> GroundingInputs:
    """Inputs of K, T, C, N = ``shape``, some of everything masked, at least one of each there."""
    rng = np.random.default_rng(seed)
    k, t, c, n = shape

    def mask(*lengths: int) -> np.ndarray:
        values = rng.random(lengths) < 0.8
        values[..., 0] = True
        return values

    words = mask(n)
    phrase_ids = rng.integers(0, sizes.phrases + 1, n) * words
    return GroundingInputs(
        tubelets=rng.normal(size=(k, t, sizes.tubelets)).astype(np.float32),
        tubelet_mask=mask(k, t),
        clips=rng.normal(size=(c, sizes.clips)).astype(np.float32),
        clip_mask=np.arange(c) < max(1, c - c // 8),  # padding stands behind
        words=rng.normal(size=(n, sizes.words)).astype(np.float32),
        word_mask=words,
        referral_mask=words & mask(n),
        content_mask=words,
        word_ids=rng.integers(0, sizes.vocabulary, n),
        phrase_ids=phrase_ids,
    )


def drawn_inputs(sizes: Sizes, count: int) -> Iterator[GroundingInputs]:
    """Random inputs of the usual shapes."""
    rng = np.random.default_rng(0)
    for seed in range(count):
        k, c, n = (int(number) for number in rng.integers((2, 20, 4), (14, 100, 16)))
        yield random_inputs(sizes, (k, 32, c, n), 1000 + seed)


def _on_data(evaluation: Evaluation, reference: Runtime, other: Runtime, near: float) -> Report:
    prepared = Prepared.open(evaluation.prepared)
    if differences := FeatureSpec(reference.metadata.features).differences(prepared.spec):
        raise UsageError(
            f"{str(evaluation.prepared)!r} holds other features: {'; '.join(differences)}",
            "prepare the data with the settings of the training",
        )
    samples = prepared.samples(evaluation.split)[: evaluation.limit]
    inputs = _real_inputs(prepared, samples, reference.metadata)
    report: Report = {
        "task": {
            "inputs": f"{evaluation.split} of {evaluation.prepared.parent.name}",
            "synthetic": prepared.synthetic,
            **agreement(reference, other, inputs, near),
        }
    }
    if not report["task"]["samples"]:
        raise InputError(f"the split {evaluation.split!r} has no sample with a tubelet")
    if evaluation.root is not None:
        report["accuracy"] = _accuracy(evaluation, prepared, samples, reference, other)
    return report


def _real_inputs(
    prepared: Prepared, samples: Sequence[Sample], metadata: HeadsMetadata
) -> Iterator[GroundingInputs]:
    for sample in samples:
        vision = prepared.features(sample)
        if len(vision.tubelets):
            yield inputs_of(vision, prepared.phrases(sample), metadata, GroundConfig())[0]


def _accuracy(
    evaluation: Evaluation,
    prepared: Prepared,
    samples: Sequence[Sample],
    reference: Runtime,
    other: Runtime,
) -> Report:
    """The metrics of both on the samples with a truth, and how much the second loses."""
    from cospal_cli import datasets

    assert evaluation.root is not None
    dataset = datasets.read(evaluation.root, evaluation.split, truth=True)
    known = [one for one in samples if one.id in dataset.truths]
    truths = {one.id: dataset.truths[one.id] for one in known}
    means = []
    for runtime in (reference, other):
        predicted = dict(predictions(prepared, known, "cospal", Config(), runtime))
        rows = evaluate(predicted, truths, resamples=0).rows[PREDICTED]
        means.append({name: round(float(rows[name].mean), 6) for name in METRICS})
    drop = {name: round(means[0][name] - means[1][name], 6) for name in METRICS}
    return {"samples": len(known), "checkpoint": means[0], "exported": means[1], "drop": drop}


def _differences(mine: GroundingScores, theirs: GroundingScores) -> tuple[float, float]:
    absolute = relative = 0.0
    for name in (name for name in HEAD_OUTPUTS if getattr(mine, name) is not None):
        one, two = (np.asarray(getattr(scores, name), np.float64) for scores in (mine, theirs))
        if one.shape != two.shape:
            raise WeightsError(f"{name}: the checkpoint gives {one.shape}, the export {two.shape}")
        gap = np.abs(one - two)
        absolute = max(absolute, float(gap.max()))
        relative = max(relative, float((gap / np.maximum(np.abs(one), 1e-6)).max()))
    return absolute, relative


def _same_tubelet(mine: GroundingScores, theirs: GroundingScores) -> bool:
    best = int(theirs.tubelet_scores.argmax())
    return bool(mine.tubelet_scores.max() - mine.tubelet_scores[best] <= TIE)


def _same_segment(mine: GroundingScores, theirs: GroundingScores, near: float) -> bool:
    """Whether the best proposal's ends are; which of two equal ones is named does not matter."""
    if mine.proposals is None or mine.proposal_scores is None:
        return _bins(mine) == _bins(theirs)
    assert theirs.proposals is not None
    assert theirs.proposal_scores is not None
    best = int(theirs.proposal_scores.argmax())
    if mine.proposal_scores.max() - mine.proposal_scores[best] > TIE:
        return False
    return bool(np.abs(mine.proposals[best] - theirs.proposals[best]).max() <= near)


def _bins(scores: GroundingScores) -> tuple[int, int]:
    """The segment of the best tubelet by its curves; all of it where nothing asks."""
    assert scores.curves is not None
    curves = scores.curves[scores.tubelet_scores.argmax()].T
    rows = curves[(curves != ABSENT).any(axis=1)]
    return in_order(rows) if 0 < len(rows) <= curves.shape[1] else (0, curves.shape[1])


def _faults(report: Report, precision: str) -> list[str]:
    faults = []
    limit = TOLERANCES[precision]
    if limit is not None and not report["max_abs"] <= limit:
        faults.append(f"outputs differ by up to {report['max_abs']:.2g}, more than {limit:g}")
    if not report["task"]["same"] >= AGREEMENTS[precision]:
        task = report["task"]
        faults.append(
            f"the same prediction on {task['same']:.1%} of {task['samples']} {task['inputs']} "
            f"inputs, less than {AGREEMENTS[precision]:.0%}"
        )
    return faults


def _share(values: Sequence[bool]) -> float:
    return round(sum(values) / max(len(values), 1), 6)

"""Many predictions against their truths: means with intervals, what-if rows, groups, gaps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.observation import FrameSpan
from cospal_cli.evaluation.bootstrap import Interval, intervals
from cospal_cli.evaluation.metrics import common_ious
from cospal_cli.evaluation.protocols import Score, score
from cospal_cli.evaluation.tubes import NOTHING, Prediction, Track, Truth

METRICS = ("m_tIoU", "m_vIoU", "vIoU@0.3", "vIoU@0.5", "m_sIoU")
TOP1 = "top-1 tubelet"
CHANCE = "top-1 by chance"
PREDICTED = "predicted"
WHOLE = "whole tubelet"
BEST_TUBELET = "oracle tubelet"
TRUE_TIME = "oracle time"
BOTH = "oracle tubelet and time"
TUBELET_EDGES = (1, 5, 8)  # the stages of self-paced training
ACTION_EDGES = (1, 2, 3, 4, 5)

Columns = dict[str, NDArray[np.float64]]  # metric -> one value per sample
Means = dict[str, Interval]  # metric -> mean and its interval


@dataclass(frozen=True)
class Group:
    """Samples that share a label, such as ``form`` = ``interrogative``."""

    kind: str
    label: str
    samples: int
    means: Means


@dataclass(frozen=True)
class EvaluationReport:
    """The result of ``evaluate``. All means lie in [0, 1] and are over every truth."""

    protocol: str
    samples: int
    rows: dict[str, Means]  # the predictions as they are, then what-if rows
    groups: tuple[Group, ...]  # of the predictions as they are
    missing: tuple[str, ...]  # truths without a prediction: they count 0
    empty: tuple[str, ...]  # predictions without one box in their span: likewise
    unknown: tuple[str, ...]  # predictions without a truth: left out
    values: dict[str, dict[str, float]]  # id -> metric -> value, of the predictions as they are

    def as_dict(self) -> JsonDict:
        """Plain values for JSON, without ``values``."""
        return {
            "protocol": self.protocol,
            "samples": self.samples,
            "missing": {"count": len(self.missing), "ids": list(self.missing)},
            "empty": {"count": len(self.empty), "ids": list(self.empty)},
            "unknown": {"count": len(self.unknown), "ids": list(self.unknown)},
            "rows": {name: _plain(means) for name, means in self.rows.items()},
            "groups": [
                {"kind": one.kind, "label": one.label, "samples": one.samples} | _plain(one.means)
                for one in self.groups
            ],
        }

    def remarks(self) -> list[str]:
        """What a reader of the numbers must know, in sentences; often empty."""
        remarks = []
        for ids, what in (
            (self.missing, f"of {self.samples} predictions are missing and count 0"),
            (self.empty, f"of {self.samples} predictions hold no box and count 0"),
            (self.unknown, "predictions belong to no ground truth and are left out"),
        ):
            if ids:
                more = ", ..." if len(ids) > 3 else ""
                remarks.append(f"{len(ids)} {what} ({', '.join(ids[:3])}{more})")
        return remarks


def evaluate(
    predictions: Mapping[str, Prediction | None],
    truths: Mapping[str, Truth],
    protocol: str = "plain",
    *,
    groups: Mapping[str, Mapping[str, str]] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> EvaluationReport:
    """Score ``predictions`` (by id; None: nothing found) against ``truths`` by id.

    ``groups``: further ways to split the samples, kind -> id -> label; the sentence's form and the
    number of tubelets are always there where they differ. Intervals are 95 % percentiles
    over ``resamples`` draws of whole videos; 0 leaves them out. UsageError for an unknown protocol.
    """
    ids = list(truths)
    cases = [_case(truths[one], predictions.get(one)) for one in ids]
    rows = {name: _columns(cases, protocol, tracks_of) for name, tracks_of in _rows(cases).items()}
    rows[PREDICTED] |= _top1(cases)
    videos = [truths[one].video or one for one in ids]

    def means(columns: Columns, chosen: Sequence[int]) -> Means:
        return intervals(
            {name: column[chosen] for name, column in columns.items()},
            [videos[at] for at in chosen],
            resamples=resamples,
            seed=seed,
        )

    labels = _own_groups(ids, cases) | dict(groups or {})
    return EvaluationReport(
        protocol=protocol,
        samples=len(ids),
        rows={name: means(columns, range(len(ids))) for name, columns in rows.items()},
        groups=tuple(
            Group(kind, label, len(chosen), means(rows[PREDICTED], chosen))
            for kind, by_id in labels.items()
            for label, chosen in _members(ids, by_id).items()
        ),
        missing=tuple(one for one in ids if one not in predictions),
        empty=tuple(
            one
            for one, case in zip(ids, cases, strict=True)
            if one in predictions and not (case.prediction and len(case.prediction.tube))
        ),
        unknown=tuple(one for one in predictions if one not in truths),
        values={
            one: {name: float(column[at]) for name, column in rows[PREDICTED].items()}
            for at, one in enumerate(ids)
        },
    )


def by_count(counts: Mapping[str, int], edges: Sequence[int]) -> dict[str, str]:
    """id -> the label of its bin: edges 1, 5, 8 make "1-4", "5-7" and "8+"; below them "<1"."""
    names = [f"{low}" if low == high - 1 else f"{low}-{high - 1}" for low, high in pairwise(edges)]
    names = [f"<{edges[0]}", *names, f"{edges[-1]}+"]
    return {one: names[np.searchsorted(edges, count, "right")] for one, count in counts.items()}


class Case(NamedTuple):
    """One sample. ``fits`` (K,): how well the boxes of each tubelet fit the truth."""

    truth: Truth
    prediction: Prediction | None
    fits: NDArray[np.float64]


TracksOf = Callable[[Case, Prediction], tuple[Track, Track]]  # -> tube, what boxes are judged by


def _case(truth: Truth, prediction: Prediction | None) -> Case:
    return Case(truth, prediction, _fits(truth, prediction.tubelets if prediction else ()))


def _fits(truth: Truth, tubelets: Sequence[Track]) -> NDArray[np.float64]:
    """Each tubelet's mean IoU over the truth's boxes."""
    if not tubelets:
        return np.empty(0)
    owner = np.repeat(np.arange(len(tubelets)), [len(one) for one in tubelets])
    frames = np.concatenate([one.frames for one in tubelets])
    boxes = np.concatenate([one.boxes_xyxy for one in tubelets])
    rows, ious = common_ious(frames, boxes, truth.track.frames, truth.track.boxes_xyxy)
    return np.bincount(owner[rows], ious, len(tubelets)) / len(truth.track)


def _rows(cases: Sequence[Case]) -> dict[str, TracksOf]:
    """The table's rows; those that choose another tubelet need to know the others."""
    rows: dict[str, TracksOf] = {
        PREDICTED: lambda case, prediction: (prediction.tube, prediction.track),
        TRUE_TIME: lambda case, prediction: (
            prediction.track.cut(case.truth.span),
            prediction.track,
        ),
    }
    if any(len(case.fits) for case in cases):
        rows[WHOLE] = lambda case, prediction: (prediction.track, prediction.track)
        rows[BEST_TUBELET] = lambda case, prediction: _of_best(case, prediction, prediction.span)
        rows[BOTH] = lambda case, prediction: _of_best(case, prediction, case.truth.span)
    return rows


def _of_best(case: Case, prediction: Prediction, span: FrameSpan) -> tuple[Track, Track]:
    """The tubelet whose boxes fit the truth best, cut to ``span``, and whole."""
    best = prediction.tubelets[int(case.fits.argmax())] if len(case.fits) else prediction.track
    return best.cut(span), best


def _columns(cases: Sequence[Case], protocol: str, tracks_of: TracksOf) -> Columns:
    """Every metric per sample; 0 where there is no prediction."""
    scores = [
        score(
            protocol,
            case.truth,
            *(tracks_of(case, case.prediction) if case.prediction else (NOTHING, NOTHING)),
        )
        for case in cases
    ]
    t, v, s = np.array(scores or np.empty((0, len(Score._fields))), np.float64).T
    return dict(zip(METRICS, (t, v, (v > 0.3) * 1.0, (v > 0.5) * 1.0, s), strict=True))


def _top1(cases: Sequence[Case]) -> Columns:
    """Whether the chosen tubelet is the best one (ties are), and how often chance would say so.

    A sample where no tubelet touches the truth counts 0. {} where no tubelets are known.
    """
    if not any(len(case.fits) for case in cases):
        return {}
    hits, chances = np.zeros(len(cases)), np.zeros(len(cases))
    for at, (truth, prediction, fits) in enumerate(cases):
        if prediction and len(fits) and fits.max() > 0:
            best = fits.max() * (1 - 1e-9)
            hits[at] = _fits(truth, [prediction.track])[0] >= best
            chances[at] = np.mean(fits >= best)
    return {TOP1: hits, CHANCE: chances}


def _own_groups(ids: Sequence[str], cases: Sequence[Case]) -> dict[str, dict[str, str]]:
    """The splits that the data itself knows of."""
    groups: dict[str, dict[str, str]] = {}
    by_id = dict(zip(ids, cases, strict=True))
    forms = {one: case.truth.form for one, case in by_id.items()}
    if len(set(forms.values())) > 1:
        groups["form"] = forms
    counts = {one: len(case.fits) for one, case in by_id.items() if len(case.fits)}
    if counts:
        groups["tubelets"] = by_count(counts, TUBELET_EDGES)
    return groups


def _members(ids: Sequence[str], labels: Mapping[str, str]) -> dict[str, list[int]]:
    """label -> positions of its samples, labels sorted."""
    members: dict[str, list[int]] = {label: [] for label in sorted(set(labels.values()))}
    for at, one in enumerate(ids):
        if one in labels:
            members[labels[one]].append(at)
    return {label: chosen for label, chosen in members.items() if chosen}


def _plain(means: Means) -> JsonDict:
    return {
        name: {"mean": _number(one.mean), "low": one.low, "high": one.high}
        for name, one in means.items()
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value

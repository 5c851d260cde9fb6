"""A page of an evaluation: figures, distributions, and the samples at both ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cospal_cli.core.observation import FrameSpan
from cospal_cli.core.progress import Progress, never, silent
from cospal_cli.datasets.records import Dataset, Record
from cospal_cli.evaluation.bootstrap import Interval
from cospal_cli.evaluation.plots import BY_GROUP, OVERLAPS, above
from cospal_cli.evaluation.summary import PREDICTED, EvaluationReport
from cospal_cli.evaluation.tubes import Prediction, Track, Truth
from cospal_cli.report.drawing import TimeLine, time_line
from cospal_cli.report.links import Link, href
from cospal_cli.report.page import write_page
from cospal_cli.report.sheets import CELLS, Box, PageSheet, PageShot, SheetOrder, sheets, spread

SHOWN = 6  # samples at each end
BINS = 10  # of a histogram
CHART = (320, 200)  # width and height of a chart's field


@dataclass(frozen=True)
class ScoredSample:
    """One record with its truth and a method's prediction."""

    id: str
    record: Record
    values: dict[str, float]  # by metric
    line: TimeLine
    order: SheetOrder


@dataclass(frozen=True)
class SampleCard:
    """A sample with its pictures."""

    sample: ScoredSample
    sheet: PageSheet
    link: Link | None


@dataclass(frozen=True)
class Chart:
    """Shares of samples above a threshold: a polyline for each method."""

    name: str
    lines: tuple[tuple[str, str], ...]  # (method, points)
    spoken: str


@dataclass
class EvaluationPage:
    """The page of ``evaluate``: methods are added one by one, then it is written to ``path``."""

    path: Path
    title: str
    dataset: Dataset
    notes: list[str] = field(default_factory=list)
    reports: dict[str, EvaluationReport] = field(default_factory=dict)
    worst: dict[str, list[ScoredSample]] = field(default_factory=dict)
    best: dict[str, list[ScoredSample]] = field(default_factory=dict)

    def add(
        self, method: str, report: EvaluationReport, predictions: Mapping[str, Prediction | None]
    ) -> None:
        """Add a method; of its predictions only those are kept that the page shows."""
        self.reports[method] = report
        self.notes += [f"{method}: {remark}" for remark in report.remarks()]
        records = {one.id: one for one in self.dataset.records}

        def samples(ids: Sequence[str]) -> list[ScoredSample]:
            return [
                _sample(
                    records[one], self.dataset.truths[one], predictions.get(one), report.values[one]
                )
                for one in ids
            ]

        ordered = sorted(
            (one for one in report.values if one in records),
            key=lambda one: [report.values[one][name] for name in (BY_GROUP, *OVERLAPS)],
        )
        low = min(SHOWN, len(ordered) // 2)
        self.worst[method] = samples(ordered[:low])
        self.best[method] = samples(ordered[low:][-SHOWN:][::-1])

    def write(self, progress: Progress = silent, stopped: Callable[[], bool] = never) -> None:
        """Decode what the sheets show, and write the page, whole or not at all."""
        kinds = {"worst": self.worst, "best": self.best}
        places = [
            (kind, method, one)
            for method in self.reports
            for kind, by_method in kinds.items()
            for one in by_method[method]
        ]
        made = sheets([(one.order, one.record.video) for *_, one in places], progress, stopped)
        cards: dict[str, dict[str, list[SampleCard]]] = {
            method: {kind: [] for kind in kinds} for method in self.reports
        }
        for (kind, method, one), sheet in zip(places, made, strict=True):
            cards[method][kind].append(SampleCard(one, sheet, self._link(one)))
        write_page(
            self.path,
            "evaluation.html",
            self.title,
            [],
            notes=self.notes,
            methods=list(self.reports),
            rows_of=_tables(self.reports),
            charts=[_chart(name, self.reports) for name in OVERLAPS],
            histograms=_histograms(self.reports),
            groups=_groups(self.reports),
            by_group=BY_GROUP,
            chart=CHART,
            cards=cards,
        )

    def _link(self, one: ScoredSample) -> Link | None:
        video = one.record.video
        return Link(video.name, href(video, self.path.parent)) if video.is_file() else None


def _sample(
    record: Record, truth: Truth, prediction: Prediction | None, values: Mapping[str, float]
) -> ScoredSample:
    rate = record.fps or truth.fps
    tube = prediction.tube if prediction else Track(np.empty(0, np.int64), np.empty((0, 4)))
    spans = [("truth", truth.span)]
    if len(tube) and prediction:
        spans.insert(0, ("prediction", prediction.span))
    return ScoredSample(
        record.id,
        record,
        dict(values),
        time_line(
            max(truth.segment[1], truth.span[1]) / rate,
            [(name, span[0] / rate, span[1] / rate) for name, span in spans],
            kinds=["best", "truth"] if len(spans) > 1 else ["truth"],
        ),
        SheetOrder(str(record.video), None, None, _shots(tube, truth, [s for _, s in spans], rate)),
    )


def _shots(
    tube: Track, truth: Truth, spans: Sequence[FrameSpan], rate: float
) -> tuple[PageShot, ...]:
    """Frames from the first to the last of either, with the box of each."""
    frames = np.unique(np.concatenate([np.arange(*span) for span in spans])).tolist()
    return tuple(
        PageShot(frame, frame / rate, (_box(tube, frame), _box(truth.track, frame)))
        for frame in (frames[at] for at in spread(len(frames), CELLS))
    )


def _box(track: Track, frame: int) -> Box | None:
    at = int(np.searchsorted(track.frames, frame))
    if at == len(track) or track.frames[at] != frame:
        return None
    left, top, right, bottom = track.boxes_xyxy[at].tolist()
    return left, top, right, bottom


def _tables(reports: Mapping[str, EvaluationReport]) -> dict[str, dict[str, dict[str, Interval]]]:
    """The methods side by side, then the what-if rows of each."""
    tables = {"": {name: report.rows[PREDICTED] for name, report in reports.items()}}
    for name, report in reports.items():
        tables[name] = {row: means for row, means in report.rows.items() if row != PREDICTED}
    return {name: rows for name, rows in tables.items() if rows}


def _chart(name: str, reports: Mapping[str, EvaluationReport]) -> Chart:
    thresholds = np.linspace(0, 1, 101)
    width, height = CHART
    lines, told = [], []
    for method, report in reports.items():
        shares = above(_values(report, name), thresholds)
        points = zip(thresholds * width, height * (1 - shares), strict=True)
        lines.append((method, " ".join(f"{x:.1f},{y:.1f}" for x, y in points)))
        told.append(f"{method}: {shares[30]:.0%} above 0.3, {shares[50]:.0%} above 0.5")
    return Chart(name.removeprefix("m_"), tuple(lines), "; ".join(told))


def _histograms(
    reports: Mapping[str, EvaluationReport],
) -> dict[str, list[tuple[str, int, float]]]:
    """Of each method (bin, samples, share of the greatest bin in per cent)."""
    edges = np.linspace(0, 1, BINS + 1)
    found = {}
    for method, report in reports.items():
        counts, _ = np.histogram(_values(report, BY_GROUP), edges)
        most = max(1, int(counts.max()))
        found[method] = [
            (f"{low:.1f} to {low + 1 / BINS:.1f}", int(count), round(100 * int(count) / most, 1))
            for low, count in zip(edges, counts, strict=False)
        ]
    return found


def _values(report: EvaluationReport, name: str) -> np.ndarray:
    return np.array([one[name] for one in report.values.values()], np.float64)


def _groups(
    reports: Mapping[str, EvaluationReport],
) -> dict[str, dict[tuple[str, int], dict[str, Interval]]]:
    """kind -> (label, samples) -> method -> its mean overlap."""
    found: dict[str, dict[tuple[str, int], dict[str, Interval]]] = {}
    for method, report in reports.items():
        for one in report.groups:
            rows = found.setdefault(one.kind, {}).setdefault((one.label, one.samples), {})
            rows[method] = one.means[BY_GROUP]
    return found

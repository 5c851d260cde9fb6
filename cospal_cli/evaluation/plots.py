"""Reports as a picture: how the overlaps are distributed, and which samples are hard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cospal_cli.core.files import replacing
from cospal_cli.core.registry import require
from cospal_cli.evaluation.summary import EvaluationReport, Group

OVERLAPS = ("m_tIoU", "m_vIoU", "m_sIoU")  # one value per sample each
BY_GROUP = "m_vIoU"
_INCHES = 4.2  # of a panel's side
_MARKS = (0.3, 0.5)  # thresholds that tables give


def distributions(path: Path, reports: Mapping[str, EvaluationReport], title: str) -> None:
    """Write a PNG: per overlap the share of samples above each threshold, per kind of group the
    mean vIoU with its interval; a colour per method. UsageError without matplotlib.

    All reports are of one protocol and the same truths.
    """
    figure_module = require("matplotlib.figure", "train")
    kinds = list(dict.fromkeys(one.kind for report in reports.values() for one in report.groups))
    rows = 2 if kinds else 1
    columns = max(len(OVERLAPS), len(kinds))
    figure = figure_module.Figure((_INCHES * columns, _INCHES * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    figure.suptitle(title)
    for axes in panels.flat:
        axes.set_axis_off()
    for axes, name in zip(panels[0], OVERLAPS, strict=False):
        _above(axes, reports, name)
    for axes, kind in zip(panels[-1] if kinds else (), kinds, strict=False):
        _groups(axes, reports, kind)
    panels[0][0].legend(fontsize="small")
    with replacing(path) as part:
        figure.savefig(part, format="png", dpi=110)


def above(values: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """The share of ``values`` (S,) strictly above each threshold (R,)."""
    ordered = np.sort(values)
    return 1 - np.searchsorted(ordered, thresholds, "right") / max(len(ordered), 1)


def _above(axes: Any, reports: Mapping[str, EvaluationReport], name: str) -> None:
    axes.set_axis_on()
    thresholds = np.linspace(0, 1, 201)
    for method, report in reports.items():
        values = np.array([one[name] for one in report.values.values()])
        axes.plot(thresholds, above(values, thresholds), label=method)
    for mark in _MARKS:
        axes.axvline(mark, color="0.8", linewidth=0.8, zorder=0)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel=name.removeprefix("m_"), ylabel="share above")


def _groups(axes: Any, reports: Mapping[str, EvaluationReport], kind: str) -> None:
    axes.set_axis_on()
    labels = list(
        dict.fromkeys(
            f"{one.label}\n({one.samples})"
            for report in reports.values()
            for one in report.groups
            if one.kind == kind
        )
    )
    width = 0.8 / len(reports)
    for at, (method, report) in enumerate(reports.items()):
        of_kind = [one for one in report.groups if one.kind == kind]
        places = [labels.index(f"{one.label}\n({one.samples})") for one in of_kind]
        centres = np.array(places) + (at - (len(reports) - 1) / 2) * width
        means = [one.means[BY_GROUP].mean for one in of_kind]
        axes.bar(centres, means, width, yerr=_errors(of_kind), label=method, error_kw={"lw": 0.8})
    axes.set_xticks(range(len(labels)), labels, fontsize="small")
    axes.set(xlabel=f"{kind} (samples)", ylabel=BY_GROUP)


def _errors(groups: list[Group]) -> np.ndarray | None:
    """Distances (2, G) from the means to their intervals' ends; None where there are none."""
    means = [one.means[BY_GROUP] for one in groups]
    if any(one.low is None or one.high is None for one in means):
        return None
    below = [one.mean - (one.low or 0.0) for one in means]
    over = [(one.high or 0.0) - one.mean for one in means]
    return np.maximum(np.array([below, over]), 0)

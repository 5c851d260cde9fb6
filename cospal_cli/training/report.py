"""A picture of a training: its losses, and the scores of its validation."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from cospal_cli.core.errors import UsageError
from cospal_cli.core.files import replacing
from cospal_cli.core.registry import require
from cospal_cli.training.metrics import TRAIN, VALIDATION, Line, read

LOG = logging.getLogger("cospal")
FILE = "training.png"
LOSSES = ("loss", "spatial", "temporal", "nll", "nll_whole", "contrast", "diversity")
JUDGED = ("m_tIoU", "m_vIoU", "top-1 tubelet")


def draw(folder: Path, title: str) -> Path | None:
    """Draw the metrics of the training in ``folder``; None, with a word why, where that fails.

    Above the losses by update, training's and (dots) the validation's; below the validation's
    scores, if there are truths to score by. A line marks where a stage begins.
    """
    lines = read(folder)
    try:
        require("matplotlib", "train")
    except UsageError as error:
        LOG.warning("no picture of the training: %s (%s)", error.message, error.hint)
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    judged = any(name in line for line in lines for name in JUDGED)
    figure = Figure(figsize=(10, 8 if judged else 5), layout="constrained")
    FigureCanvasAgg(figure)
    above, *below = figure.subplots(1 + judged, 1, sharex=True, squeeze=False)[:, 0]
    above.set_title(title)
    _losses(above, lines)
    for axes in below:
        _scores(axes, lines)
    for axes in (above, *below):
        for update in _stages(lines):
            axes.axvline(update, color="0.7", linewidth=0.8, linestyle="--")
        axes.grid(alpha=0.25)
        axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
    (below or [above])[-1].set_xlabel("updates")
    target = folder / FILE
    with replacing(target) as part:
        figure.savefig(part, format="png", dpi=120)
    return target


def _losses(axes: Any, lines: Sequence[Line]) -> None:
    for number, name in enumerate(LOSSES):
        xs, ys = _series(lines, TRAIN, name)
        if xs:
            axes.plot(xs, ys, color=f"C{number}", linewidth=1, label=name)
        xs, ys = _series(lines, VALIDATION, name)
        if xs and name in ("loss", "spatial", "temporal"):
            axes.plot(xs, ys, "o:", color=f"C{number}", markersize=4, label=f"{name}, validation")
    axes.set_ylabel("loss")


def _scores(axes: Any, lines: Sequence[Line]) -> None:
    for number, name in enumerate(JUDGED):
        xs, ys = _series(lines, VALIDATION, name)
        if xs:
            axes.plot(xs, ys, "o-", color=f"C{number}", markersize=4, label=name)
    axes.set_ylabel("validation")
    axes.set_ylim(bottom=0)


def _series(lines: Sequence[Line], kind: str, name: str) -> tuple[list[int], list[float]]:
    rows = [line for line in lines if line["kind"] == kind and name in line]
    return [row["update"] for row in rows], [row[name] for row in rows]


def _stages(lines: Sequence[Line]) -> list[int]:
    """Updates at which the stage is another than before."""
    rows = [line for line in lines if line["kind"] == TRAIN]
    changes = pairwise(rows)
    return [after["update"] for before, after in changes if before["stage"] != after["stage"]]

"""Reports as a table for a terminal: one line per method, then what lies behind each."""

from __future__ import annotations

from collections.abc import Mapping

from cospal_cli.core import table as tables
from cospal_cli.evaluation.bootstrap import Interval
from cospal_cli.evaluation.summary import PREDICTED, EvaluationReport, Means


def table(
    reports: Mapping[str, EvaluationReport], *, details: bool = True, width: int = tables.WIDTH
) -> list[str]:
    """Lines: remarks, then percentages with their intervals, a line per method; then, for each
    method, its what-if rows and its groups. What ``width`` does not hold goes on below.

    All reports are of one protocol and the same truths.
    """
    lines = [f"{name}: {remark}" for name, report in reports.items() for remark in report.remarks()]
    lines = [part for line in lines for part in tables.wrapped(line, width, "  ")]
    first = next(iter(reports.values()), None)
    if first is None:
        return lines
    metrics = list(first.rows[PREDICTED])
    rows = [[f"{first.samples} samples, {first.protocol}", *metrics]]
    rows += [_row(name, report.rows[PREDICTED]) for name, report in reports.items()]
    lines += tables.table(rows, width=width)
    for name, report in reports.items() if details else ():
        rows = [[name, *metrics]]
        rows += [_row(f"  {row}", of) for row, of in report.rows.items() if row != PREDICTED]
        rows += [
            _row(f"  {one.kind} {one.label} ({one.samples})", one.means) for one in report.groups
        ]
        lines += ["", *tables.table(rows, width=width)]
    return lines


def _row(name: str, means: Means) -> list[str]:
    return [name, *map(_percent, means.values())]


def _percent(one: Interval) -> str:
    mean = f"{100 * one.mean:.1f}"
    if one.low is None or one.high is None:
        return mean
    return f"{mean} [{100 * one.low:.1f}, {100 * one.high:.1f}]"

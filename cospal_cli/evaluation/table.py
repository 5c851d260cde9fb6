"""Reports as a table for a terminal: one line per method, then what lies behind each."""

from __future__ import annotations

from collections.abc import Mapping

from cospal_cli.evaluation.bootstrap import Interval
from cospal_cli.evaluation.summary import PREDICTED, Means, Report

_FIRST = 28  # columns
_CELL = 22


def table(reports: Mapping[str, Report], *, details: bool = True) -> list[str]:
    """Lines: remarks, then percentages with their intervals, a line per method; then, for each
    method, its what-if rows and its groups.

    All reports are of one protocol and the same truths.
    """
    lines = [f"{name}: {remark}" for name, report in reports.items() for remark in report.remarks()]
    for at, (name, report) in enumerate(reports.items()):
        predicted = report.rows[PREDICTED]
        if not at:
            lines.append(_line(f"{report.samples} samples, {report.protocol}", list(predicted)))
        lines.append(_row(name, predicted))
    if not details:
        return lines
    for name, report in reports.items():
        lines += ["", name]
        lines += [_row(f"  {row}", of) for row, of in report.rows.items() if row != PREDICTED]
        lines += [
            _row(f"  {one.kind} {one.label} ({one.samples})", one.means) for one in report.groups
        ]
    return lines


def _row(name: str, means: Means) -> str:
    return _line(name, [_percent(one) for one in means.values()])


def _percent(one: Interval) -> str:
    mean = f"{100 * one.mean:.1f}"
    if one.low is None or one.high is None:
        return mean
    return f"{mean} [{100 * one.low:.1f}, {100 * one.high:.1f}]"


def _line(name: str, cells: list[str]) -> str:
    return (name.ljust(_FIRST) + "".join(cell.rjust(_CELL) for cell in cells)).rstrip()

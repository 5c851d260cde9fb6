"""Tables as lines of text that fit a width: the one printer of every table."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence

WIDTH = 100  # columns where there is no terminal and COLUMNS is not set
SIDE_BY_SIDE = 80  # below that, a table that does not fit is stacked
_GAP = 2
_LEAST_TEXT = 24  # columns below which wrapping the last one would be hard to read

Rows = Sequence[Sequence[str]]


def screen_width() -> int:
    """What COLUMNS says, else the columns of the terminal; without one ``WIDTH``."""
    return shutil.get_terminal_size((WIDTH, 24)).columns


def table(rows: Rows, align: str = "", width: int = WIDTH) -> list[str]:
    """Rows, the first one the headings, as lines of at most ``width`` columns.

    ``align``: "l" or "r" for each column; by default the first left and the others right. What
    does not fit side by side is wrapped where the last column is text, else its columns go on in
    further blocks; below ``SIDE_BY_SIDE`` columns every row is a block of its own.
    """
    count = max(map(len, rows))
    cells = [[*row, *[""] * (count - len(row))] for row in rows]
    align = align or "l" + "r" * (count - 1)
    widths = [max(len(row[column]) for row in cells) for column in range(count)]
    if _total(widths) <= width:
        return _block(cells, widths, align)
    if width < SIDE_BY_SIDE:
        return _stacked(cells, width)
    rest = width - _total(widths[:-1]) - _GAP
    if align[-1] == "l" and rest >= _LEAST_TEXT:
        return _block(cells, [*widths[:-1], rest], align)
    return _blocks(cells, widths, align, width)


def wrapped(text: str, width: int, margin: str = "") -> list[str]:
    """``text`` as lines of at most ``width`` columns, ``margin`` before all but the first."""
    return textwrap.wrap(
        text, max(width, len(margin) + 8), subsequent_indent=margin, break_on_hyphens=False
    ) or [""]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _block(cells: Rows, widths: Sequence[int], align: str) -> list[str]:
    """The cells side by side; the last may take several lines."""
    lines = []
    for row in cells:
        *first, last = row
        for at, part in enumerate(wrapped(last, widths[-1]) if align[-1] == "l" else [last]):
            shown = [*(first if not at else [""] * len(first)), part]
            placed = (
                cell.rjust(size) if side == "r" else cell.ljust(size)
                for cell, size, side in zip(shown, widths, align, strict=True)
            )
            lines.append((" " * _GAP).join(placed).rstrip())
    return lines


def _blocks(cells: Rows, widths: Sequence[int], align: str, width: int) -> list[str]:
    """As many columns side by side as fit, then the others; the first column again in each."""
    lines: list[str] = []
    column = 1
    while column < len(widths):
        end = column + 1
        while end < len(widths) and _total([widths[0], *widths[column : end + 1]]) <= width:
            end += 1
        chosen = [0, *range(column, end)]
        part = [[row[at] for at in chosen] for row in cells]
        lines += [""] * bool(lines)
        lines += _block(part, [widths[at] for at in chosen], "".join(align[at] for at in chosen))
        column = end
    return lines


def _stacked(cells: Rows, width: int) -> list[str]:
    """Every row by itself: its first cell, then a line per column."""
    heads, *body = cells
    lines = wrapped(heads[0], width) if heads[0] else []
    room = max(map(len, heads[1:]), default=0)
    for row in body:
        lines += wrapped(row[0], width)
        margin = " " * (len(row[0]) - len(row[0].lstrip()) + 2)
        for head, cell in zip(heads[1:], row[1:], strict=True):
            if cell:
                lines += wrapped(f"{margin}{head:<{room}}  {cell}", width, f"{margin}  ")
    return lines

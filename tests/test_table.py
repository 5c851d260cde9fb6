"""Tables that fit a width: side by side, wrapped, in blocks, or stacked."""

from __future__ import annotations

import pytest

from cospal_cli.core.table import screen_width, table, wrapped

NUMBERS = [
    ["method", *(f"metric {n}" for n in range(6))],
    *([name, *(f"{n}.5 [1.0, 9.9]" for n in range(6))] for name in ("first", "the second")),
]
TEXTS = [
    ["id", "size", "path"],
    ["net", "12 MB", "/a folder/" * 20 + "net"],
    ["other", "3 MB", "no"],
]


def test_what_fits_stands_side_by_side() -> None:
    assert table([["a", "bb"], ["ccc", "d"]]) == ["a    bb", "ccc   d"]
    assert table([["a", "bb"], ["ccc", "d"]], "rl") == ["  a  bb", "ccc  d"]
    assert table([["only"], ["one"]]) == ["only", "one"]


def test_columns_that_do_not_fit_go_on_in_further_blocks() -> None:
    lines = table(NUMBERS, width=80)
    assert max(map(len, lines)) <= 80
    blocks = "\n".join(lines).split("\n\n")
    assert len(blocks) > 1
    for block in blocks:
        assert [line.split()[0] for line in block.splitlines()] == ["method", "first", "the"]
    assert " ".join("\n".join(lines).split()).count("metric") == 6


def test_text_in_the_last_column_takes_several_lines() -> None:
    lines = table(TEXTS, "lrl", 80)
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["id", "size", "path"]
    assert lines[-1].split() == ["other", "3", "MB", "no"]
    assert "".join(TEXTS[1][2].split()) in "".join("".join(lines).split())


@pytest.mark.parametrize("width", [20, 40, 79])
@pytest.mark.parametrize("rows", [NUMBERS, TEXTS])
def test_below_eighty_columns_rows_are_stacked(rows: list[list[str]], width: int) -> None:
    lines = table(rows, "", width)
    assert max(map(len, lines)) <= width
    assert [line for line in lines if not line.startswith(" ")] == [row[0] for row in rows]
    for row in rows[1:]:
        for cell in row:
            assert "".join(cell.split()) in "".join("".join(lines).split())


def test_rows_may_be_shorter_than_the_headings() -> None:
    assert table([["a", "b", "c"], ["x", "1"]]) == ["a  b  c", "x  1"]


def test_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "132")
    assert screen_width() == 132
    for nonsense in ("", "0", "-5", "wide", "9" * 5000):
        monkeypatch.setenv("COLUMNS", nonsense)
        monkeypatch.setattr("sys.__stdout__", None)  # no terminal
        assert screen_width() == 100


def test_wrapped_lines_keep_their_margin() -> None:
    assert wrapped("one two three", 8, "  ") == ["one two", "  three"]
    assert wrapped("", 8) == [""]

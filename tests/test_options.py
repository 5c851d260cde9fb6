"""Options that several commands share: they read alike, and refuse alike."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from cospal_cli.cli import cli, run


def commands(group: click.Group = cli) -> Iterator[click.Command]:
    """Every command that is not a group."""
    context = click.Context(group)
    for name in group.list_commands(context):
        one = group.get_command(context, name)
        assert one is not None
        if isinstance(one, click.Group):
            yield from commands(one)
        else:
            yield one


@pytest.mark.parametrize(
    "line",
    [
        ["search", "the man", "--top-k", "0"],
        ["search", "the man", "--top-k", "1e3"],
        ["search", "the man", "--top-k", "99999999999999999999"],
        ["evaluate", "--data", ".", "--resamples", "-1"],
        ["data", "synthetic", "set", "--videos", "0"],
        ["data", "synthetic", "set", "--videos", "2", "--workers", "1.5"],
        ["data", "check", ".", "--jobs", "-1"],
        ["data", "prepare", ".", "--jobs", "many"],
        ["train", "--data", ".", "--jobs", ""],
        ["export", "--onnx", "--samples", "0"],
        ["bench", "train", "--updates", "9"],
    ],
    ids=" ".join,
)
def test_a_count_out_of_range_is_refused_with_its_range(
    line: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(line) == 2
    shown = capsys.readouterr().err
    assert f"'{line[-2]}': {line[-1]!r}: expected a whole number from " in shown
    assert "Traceback" not in shown


def test_a_required_count_is_missed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "synthetic", "set"]) == 2
    assert "Missing option '--videos'" in capsys.readouterr().err


def test_one_flag_has_one_help_text_in_all_commands_that_share_it() -> None:
    texts: dict[str, set[str]] = {}
    shared = ("--recursive", "--report", "--library", "--config", "--detector", "--tracker")
    for command in commands():
        for one in command.params:
            if isinstance(one, click.Option) and not one.hidden:
                texts.setdefault(one.opts[-1], set()).add(str(one.help))
    for flag in shared:
        assert len(texts[flag]) == 1, texts[flag]

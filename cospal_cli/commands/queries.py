"""What ``cospal ground`` is asked: one video and its sentences, from arguments and files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from cospal_cli.core.errors import UsageError
from cospal_cli.core.reading import read_text


def split(
    arguments: Sequence[str], asked: Sequence[str], query_file: Path | None
) -> tuple[Path, list[str]]:
    """The one video and the sentences; UsageError where the grammar leaves no choice."""
    texts = list(asked) + (_read_queries(query_file) if query_file else [])
    inputs = list(arguments)
    if not texts:
        if len(inputs) < 2:
            raise UsageError(
                "expected a video and a sentence",
                'such as: cospal ground clip.mp4 "the woman in the gray sweater walks away"',
            )
        texts = [inputs.pop()]
        if os.path.isfile(texts[0]):
            raise UsageError(
                f"the last argument {texts[0]!r} is a file, not a sentence", "give it with -q"
            )
    if len(inputs) != 1:
        raise UsageError(
            f"expected one video, found {len(inputs)}: {', '.join(map(repr, inputs))}",
            "put the sentence in quotes; for several videos run cospal once for each",
        )
    return Path(inputs[0]), texts


def _read_queries(path: Path) -> list[str]:
    """The file's lines, verbatim but for blank ones; UsageError if there is none to use."""
    about, hint = f"--query-file {str(path)!r}", "give a text file with a sentence a line"
    lines = read_text(path, UsageError, hint, about=about).splitlines()
    texts = [line for line in lines if line.strip()]
    if not texts:
        raise UsageError(f"{about}: no sentence in it", "write one a line")
    return texts

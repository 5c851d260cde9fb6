"""The arguments of ``cospal ground``: inputs and sentences, also from files."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cospal_cli.commands import console
from cospal_cli.core.errors import UsageError
from cospal_cli.core.reading import read_text

if TYPE_CHECKING:
    from cospal_cli.core.query import Query
    from cospal_cli.settings import Config

TABLES = (".csv", ".tsv")
_VIDEO = re.compile(r"\.(mp4|mkv|webm|avi|mov|m4v|mpe?g|ts|flv|wmv|ogv|3gp)$", re.IGNORECASE)


_EXAMPLE = 'such as: cospal ground clip.mp4 "the woman in the gray sweater walks away"'


class UserSentence(NamedTuple):
    """One sentence of the user's, verbatim, and where it stands: "-q 2", "queries.txt:7"."""

    text: str
    where: str


@dataclass(frozen=True)
class SentenceSource:
    """The arguments taken apart: what videos are meant by, and the sentences about all of them."""

    inputs: tuple[str, ...]
    sentences: tuple[UserSentence, ...]

    @property
    def video(self) -> Path:
        """The one video; UsageError where there are others."""
        if len(self.inputs) != 1:
            raise UsageError("expected a video and a sentence", _EXAMPLE)
        return Path(self.inputs[0])


def split(
    arguments: Sequence[str],
    texts: Sequence[str],
    query_file: Path | None,
    listed: bool = False,
    complete: bool = False,
) -> SentenceSource:
    """Inputs and sentences; UsageError where the grammar leaves no choice.

    ``listed``: there are inputs besides the arguments. ``complete``: and sentences too.
    """
    sentences = [UserSentence(text, f"-q {number}") for number, text in enumerate(texts, 1)]
    sentences += _read_queries(query_file) if query_file else []
    inputs = list(arguments)
    several = bool(sentences)
    if not sentences and not complete:
        if len(inputs) < (1 if listed else 2):
            raise UsageError("expected a video and a sentence", _EXAMPLE)
        text = inputs.pop()
        if os.path.lexists(text):
            kind = "folder" if os.path.isdir(text) else "file"
            raise UsageError(
                f"the last argument {text!r} is a {kind}, not a sentence", "give it with -q"
            )
        sentences, several = [UserSentence(text, "QUERY")], len(inputs) > 1
    if not inputs and not listed:
        raise UsageError("expected a video and a sentence", _EXAMPLE)
    for text in inputs:
        _check_input(text, several)
    return SentenceSource(tuple(inputs), tuple(sentences))


def understood(sentences: Sequence[UserSentence], config: Config) -> dict[int, Query]:
    """The sentences that can be, by number from 1; of several, the others are named and left out.

    UsageError where none can be.
    """
    from cospal_cli.language.parser.counts import of_several
    from cospal_cli.language.parser.parse import parse_all

    parsed = parse_all([sentence.text for sentence in sentences], config.language)
    refused = [one for one in parsed if isinstance(one, UsageError)]
    if refused and len(sentences) == 1:
        raise refused[0]
    for sentence, one in zip(sentences, parsed, strict=True):
        if isinstance(one, UsageError):
            console.LOG.error("%s: %s; left out", sentence.where, one.message)
    if len(refused) == len(sentences):
        raise UsageError(f"none of {len(sentences)} sentences can be used", refused[0].hint)
    shown = of_several if config.ground.all else lambda query: query
    return {n: shown(one) for n, one in enumerate(parsed, 1) if not isinstance(one, UsageError)}


def _check_input(text: str, several: bool) -> None:
    """UsageError for an empty path, such as of a variable that is not set, which would mean the
    working folder; and for what looks like one more of ``several`` sentences."""
    if not text.strip():
        raise UsageError(f"INPUT is empty: {text!r}", _EXAMPLE)
    path = os.path.lexists(text) or _VIDEO.search(text) or _is_pattern(text)
    if path or " " not in text or not several:
        return
    raise UsageError(
        f"{text!r} is not a file, nor is it given with -q",
        "if it is a sentence, give every sentence with -q",
    )


def _is_pattern(text: str) -> bool:
    """Whether a glob is meant; a question mark may also end a sentence."""
    return "*" in text or os.sep in text or bool(glob.glob(text))


def _read_queries(path: Path) -> list[UserSentence]:
    """The file's lines, verbatim but for blank ones; UsageError if there is none to use, or if
    they are those of a table."""
    about, hint = f"--query-file {str(path)!r}", "give a text file with one sentence per line"
    lines = read_text(path, UsageError, hint, about=about).splitlines()
    sentences = [UserSentence(x, f"{path}:{n}") for n, x in enumerate(lines, 1) if x.strip()]
    if not sentences:
        raise UsageError(f"{about}: there is no sentence in it", "write one per line")
    rows = sum(_is_row(sentence.text) for sentence in sentences)
    if path.suffix.lower() in TABLES or 2 * rows >= len(sentences):
        raise UsageError(
            f"{about}: expected one sentence per line, found a table of videos and sentences",
            "give it with --manifest, without other inputs",
        )
    return sentences


def _is_row(line: str) -> bool:
    """Whether a line names a video among values, or is a JSON object."""
    cells = [cell.strip().strip("'\"") for cell in re.split("[,;\t|]", line)]
    return line.lstrip().startswith("{") or (len(cells) > 1 and any(map(_VIDEO.search, cells)))

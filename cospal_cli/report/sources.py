"""What ``cospal report`` is given: tube files, folders of them, or one document per line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.reading import LARGE, parse_json, read_json, read_lines
from cospal_cli.evaluation.checked import ROW, UNMADE, document_of
from cospal_cli.evaluation.tube_files import RESULTS, SUFFIX
from cospal_cli.report.answers import Answer, answer_of

_HINT = "give .tube.json files, a folder of them, or a file with one document per line"
_DIGITS = re.compile(r"([0-9]+)")


@dataclass
class GivenAnswers:
    """What was read. ``bad``: a sentence on each document that is left out; ``failed``: on each
    that a batch could not make."""

    answers: list[Answer] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def read_answers(paths: Iterable[Path]) -> GivenAnswers:
    """The answers in files and folders, in their order.

    A document that is damaged, or a file that cannot be read, is left out. InputError where that
    leaves none, or for a folder that holds none.
    """
    given = GivenAnswers()
    for path in paths:
        with errors_as(UsageError, f"cannot look into {str(path)!r}", _HINT):
            files, lines = _files(path)
        for file in files:
            _read(file, given, failures_only=False)
        for file in lines:
            _read(file, given, failures_only=bool(files))
    if not given.answers:
        told = [*given.bad, *given.failed]
        raise InputError(told[0] if told else "there is no answer", _HINT)
    return given


def _files(path: Path) -> tuple[list[Path], list[Path]]:
    """The documents that ``path`` means, and the files with many: itself, or a folder's."""
    if not path.is_dir():
        return ([], [path]) if path.suffix == ".jsonl" else ([path], [])
    documents, lines = (
        sorted((one for one in path.rglob(name) if one.name[0] != "."), key=_natural)
        for name in (f"*{SUFFIX}", RESULTS)
    )
    if not documents and not lines:
        raise InputError(f"no *{SUFFIX} and no {RESULTS} in the folder {str(path)!r}", _HINT)
    return documents, lines


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sorts "a.2" before "a.10"."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in _DIGITS.split(str(path))]


def _read(path: Path, given: GivenAnswers, failures_only: bool) -> None:
    """Add what a file holds. ``failures_only``: its documents are there as files already."""
    with _left_out(given):
        for name, value_of in _values(path):
            with _left_out(given):
                value, place = value_of(), path
                row = value if isinstance(value, dict) and value.keys() >= ROW else None
                if row and ("json" not in row or row["status"] in UNMADE):
                    given.failed.append(failure(row))
                elif not failures_only:
                    if row:
                        place = document_of(path, str(row["json"]))
                        value = read_json(place, InputError, _HINT, LARGE)
                    given.answers.append(answer_of(value, name, place))


def failure(row: JsonDict) -> str:
    """A sentence on a line of a batch that has no document."""
    words = [row["video"], row["status"], row.get("reason")]
    return ": ".join(str(word) for word in words if word)


@contextmanager
def _left_out(given: GivenAnswers) -> Iterator[None]:
    """What is wrong with one document keeps none of the others from the page."""
    try:
        yield
    except InputError as error:
        given.bad.append(error.message)


def _values(path: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """(place, what reads the value) of every JSON value in a file: one, or one a line."""
    if path.suffix == ".jsonl":
        for place, raw in read_lines(path, InputError, _HINT):
            yield place, partial(_line, place, raw)
    else:
        yield str(path), partial(read_json, path, InputError, _HINT, LARGE)


def _line(place: str, raw: bytes) -> object:
    with errors_as(InputError, place, _HINT):
        return parse_json(raw)

"""What ``cospal report`` is given: tube files, folders of them, or one document a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.reading import LARGE, parse_json, read_json, read_lines
from cospal_cli.evaluation.tube_files import SUFFIX
from cospal_cli.report.answers import Answer, answer_of

RESULTS = "results.jsonl"  # what a batch writes
_HINT = "give .tube.json files, a folder of them, or a file with one document a line"


@dataclass
class GivenAnswers:
    """What was read. ``bad``: a sentence on each document that is left out."""

    answers: list[Answer] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)


def read_answers(paths: Iterable[Path]) -> GivenAnswers:
    """The answers in files and folders, in their order.

    A document that is damaged, or a file that cannot be read, is left out. InputError where that
    leaves none; UsageError for a folder that holds none.
    """
    given = GivenAnswers()
    for path in paths:
        with errors_as(UsageError, f"cannot look into {str(path)!r}", _HINT):
            inner = _files(path)
        for file in inner:
            _read(file, given)
    if not given.answers:
        raise InputError(given.bad[0] if given.bad else "there is no answer", _HINT)
    return given


def _files(path: Path) -> list[Path]:
    """The files that ``path`` means: itself, or what a run left in the folder."""
    if not path.is_dir():
        return [path]
    found = sorted(one for one in path.rglob(f"*{SUFFIX}") if not one.name.startswith("."))
    found = found or sorted(path.rglob(RESULTS))
    if not found:
        raise UsageError(f"no *{SUFFIX} and no {RESULTS} in the folder {str(path)!r}", _HINT)
    return found


def _read(path: Path, given: GivenAnswers) -> None:
    with _left_out(given):
        for name, document in _documents(path):
            with _left_out(given):
                given.answers.append(answer_of(document(), name, path))


@contextmanager
def _left_out(given: GivenAnswers) -> Iterator[None]:
    """What is wrong with one document keeps none of the others from the page."""
    try:
        yield
    except InputError as error:
        given.bad.append(error.message)


def _documents(path: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """(place, what reads the value) of every document in a file: one, or one a line."""
    if path.suffix == ".jsonl":
        for place, raw in read_lines(path, InputError, _HINT):
            yield place, partial(_line, place, raw)
    else:
        yield str(path), partial(read_json, path, InputError, _HINT, LARGE)


def _line(place: str, raw: bytes) -> object:
    with errors_as(InputError, place, _HINT):
        return parse_json(raw)

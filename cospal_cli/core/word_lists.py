"""Word lists: text files beside the code that uses them, read once.

``[name]`` opens a list. A row of it reads ``key: word word ...``, or words only; a key may come
again. ``_`` joins the words of one entry, ``#`` opens a line of comment. ``[end]`` is the last
line, so that a file that was cut is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from cospal_cli.core.errors import WeightsError

END = "[end]"
Row = tuple[str, tuple[str, ...]]  # key, "" if the row has none; words


class WordList(tuple[Row, ...]):
    """One list of a file: its rows, in the file's order."""

    @property
    def words(self) -> tuple[str, ...]:
        """Every word, whatever its key."""
        return tuple(word for _, words in self for word in words)

    @property
    def key_of(self) -> dict[str, str]:
        """Word -> its key; of several the last."""
        return {word: key for key, words in self for word in words}

    @property
    def by_key(self) -> dict[str, tuple[str, ...]]:
        """Key -> its words."""
        listed: dict[str, tuple[str, ...]] = {}
        for key, words in self:
            listed[key] = listed.get(key, ()) + words
        return listed


class Lists(dict[str, WordList]):
    """The lists of one file by name. A list that is not there raises WeightsError."""

    path: Path

    def __missing__(self, name: str) -> WordList:
        raise _damaged(self.path, f"the list [{name}] is missing")


@cache
def load(path: Path) -> Lists:
    """The lists of a file of cospal's own; WeightsError, with what restores it, if unreadable."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise _damaged(path, getattr(error, "strerror", "") or str(error)) from error
    if lines[-1:] != [END]:
        raise _damaged(path, f"cut short: the last line is not {END}")
    current: list[Row] = []
    rows = {"": current}
    for line in lines[:-1]:
        if line.startswith("["):
            current = rows.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            key, _, words = line.rpartition(":")
            entries = words.split()
            if "_" in words:
                entries = [entry.replace("_", " ") for entry in entries]
            current.append((key, tuple(entries)))
    lists = Lists({name: WordList(listed) for name, listed in rows.items() if name})
    lists.path = path
    return lists


def _damaged(path: Path, why: str) -> WeightsError:
    from cospal_cli.core.install import restore_line  # costs start-up, and is hardly ever needed

    return WeightsError(f"{path}: {why}", restore_line(path))


def weighted(parts: Iterable[str]) -> dict[str, float]:
    """``834 906 .3`` as {"834": 1, "906": .3}: a weight follows its name, none is 1."""
    weights: dict[str, float] = {}
    for part in parts:
        if part.startswith("."):
            weights[next(reversed(weights))] = float(part)
        else:
            weights[part.replace("_", " ")] = 1.0
    return weights

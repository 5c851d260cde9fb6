"""Which videos are meant: files, folders, globs, folders and patterns of pictures, and lists.

Hidden files and what cospal itself wrote are no inputs where they are found, only where they are
named alone.
"""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath

from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.reading import LARGE, read_bytes
from cospal_cli.video.probe import EXTENSIONS, pictures

STDIN = "-"
_OURS = re.compile(r"\.tube(\.[\w-]+)*\.\w+$")  # clip.tube.mp4, and whatever else is made beside it
_CUT = re.compile(r"\.(clip|crop)$")  # what is cut out stands beside the JSON
_SCHEMA = b'"schema": "cospal/tube@'


@dataclass(frozen=True)
class VideoInput:
    """A video, or pictures that are one. ``path``: as it is opened. ``name``: its place among the
    inputs, such as "sub/a.mp4": where its outputs go, and what it is called."""

    path: Path
    name: str


@dataclass(frozen=True)
class _Found:
    """What one argument stands for. ``root``: the folder that names begin at."""

    root: Path
    paths: tuple[Path, ...]


def is_several(argument: str) -> bool:
    """Whether an argument may stand for several videos: a folder of them, or a glob."""
    path = Path(argument)
    try:
        if path.is_dir():
            return pictures(path) is None
        return glob.has_magic(argument) and not os.path.lexists(path)
    except (OSError, ValueError):  # whoever opens it says so
        return False


def find(
    arguments: Sequence[str], recursive: bool = False, listed: Sequence[Path] | None = None
) -> tuple[list[VideoInput], int]:
    """The videos that ``arguments`` and the lines of a list name, each once, in order; and how
    many files of cospal's own were left out.

    UsageError for a glob that fits nothing, InputError for folders without a video.
    """
    found = [_expanded(one, recursive) for one in arguments]
    if listed is not None:
        found.append(_Found(Path(), tuple(listed)))
    once = {os.path.abspath(path): path for one in found for path in one.paths}
    kept = once if len(once) == 1 else {at: p for at, p in once.items() if not is_ours(p)}
    return named(kept.values(), [one.root for one in found]), len(once) - len(kept)


def named(paths: Iterable[Path], roots: Sequence[Path]) -> list[VideoInput]:
    """Each path with its name: as seen from the one folder that all ``roots`` lie in, and of what
    is not within it, from the top."""
    try:
        root = os.path.commonpath(sorted(map(os.path.abspath, roots)))
    except ValueError:  # several drives
        root = ""
    videos = []
    for path in paths:
        full = os.path.abspath(path)
        inside = root and full != root and PurePath(full).is_relative_to(root)
        name = os.path.relpath(full, root) if inside else os.path.splitdrive(full)[1].lstrip("/\\")
        videos.append(VideoInput(path, PurePath(name).as_posix()))
    return videos


def read_list(source: str, nul: bool = False) -> list[Path]:
    """The paths in a list, one a line, or separated by NUL; ``source`` "-" is stdin.

    As in the lists of other programs they are seen from the working folder. UsageError where there
    is none.
    """
    about, hint = f"--files-from {source!r}", "give a text file with one path per line"
    if source == STDIN:
        if sys.stdin is None:
            raise UsageError(f"{about}: stdin is closed", "leave it open, or name a file")
        with errors_as(UsageError, about, hint):
            data = sys.stdin.buffer.read()
    else:
        data = read_bytes(Path(source), UsageError, hint, LARGE, about)
    parts = data.split(b"\0") if nul else data.removeprefix(b"\xef\xbb\xbf").splitlines()
    paths = [Path(os.fsdecode(part)) for part in parts if part.strip()]
    if not paths:
        raise UsageError(f"{about}: there is no path in it", hint)
    if not nul and b"\0" in data:
        raise UsageError(f"{about}: the paths are separated by NUL", "give -0 too")
    return paths


def is_ours(path: Path) -> bool:
    """Whether cospal wrote the file, by its name, or by the JSON beside it."""
    if _OURS.search(path.name):
        return True
    if path.suffix.lower() != ".mp4":
        return False
    stem = path.stem
    names = [stem] if not _CUT.search(stem) else [_CUT.sub("", stem), _CUT.sub(".tube", stem)]
    return any(_is_document(path.with_name(f"{name}.json")) for name in names)


def _is_document(path: Path) -> bool:
    with suppress(OSError, ValueError):
        if path.is_file():
            with open(path, "rb") as file:
                return _SCHEMA in file.read(200)
    return False


def natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """An order of names with their numbers as numbers: img2 before img10."""
    parts = re.split(r"(\d+)", name)
    return [(int(p), "") if n % 2 else (-1, p.lower()) for n, p in enumerate(parts)], name


def _expanded(argument: str, recursive: bool) -> _Found:
    path = Path(argument)
    with errors_as(InputError, f"{argument!r}", "check the path and its permissions"):
        if path.is_dir():
            if pictures(path):
                return _Found(path.parent, (path,))
            paths = tuple(_within(path, recursive))
            if not paths:
                raise InputError(f"{argument!r} holds no video", _where(path, recursive))
            return _Found(path, paths)
        if not glob.has_magic(argument) or os.path.lexists(path):
            return _Found(path.parent, (path,))
        return _matching(argument)


def _within(folder: Path, recursive: bool) -> Iterator[Path]:
    """The videos of a folder, by name; of those within it too if ``recursive``, links followed."""
    seen: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        here = Path(place)
        folders[:] = sorted((one for one in folders if not one.startswith(".")), key=natural)
        if os.path.realpath(place) in seen:
            folders.clear()
            continue
        seen.add(os.path.realpath(place))
        videos = [name for name in files if _is_video(here / name)]
        yield from (here / name for name in sorted(videos, key=natural))
        if not recursive:
            return
        if not videos and not folders and pictures(here):
            yield here


def _is_video(path: Path) -> bool:
    named = path.suffix.lower() in EXTENSIONS and not path.name.startswith(".")
    return named and path.is_file()


def _matching(pattern: str) -> _Found:
    """What a glob fits: ``**`` is any number of folders."""
    fits = sorted(glob.glob(pattern, recursive=True), key=natural)
    paths = [Path(one) for one in fits]
    paths = [p for p in paths if _is_video(p) or (p.is_dir() and pictures(p))]
    if not paths:
        what = f"{len(fits)} files, none a video" if fits else "nothing"
        raise UsageError(f"{pattern!r} matches {what}", "** stands for any number of folders")
    fixed = []
    for part in PurePath(pattern).parts[:-1]:
        if glob.has_magic(part):
            break
        fixed.append(part)
    return _Found(Path(*fixed), tuple(paths))


def _where(folder: Path, recursive: bool) -> str:
    """What to do about a folder without a video."""
    if not recursive and any(one.is_dir() for one in folder.iterdir()):
        return "--recursive looks into the folders in it"
    return f"video files end in {' '.join(EXTENSIONS)}"

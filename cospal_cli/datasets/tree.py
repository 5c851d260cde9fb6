"""The files below a data folder, by name. What annotations name is looked up here, never opened.

So no name in an annotation can lead out of the folder. Links that the user put into the folder are
followed: large videos often lie on another disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from cospal_cli.core.errors import InputError
from cospal_cli.datasets.records import Bad
from cospal_cli.video.probe import EXTENSIONS

_TABLES = {".json", ".jsonl", ".csv", ".tsv", ".txt"}
_VIDEO = frozenset(EXTENSIONS)


class Tree:
    """Annotation files and videos below ``root``. InputError if there is no such folder."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            what = "is a file" if root.exists() else "does not exist"
            raise InputError(f"the data folder {str(root)!r} {what}", "name the data set's folder")
        self.root = root
        self._tables: dict[str, list[Path]] = {}
        self._videos: dict[str, list[Path]] = {}
        self._stems: dict[str, list[Path]] = {}
        for path in _files(root):
            suffix = path.suffix.lower()
            if suffix not in _VIDEO | _TABLES or not path.is_file():
                continue  # a pipe or a device would be waited for
            if suffix in _TABLES:
                self._tables.setdefault(path.name, []).append(path)
            else:
                self._videos.setdefault(path.name, []).append(path)
                self._stems.setdefault(path.stem, []).append(path)

    @property
    def videos(self) -> int:
        """How many video files there are."""
        return sum(map(len, self._videos.values()))

    def tables(self, name: str) -> list[Path]:
        """Every annotation file of that name, sorted."""
        return self._tables.get(name, [])

    def video(self, name: str) -> tuple[Path, list[tuple[str, str]]]:
        """The video called ``name``, with or without folders and extension, and remarks on it.

        Remarks are (kind, detail). Raises Bad: unsafe-path, missing-video or empty-video.
        """
        wanted = _inside(name)
        exact = self._videos.get(wanted.name, [])
        stem = wanted.stem if wanted.suffix.lower() in _VIDEO else wanted.name
        paths = exact or self._stems.get(stem, [])
        depth = len(wanted.parts)
        paths = [path for path in paths if path.parts[-depth:-1] == wanted.parts[:-1]] or paths
        if not paths:
            raise Bad("missing-video", f"no {wanted.name!r} among {self.videos} videos")
        path = paths[0]
        remarks = []
        if not exact and wanted.suffix.lower() in _VIDEO:
            remarks.append(("other-extension", f"found {path.name!r}"))
        if len(paths) > 1:
            remarks.append(("several-videos", f"{len(paths)} files; {self.relative(path)} taken"))
        if not path.stat().st_size:
            raise Bad("empty-video", f"{self.relative(path)} has 0 bytes")
        return path, remarks

    def relative(self, path: Path) -> str:
        """``path`` as seen from the root."""
        return str(path.relative_to(self.root))


def _inside(name: str) -> PurePosixPath:
    """``name`` as a path that stays below the root, else Bad."""
    plain = PurePosixPath(name.replace("\\", "/"))
    outside = plain.is_absolute() or ".." in plain.parts or name[1:2] == ":"
    if outside or "\0" in name or not plain.name:
        raise Bad("unsafe-path", f"{name[:200]!r}")
    return plain


def _files(root: Path) -> Iterator[Path]:
    """Every file below ``root``, sorted folder by folder; each real folder is entered once."""
    entered: set[str] = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        folders.sort()
        real = os.path.realpath(folder)
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        yield from (Path(folder, name) for name in sorted(names))

"""Links from a page to the files that it tells of: relative, so that the folder can be moved."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cospal_cli.core.errors import InputError
from cospal_cli.core.foreign import errors_as
from cospal_cli.report.answers import Answer

# What may lie beside X.tube.json.
_BESIDE = {".tube.mp4": "annotated", ".clip.mp4": "clip", ".crop.mp4": "crop"}
_BESIDE |= {".sheet.png": "sheet", ".thumbnail.png": "thumbnail"}


@dataclass(frozen=True)
class Link:
    """A link. ``name``: what it leads to."""

    name: str
    href: str


def source_of(answer: Answer) -> Path | None:
    """The answer's video as it is named; or as it is named from a folder that its document is in,
    at any depth; or beside the document. None where it is not there."""
    places = [Path(answer.video)]
    if answer.place is not None:
        folders = Path(os.path.abspath(answer.place)).parents
        places += [folder / answer.video for folder in folders] + [folders[0] / answer.name]
    for place in places:
        try:
            if place.exists():
                return place
        except (OSError, ValueError):  # a name that no system takes
            continue
    return None


def links(answer: Answer, source: Path | None, folder: Path) -> list[Link]:
    """From a page in ``folder`` to the video and what was made of it, at the time of the answer."""
    moment = ""
    if answer.best is not None:
        moment = f"#t={answer.best.start_s:.3f},{answer.best.end_s:.3f}"
    found = []
    if source is not None and source.is_file():
        found.append(Link("video", href(source, folder) + moment))
    for name, path in (*answer.made, *_beside(answer.place)):
        fragment = moment if name == "annotated" else ""  # a clip has times of its own
        found.append(Link(name, href(path, folder) + fragment))
    return list({link.href: link for link in found}.values())


def href(path: Path, folder: Path) -> str:
    """A URL of ``path`` as seen from ``folder``: relative where both are on one drive."""
    with errors_as(InputError, f"cannot link to {str(path)!r}"):
        target, start = os.path.realpath(path), os.path.realpath(folder)
        try:
            relative = Path(os.path.relpath(target, start)).as_posix()
        except ValueError:  # on another drive of Windows
            return Path(target).as_uri()
        return "./" + quote(os.fsencode(relative))


def _beside(place: Path | None) -> list[tuple[str, Path]]:
    if place is None or not place.name.endswith(".json"):
        return []
    stem = place.name.removesuffix(".json").removesuffix(".tube")
    files = [(name, place.with_name(stem + ending)) for ending, name in _BESIDE.items()]
    return [(name, path) for name, path in files if path.is_file()]

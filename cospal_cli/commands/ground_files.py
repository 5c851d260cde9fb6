"""What ``cospal ground`` writes: the JSON of every result first, then the MP4 that belongs to it.

So an MP4 that fails leaves every JSON in place. Where an MP4 of an earlier run is replaced,
its JSON is too, and both change at once when the new MP4 is whole: at no moment do a JSON and an
MP4 of two runs stand side by side. Only where the new MP4 fails does the old one stay beside the
new JSON, and the message says so.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.commands import console
from cospal_cli.commands.convert_pictures import begins_early
from cospal_cli.commands.output_paths import OutputPaths
from cospal_cli.core.errors import CospalError
from cospal_cli.core.progress import never

if TYPE_CHECKING:
    from cospal_cli.core.progress import Progress
    from cospal_cli.core.query import Query
    from cospal_cli.grounder import Grounder
    from cospal_cli.result import Result


@dataclass
class PlacedResult:
    """A result and the files that it goes to."""

    result: Result
    paths: OutputPaths
    written: str | None = None  # the status that the JSON's file has by now

    @property
    def replaces(self) -> bool:
        """Whether an MP4 is there already that is to be replaced."""
        return self.paths.video is not None and os.path.lexists(self.paths.video)

    def write(self, status: str, instead_of: Sequence[Path] = ()) -> None:
        """Write the JSON's file, if there is to be one, unless it has this status already."""
        if self.paths.json is not None and self.written != status:
            # Pictures of an earlier run never stand beside the new document.
            old = [path for _, path in self.paths.pictures] if self.written is None else []
            self.result.save_json(self.paths.json, status, [*instead_of, *old])
        self.written = status

    def emit(self, status: str, several: bool) -> None:
        """The JSON to stdout, in one line where there are ``several``."""
        from cospal_cli.outputs import tube_json

        document = self.result.document(status)
        console.emit(json.dumps(document) if several else tube_json.dumps(document).rstrip())


class Files:
    """The files of one run. ``failure``: the first error met while drawing, to be raised last."""

    def __init__(self, progress: Progress, stopped: Callable[[], bool]) -> None:
        self.progress, self.stopped = progress, stopped
        self.failure: Exception | None = None

    def status(self, placed: PlacedResult) -> str:
        """What the JSON says of the run, as things stand."""
        return "interrupted" if self.stopped() else placed.result.status

    def write(self, results: Sequence[PlacedResult]) -> Iterator[tuple[PlacedResult, OutputPaths]]:
        """Write all; yields each result with the files that were written for it."""
        for placed in results:
            if not placed.replaces:
                placed.write(self.status(placed))
        for placed in results:
            drawn = self._video(placed)
            yield placed, OutputPaths(placed.paths.json, drawn, tuple(self._pictures(placed)))

    def _video(self, placed: PlacedResult) -> Path | None:
        """Write the MP4, and the JSON if that still waits; the MP4's path if there is one now.

        After an interrupted first pass the video is as long as that pass; an interruption
        while drawing ends this video early and skips those to come. So does a failure.
        """
        video, old = placed.paths.video, [placed.paths.video] if placed.replaces else []
        too_late = self.stopped() and not placed.result.observation.interrupted
        drawn = None
        if video is not None and not too_late and self.failure is None:
            try:
                self._draw(placed, video)
                drawn = video
            except Exception as error:
                self.failure = _explained(error, placed)
        placed.write(self.status(placed), () if drawn or self.failure else tuple(filter(None, old)))
        return drawn

    def _pictures(self, placed: PlacedResult) -> Iterator[tuple[str, Path]]:
        """Write clips and stills of the best tube; those that are there now."""
        early = placed.result.observation.interrupted
        for name, path in placed.paths.pictures if placed.result.tubes else ():
            if self.failure is not None or (self.stopped() and not early):
                return
            try:
                stopped = never if early else self.stopped
                save_picture(placed.result, name, path, self.progress, stopped)
            except Exception as error:
                self.failure = _explained(error, placed)
            else:
                yield name, path

    def _draw(self, placed: PlacedResult, video: Path) -> None:
        result = placed.result
        written = result.save_video(
            video,
            self.progress,
            never if result.observation.interrupted else self.stopped,
            before=lambda: placed.write(self.status(placed), [video]),
        )
        for message in written.warnings:
            console.LOG.warning(message)


def grounded(
    video: Path,
    queries: Sequence[Query],
    places: Sequence[tuple[str, OutputPaths]],
    grounder: Grounder,
    files: Files,
    keep: bool = False,
) -> Iterator[tuple[PlacedResult, OutputPaths]]:
    """Ground and write every query; ``places``: the id and the paths of each.

    Yields each result with the files that were written for it. ``keep``: the models stay open
    for the next video.
    """
    left = iter(places)
    for observation, group in grounder.observations(video, queries, files.progress, files.stopped):
        for message in observation.timeline.warnings:
            console.LOG.warning(message)
        results = [
            PlacedResult(replace(grounder.answer(observation, query), id=id), paths)
            for query, (id, paths) in zip(group, left, strict=False)
        ]
        grounder.release(models=not keep)
        yield from files.write(results)


def save_picture(
    result: Result, name: str, path: Path, progress: Progress, stopped: Callable[[], bool]
) -> None:
    """Write the best tube's picture called ``name`` in ``PICTURES``; warns of what is left out."""
    output = result.config.output
    if name in ("sheet", "thumbnail"):
        (result.save_sheet if name == "sheet" else result.save_thumbnail)(path)
        return
    if name == "crop":
        written = result.save_crop(path, output.pad, progress=progress, stopped=stopped)
    else:
        written = result.save_clip(
            path, output.pad, copy=output.clip_copy, progress=progress, stopped=stopped
        )
    for message in written.warnings:
        console.LOG.warning(message)
    if name == "clip" and output.clip_copy:
        early = begins_early(path, result.moment(), written.span_s[0])
        if early:
            console.LOG.warning(early)


def _explained(error: Exception, placed: PlacedResult) -> Exception:
    """``error``, saying what becomes of the result's files; others than ours as they are."""
    if not isinstance(error, CospalError):
        return error
    state = f"the JSON is written: {str(placed.paths.json)!r}"
    if placed.replaces:
        state += f"; {str(placed.paths.video)!r} is still that of an earlier run"
    explained = type(error)(f"{error.message}; {state}", error.hint)
    explained.__cause__ = error
    return explained

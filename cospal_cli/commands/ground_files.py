"""What ``cospal ground`` writes: the JSON of every answer first, then the MP4 that belongs to it.

So no MP4, whatever happens to it, takes a JSON with it. Where an MP4 of an earlier run is replaced,
its JSON is too, and both change at once when the new MP4 is whole: at no moment do a JSON and an
MP4 of two runs stand side by side. Only where the new MP4 fails does the old one stay beside the
new JSON, which is said.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cospal_cli.commands import console
from cospal_cli.commands.places import Place
from cospal_cli.core.errors import CospalError

if TYPE_CHECKING:
    from cospal_cli.config import Config
    from cospal_cli.core.progress import Progress
    from cospal_cli.core.types import Query, Tube
    from cospal_cli.pipeline import Scene


@dataclass
class Answer:
    """One query's answer and the files that it goes to. ``heads``: what trained heads said."""

    scene: Scene
    query: Query
    number: int  # of the query, from 1
    tubes: list[Tube]
    heads: dict[str, Any] | None
    place: Place
    written: str | None = None  # the status that the JSON's file has by now

    @property
    def replaces(self) -> bool:
        """Whether an MP4 is there already that is to be replaced."""
        return self.place.video is not None and os.path.lexists(self.place.video)

    def document(self, status: str) -> dict[str, Any]:
        """The answer as plain JSON values."""
        from cospal_cli.outputs import tube_json
        from cospal_cli.settings import as_dict

        return tube_json.document(
            self.scene.info,
            self.scene.timeline,
            self.query,
            str(self.number),
            self.tubes,
            config=as_dict(self.scene.config),
            model=self.scene.model,
            status=status,
            heads=self.heads,
        )

    def write(self, status: str, instead_of: Sequence[Path] = ()) -> None:
        """Write the JSON's file, if there is to be one, unless it has this status already."""
        from cospal_cli.outputs import tube_json

        if self.place.json is not None and self.written != status:
            tube_json.write(self.place.json, self.document(status), instead_of)
        self.written = status

    def emit(self, status: str, several: bool) -> None:
        """The JSON to stdout, in one line where there are ``several``."""
        from cospal_cli.outputs import tube_json

        document = self.document(status)
        console.emit(json.dumps(document) if several else tube_json.dumps(document).rstrip())


class Files:
    """The files of one run. ``failure``: the first error met while drawing, to be raised last."""

    def __init__(self, config: Config, progress: Progress, stopped: Callable[[], bool]) -> None:
        self._config, self._progress, self._stopped = config, progress, stopped
        self.failure: Exception | None = None

    def status(self, answer: Answer) -> str:
        """What the JSON says of the run, as things stand."""
        if self._stopped():
            return "interrupted"
        return "partial" if answer.scene.timeline.damaged else "complete"

    def write(self, answers: Sequence[Answer]) -> Iterator[tuple[Answer, Place]]:
        """Write all; yields each answer with the files that were written for it."""
        for answer in answers:
            if not answer.replaces:
                answer.write(self.status(answer))
        for answer in answers:
            yield answer, Place(answer.place.json, self._video(answer))

    def _video(self, answer: Answer) -> Path | None:
        """Write the MP4, and the JSON if that still waits; the MP4's path if there is one now.

        After an interrupted first pass the video is as long as what was watched; an interruption
        while drawing ends this video early and skips those to come. So does a failure.
        """
        video, old = answer.place.video, [answer.place.video] if answer.replaces else []
        too_late = self._stopped() and not answer.scene.interrupted
        drawn = None
        if video is not None and not too_late and self.failure is None:
            try:
                self._draw(answer, video)
                drawn = video
            except Exception as error:
                self.failure = _told(error, answer)
        answer.write(self.status(answer), () if drawn or self.failure else tuple(filter(None, old)))
        return drawn

    def _draw(self, answer: Answer, video: Path) -> None:
        from cospal_cli.outputs.tube_json import fingerprint
        from cospal_cli.pipeline import watched
        from cospal_cli.video.writer import write_annotated

        scene = answer.scene

        def publish() -> None:
            if scene.source is not None:
                scene.source.check(needed=False)
            answer.write(self.status(answer), [video])

        if scene.source is not None:
            scene.source.check()
        written = write_annotated(
            Path(scene.info.path),
            video,
            answer.tubes,
            answer.query.text,
            watched(scene, self._config.video),
            self._config.output,
            self._progress,
            (lambda: False) if scene.interrupted else self._stopped,
            comment=fingerprint(answer.document("complete")),
            before=publish,
        )
        for message in written.warnings:
            console.LOG.warning(message)


def _told(error: Exception, answer: Answer) -> Exception:
    """``error``, saying what becomes of the answer's files; others than ours as they are."""
    if not isinstance(error, CospalError):
        return error
    said = f"the JSON is written: {str(answer.place.json)!r}"
    if answer.replaces:
        said += f"; {str(answer.place.video)!r} is still that of an earlier run"
    told = type(error)(f"{error.message}; {said}", error.hint)
    told.__cause__ = error
    return told

"""The result of one query about one video: its tubes, and the files that it can be written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.core.brief import brief
from cospal_cli.core.errors import InputError, NothingFound
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.observation import Observation
from cospal_cli.core.progress import Progress, never, silent
from cospal_cli.core.query import Query
from cospal_cli.core.tube import Tube
from cospal_cli.outputs import tube_json
from cospal_cli.outputs.fingerprint import fingerprint
from cospal_cli.settings import Config, VideoConfig, as_dict
from cospal_cli.settings.stored import config_of

if TYPE_CHECKING:
    from cospal_cli.ranking.heads import Heads
    from cospal_cli.ranking.prediction import HeadScores
    from cospal_cli.video.curves import PhraseCurve
    from cospal_cli.video.moment import Moment
    from cospal_cli.video.writer import Overlay, Written


@dataclass(frozen=True)
class Result:
    """The result of one query."""

    query: Query
    tubes: tuple[Tube, ...]  # best first; empty: no match
    observation: Observation
    config: Config  # what was used, the back ends' own defaults filled in
    scores: HeadScores | None = None  # of trained heads
    heads: Heads | None = None
    id: str = "1"  # of the query
    closest: Tube | None = None  # where there is no tube: the best that was found

    __repr__ = brief

    def __iter__(self) -> Iterator[Tube]:
        return iter(self.tubes)

    def __len__(self) -> int:
        return len(self.tubes)

    def __getitem__(self, rank: int) -> Tube:
        return self.tubes[rank]

    @property
    def match(self) -> float:
        """How likely the best tube is what the sentence means, from 0 to 1; 0 without a tube."""
        return self.tubes[0].match if self.tubes else 0.0

    @property
    def status(self) -> str:
        """complete, partial (the video is damaged) or interrupted."""
        if self.observation.interrupted:
            return "interrupted"
        return "partial" if self.observation.timeline.damaged else "complete"

    @property
    def unresolved(self) -> tuple[str, ...]:
        """Words of the sentence that were not used: zero-shot, those without evidence; by trained
        heads, those that their training never met."""
        return self.query.unresolved if self.scores is None else self.scores.unknown

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of the sentence and of the video."""
        return self.query.warnings + self.observation.timeline.warnings

    def document(self, status: str = "") -> JsonDict:
        """The ``cospal/tube@1`` document; ``status`` in place of the result's own."""
        heads = None
        if self.heads is not None and self.scores is not None:
            features = self.heads.runtime.metadata.features
            heads = {"features": features, **self.scores.as_dict(self.observation.span_s)}
        document = tube_json.document(
            self.observation,
            replace(self.query, unresolved=self.unresolved),
            self.id,
            self.tubes,
            config=as_dict(self.config),
            status=status or self.status,
            heads=heads,
            closest=self.closest,
        )
        if made_of := self.fingerprint:
            document["generator"]["fingerprint"] = made_of
        return document

    @property
    def fingerprint(self) -> str:
        """See ``outputs.fingerprint``."""
        seen, models = self.observation, models_of(self.observation.model, self.heads)
        path = Path(seen.info.path)
        return fingerprint(path, seen.source, self.query.text, self.config, models)

    def save_json(
        self, path: Path | str, status: str = "", instead_of: Sequence[Path] = ()
    ) -> None:
        """Write the document, whole or not at all. DeviceError when the disk is full.

        ``instead_of``: files of an earlier document that go with it, as in ``files.replacing``.
        """
        tube_json.write(Path(path), self.document(status), instead_of)

    def save_video(
        self,
        path: Path | str,
        progress: Progress = silent,
        stopped: Callable[[], bool] = never,
        before: Callable[[], None] = lambda: None,
    ) -> Written:
        """Write the annotated MP4 of what was observed; returns what was left out. It is playable
        where ``stopped()`` ended it early. ``before``: called when it is complete, just before
        it gets its name. InputError, also if the source has changed since; DeviceError when the
        disk is full."""

        from cospal_cli.video.writer import Overlay, write_annotated

        def publish() -> None:
            self.observation.check_source(needed=False)
            before()

        self.observation.check_source()
        document = self.document("complete")
        mark = tube_json.fingerprint(document)
        return write_annotated(
            Path(self.observation.info.path),
            Path(path),
            Overlay(self.tubes, self.query.text, mark, curves_of(document)),
            observed_range(self.config.video, self.observation),
            self.config.output,
            progress,
            stopped,
            before=publish,
        )

    def moment(self, rank: int = 0) -> Moment:
        """The tube of ``rank`` with its video, for ``video.clip``, ``video.sheet`` and the like.

        NothingFound where there is no such tube.
        """
        from cospal_cli.video.moment import Moment

        if rank >= len(self.tubes):
            raise NothingFound(f"nothing found for {self.query.text!r}", "there is no tube to show")
        seen = self.observation
        straight = not seen.timeline.rules
        return Moment(Path(seen.info.path), self.tubes[rank], self.config.video, straight)

    def save_clip(
        self,
        path: Path | str,
        pad: str = "0",
        *,
        copy: bool = False,
        progress: Progress = silent,
        stopped: Callable[[], bool] = never,
    ) -> Written:
        """Write the best tube's part of the video, and ``pad`` ("25" frames, "1s") around it.

        Encoded anew, so that its first and last frames are the tube's; ``copy``: from the key
        frame before, without loss. What of the source it shows is returned. NothingFound without
        a tube; other errors as ``video.clip.write_clip``.
        """
        from cospal_cli.video.clip import write_clip
        from cospal_cli.video.copy_clip import write_copy

        moment, unchanged = self._checked()
        if copy:
            return write_copy(moment, Path(path), pad, unchanged)
        output = self.config.output
        return write_clip(moment, Path(path), pad, output, progress, stopped, unchanged)

    def save_crop(
        self,
        path: Path | str,
        pad: str = "0",
        *,
        progress: Progress = silent,
        stopped: Callable[[], bool] = never,
    ) -> Written:
        """``save_clip`` of a steady window that follows the subject."""
        from cospal_cli.video.clip import write_crop

        moment, unchanged = self._checked()
        output = self.config.output
        return write_crop(moment, Path(path), pad, output, progress, stopped, unchanged)

    def save_sheet(self, path: Path | str) -> None:
        """Write a contact sheet (PNG): about eight frames along the best tube, with its box.

        NothingFound without a tube; other errors as ``video.sheet.write_sheet``.
        """
        from cospal_cli.video.sheet import write_sheet

        write_sheet(self._checked()[0], Path(path), self.query.text)

    def save_thumbnail(self, path: Path | str) -> None:
        """Write the clearest frame of the best tube, with its box, as PNG. As ``save_sheet``."""
        from cospal_cli.video.sheet import write_thumbnail

        write_thumbnail(self._checked()[0], Path(path))

    def _checked(self) -> tuple[Moment, Callable[[], None]]:
        """The best tube with its video, which is still the one observed; and a later check."""
        moment = self.moment()
        self.observation.check_source()
        return moment, partial(self.observation.check_source, needed=False)


def curves_of(document: JsonDict) -> list[PhraseCurve]:
    """When each sub-phrase is true, as trained heads saw it; none without them."""
    from cospal_cli.video.curves import PhraseCurve

    found = (document.get("heads") or {}).get("curves", ())
    return [PhraseCurve(one["text"], one["times"], one["log_odds"]) for one in found]


def drawn_of(document: JsonDict) -> tuple[Overlay, VideoConfig]:
    """What the annotated MP4 of a stored document shows, and of which part of the video."""
    from cospal_cli.video.writer import Overlay

    tubes = tube_json.load_tubes(document)
    mark = tube_json.fingerprint(document)
    with errors_as(InputError, "the document is damaged", "write it again"):
        config = config_of(document["generator"]["config"]).video
        return Overlay(tubes, document["query"]["text"], mark, curves_of(document)), config


def moments(document: JsonDict, source: Path | None = None) -> list[Moment]:
    """The tubes of a stored ``cospal/tube@1`` document, best first, each with its video.

    ``source``: the video, where it is not at the document's own path. InputError where the
    document is damaged, or the video is another one, of another size in bytes.
    """
    from cospal_cli.video.moment import Moment

    tubes = tube_json.load_tubes(document)
    with errors_as(InputError, "the document is damaged", "write it again"):
        video, path = document["video"], source or Path(document["video"]["path"])
        config, length = config_of(document["generator"]["config"]).video, video["bytes"]
        straight = not video["timeline"]
    if length is not None and path.is_file() and path.stat().st_size != length:
        raise InputError(f"{str(path)!r} has changed since the tubes were found", "ground it again")
    return [Moment(path, tube, config, straight) for tube in tubes]


def models_of(detector: Mapping[str, str], heads: Heads | None) -> list[str]:
    """What distinguishes the models behind a result. ``detector``: its id and sha256."""
    return [detector.get("id", ""), detector.get("sha256", ""), heads.sha256 if heads else ""]


def observed_range(config: VideoConfig, observation: Observation) -> VideoConfig:
    """``config``, ending where the pass over the video was interrupted."""
    if not observation.interrupted:
        return config
    return replace(config, end=str(int(observation.timeline.indices[-1]) + 1), duration=None)

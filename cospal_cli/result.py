"""The result of one query about one video: its tubes, and the files that it can be written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.core.brief import brief
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.observation import Observation
from cospal_cli.core.progress import Progress, never, silent
from cospal_cli.core.types import Query, Tube
from cospal_cli.outputs import tube_json
from cospal_cli.settings import Config, VideoConfig, as_dict

if TYPE_CHECKING:
    from cospal_cli.ranking.heads import Heads
    from cospal_cli.ranking.prediction import HeadScores
    from cospal_cli.video.writer import Written


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

    __repr__ = brief

    def __iter__(self) -> Iterator[Tube]:
        return iter(self.tubes)

    def __len__(self) -> int:
        return len(self.tubes)

    def __getitem__(self, rank: int) -> Tube:
        return self.tubes[rank]

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
        return tube_json.document(
            self.observation,
            replace(self.query, unresolved=self.unresolved),
            self.id,
            self.tubes,
            config=as_dict(self.config),
            status=status or self.status,
            heads=heads,
        )

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
        return write_annotated(
            Path(self.observation.info.path),
            Path(path),
            Overlay(self.tubes, self.query.text, tube_json.fingerprint(self.document("complete"))),
            observed_range(self.config.video, self.observation),
            self.config.output,
            progress,
            stopped,
            before=publish,
        )


def observed_range(config: VideoConfig, observation: Observation) -> VideoConfig:
    """``config``, ending where the pass over the video was interrupted."""
    if not observation.interrupted:
        return config
    return replace(config, end=str(int(observation.timeline.indices[-1]) + 1), duration=None)

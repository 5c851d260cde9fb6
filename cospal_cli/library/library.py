"""``Library``: videos watched once and asked for ever."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.progress import Progress, failures, never, silent
from cospal_cli.core.query import Query
from cospal_cli.library import indexing
from cospal_cli.library.catalogue import CatalogueEntry
from cospal_cli.library.grounder import LibraryGrounder
from cospal_cli.library.indexing import ADDED, BUSY, Indexed, IndexSettings
from cospal_cli.library.search import Hit, Searcher, state_of
from cospal_cli.library.store import Store
from cospal_cli.library.upkeep import LibraryProblem, remove, repair, verify
from cospal_cli.result import Result
from cospal_cli.settings import Config, argument, changed, current, override

if TYPE_CHECKING:
    from cospal_cli.core.worker_pool import Failure


@dataclass
class IndexReport:
    """What a run of ``Library.index`` did."""

    added: int = 0
    kept: int = 0  # were there before
    failed: dict[str, str] = field(default_factory=dict)  # video -> why
    interrupted: bool = False
    seconds: float = 0.0  # by the clock
    video_s: float = 0.0  # seconds of video observed by this run

    def as_dict(self) -> JsonDict:
        """For JSON."""
        return {**vars(self), "seconds": round(self.seconds, 2), "video_s": round(self.video_s, 2)}


class Library:
    """A folder of observations, which are made once a video and answer any sentence.

        library = Library("lib")
        library.index(["clips/a.mp4", "clips/b.mp4"])
        for hit in library.search("the man in red jumps"):
            print(hit.video, hit.tube.span_s, hit.match)
        result = library.ground("clips/a.mp4", "the man in red jumps")

    ``settings`` are named as in ``Grounder.open``: ``video__fps=5``.
    """

    def __init__(
        self,
        folder: Path | str,
        config: Config | None = None,
        *,
        checkpoint: Path | str | None = None,
        create: bool = True,
        stated: AbstractSet[str] = frozenset(),
        **settings: Any,
    ) -> None:
        """The library in ``folder``, made if ``create``; else UsageError where there is none.

        ``checkpoint``: a folder of trained heads to rank by. ``stated``: settings, by dotted key,
        that are chosen though they have their default's value. UsageError for a folder that holds
        something else.
        """
        keys = {argument(name): value for name, value in settings.items()}
        self.config = override(config, keys)
        self.store = Store.open(Path(folder), create)
        path = None if checkpoint is None else Path(checkpoint)
        said = frozenset(changed(self.config) | current(keys) | stated)
        self._settings = IndexSettings(Path(folder), self.config, path, said)

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.store.folder

    @cached_property
    def grounder(self) -> LibraryGrounder:
        """A ``Grounder`` that takes what is here, and adds what is not."""
        own = self._settings
        return LibraryGrounder.over(self.store, own.config, own.checkpoint, own.stated)

    def ground(self, video: Path | str, query: Query | str) -> Result:
        """The result of one sentence about ``video``, which is observed only if it is not here.

        Raises InputError, WeightsError or DeviceError.
        """
        return next(self.grounder.ground(video, [query]))

    def index(
        self,
        videos: Iterable[Path | str],
        workers: int | None = 1,
        progress: Progress = silent,
        stopped: Callable[[], bool] = never,
    ) -> IndexReport:
        """Observe every video that is not here yet; what cannot be read is named in the report.

        ``workers``: processes; 1: this one does it; None: as the settings of the engine say. When
        ``stopped()`` turns true the video
        at hand is finished, no more. Raises WeightsError or DeviceError.
        """
        from cospal_cli.library.engines import open_engine  # slow to load

        wanted = list(dict.fromkeys(Path(video) for video in videos))
        report, began = IndexReport(), time.monotonic()
        progress("index", 0, len(wanted))
        elsewhere: list[Path] = []
        for work, jobs in ((indexing.index, wanted), (indexing.index_later, elsewhere)):
            engine = open_engine(self._engine(workers), len(jobs))
            with closing(engine.run(jobs, partial(work, settings=self._settings))) as results:
                for video, result in results:
                    if isinstance(result, Indexed) and result.state == BUSY:
                        elsewhere.append(video)
                        continue
                    _count(report, video, result)
                    finished = report.added + report.kept + len(report.failed)
                    progress("index", finished, len(wanted), failures(len(report.failed)))
                    if stopped():
                        report.interrupted = True
                        break
            if report.interrupted:
                break
        indexing.forget()
        report.seconds = time.monotonic() - began
        return report

    def search(self, sentence: Query | str, top_k: int = 20) -> list[Hit]:
        """The ``top_k`` videos that ``sentence`` is likeliest about, best first, each with its
        best tube; fewer where no more have one. UsageError for a sentence that says nothing."""
        if top_k < 1:
            raise ValueError(f"top_k: expected 1 or more, found {top_k}")
        return self._searcher.search(self.grounder.parse(sentence), self.grounder, top_k)

    def entries(self) -> list[CatalogueEntry]:
        """Every observation, by the path of its video."""
        return self.store.catalogue.entries()

    def state(self, entry: CatalogueEntry) -> str:
        """Of the video: "" as it was observed, "changed" since, or "gone"."""
        return state_of(entry)

    def remove(self, videos: Iterable[Path | str]) -> list[CatalogueEntry]:
        """Remove all observations of ``videos``, or of all videos in a folder; returns what is
        gone. The videos themselves are left alone. InputError, and nothing is removed, where one
        is not here."""
        return remove(self.store, [Path(video) for video in videos])

    def verify(self, progress: Progress = silent) -> list[LibraryProblem]:
        """Read every file and compare it with the catalogue; [] where all is well."""
        return verify(self.store, progress)

    def repair(self, progress: Progress = silent) -> list[LibraryProblem]:
        """Make the catalogue anew from the files, and remove those that are damaged; what was put
        right."""
        return repair(self.store, progress)

    def info(self) -> JsonDict:
        """Counts and sizes."""
        entries = self.entries()
        detectors: dict[str, int] = {}
        for one in entries:
            detectors[one.detector] = detectors.get(one.detector, 0) + 1
        return {
            "folder": str(self.folder),
            "videos": len({one.path for one in entries}),
            "observations": len(entries),
            "tubelets": sum(one.tubelets for one in entries),
            "video_s": round(sum(one.duration_s for one in entries), 3),
            "bytes": sum(one.stored_bytes for one in entries),
            "detectors": detectors,
        }

    def _engine(self, workers: int | None) -> Config:
        engine = self.config.engine
        engine = engine if workers is None else replace(engine, workers=workers)
        return replace(self.config, engine=engine)

    @cached_property
    def _searcher(self) -> Searcher:
        return Searcher(self.store)


def _count(report: IndexReport, video: Path, result: Indexed | Failure) -> None:
    """What became of one video; raises what would stop all others too."""
    if not isinstance(result, Indexed):
        report.failed[str(video)] = result.reason
    elif result.stop is not None:
        raise result.stop
    elif result.state == ADDED:
        report.added += 1
        report.video_s += result.video_s
    else:
        report.kept += 1

"""Videos into a library, each observed once: what runs in worker processes."""

from __future__ import annotations

import time
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cospal_cli.core import files
from cospal_cli.core.claims import Run
from cospal_cli.core.errors import CospalError, InputError, UsageError
from cospal_cli.library.grounder import LibraryGrounder
from cospal_cli.library.store import Store
from cospal_cli.settings import Config

ADDED, KEPT, BUSY = "added", "kept", "busy"
_PAUSE_S = 0.2  # between looks at what another process is about


@dataclass(frozen=True)
class IndexSettings:
    """What all jobs of a run share. Picklable and hashable."""

    folder: Path
    config: Config
    checkpoint: Path | None = None
    stated: AbstractSet[str] = frozenset()


@dataclass(frozen=True)
class Indexed:
    """What became of one video."""

    state: str  # ``ADDED`` now, ``KEPT``: was there; ``BUSY``: another process is about it
    seconds: float = 0.0  # that it took
    video_s: float = 0.0  # observed
    tubelets: int = 0
    stop: CospalError | None = None  # no fault of the video: the next would fail too

    def __reduce__(self) -> Any:
        # An exception that is sent to another process would lose its hint.
        stop = self.stop and (type(self.stop), self.stop.message, self.stop.hint)
        return _indexed, (self.state, self.seconds, self.video_s, self.tubelets, stop)


def _indexed(state: str, seconds: float, video_s: float, tubelets: int, stop: Any) -> Indexed:
    return Indexed(state, seconds, video_s, tubelets, stop and stop[0](*stop[1:]))


def index(video: Path, settings: IndexSettings) -> Indexed:
    """Observe ``video`` into the library unless it is there. InputError where it cannot be read."""
    try:
        return _index(video, _grounder(settings))
    except InputError:
        raise
    except _Busy:
        return Indexed(BUSY)
    except CospalError as error:
        return Indexed("", stop=error)


def index_later(video: Path, settings: IndexSettings) -> Indexed:
    """As ``index``, once the process that is about ``video`` has finished, or died."""
    while (done := index(video, settings)).state == BUSY:
        time.sleep(_PAUSE_S)
    return done


def forget() -> None:
    """Close the models of this process."""
    _grounder.cache_clear()


class _Busy(CospalError):
    """Another process observes the same video."""


def _refuse(target: Path, run: Run) -> CospalError:
    return _Busy(f"{target} is written by {run.who()}")


@cache
def _grounder(settings: IndexSettings) -> LibraryGrounder:
    """The models of this process."""
    store = Store.open(settings.folder, create=True)
    own = settings
    grounder = LibraryGrounder.over(store, own.config, own.checkpoint, own.stated, describes=True)
    if grounder.detector is not None and grounder.detector.prompted:
        raise UsageError(
            f"detector {grounder.config.detector.name!r} looks for one sentence at a time: what it "
            "finds cannot be searched by another",
            "name one that finds everything: --detector nanodet",
        )
    return grounder


def _index(video: Path, grounder: LibraryGrounder) -> Indexed:
    key, store = grounder.key(video), grounder.store
    if _there(grounder, video):
        return Indexed(KEPT)
    began = time.monotonic()
    with files.claimed([store.path(key.name)], _refuse):
        if _there(grounder, video):  # by now
            return Indexed(KEPT)
        observation = grounder.observe(video)
        grounder.complete(observation)
    seconds = time.monotonic() - began
    span = observation.span_s
    return Indexed(ADDED, seconds, span.end - span.start, len(observation.tubelets))


def _there(grounder: LibraryGrounder, video: Path) -> bool:
    """Whether the observation is stored whole; if only its entry is missing, that is made."""
    key, store = grounder.key(video), grounder.store
    if not grounder.has(key):
        return False
    if store.catalogue.find(key.name) is None:  # a run was killed just before it made the entry
        store.catalogue.put([store.enter(store.path(key.name))])
    return True

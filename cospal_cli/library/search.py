"""Search: the catalogue chooses the videos, their stored observations are asked."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cospal_cli.core.errors import InputError
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.query import Query
from cospal_cli.core.tube import Tube
from cospal_cli.grounder import Grounder
from cospal_cli.library.catalogue import CatalogueEntry
from cospal_cli.library.first_stage import Table, best, tables
from cospal_cli.library.keys import stamp
from cospal_cli.library.store import Store
from cospal_cli.library.stored import StoredObservation
from cospal_cli.result import Result

LOG = logging.getLogger("cospal")
_MORE = 1.25  # times the wanted videos are opened: the second stage changes the order a little


@dataclass(frozen=True)
class Hit:
    """One video that a search found: its best tube, and how likely it is meant."""

    rank: int
    video: str  # absolute path
    tube: Tube
    result: Result  # of that video, all its tubes
    state: str  # "": as it was; "changed" or "gone" since it was observed

    @property
    def match(self) -> float:
        """How likely the tube is what the sentence means, 0..1; see ``ranking.match``."""
        return self.tube.match

    def as_dict(self) -> JsonDict:
        """For JSON. The box is the one in the middle of the time."""
        tube = self.tube
        middle = len(tube.frame_indices) // 2
        return {
            "rank": self.rank,
            "video": self.video,
            "state": self.state or "unchanged",
            "match": round(self.match, 4),
            "score": round(tube.score, 4),
            "start_time": round(tube.span_s[0], 6),
            "end_time": round(tube.span_s[1], 6),
            "start_frame": int(tube.frame_indices[0]),
            "end_frame": int(tube.frame_indices[-1]) + 1,
            "tubelet": tube.id,
            "label": tube.label,
            "detected": tube.detected,
            "why": {term: round(value, 4) for term, value in tube.why.items()},
            "frame": int(tube.frame_indices[middle]),
            "bbox": np.round(tube.boxes_xyxy[middle].astype(np.float64), 2).tolist(),
        }


def _order(tube: Tube) -> tuple[float, float]:
    """What ranks tubes of different videos: their match and, of equal ones, the evidence."""
    return -tube.match, -sum(tube.why.values())


class Searcher:
    """The catalogue in memory, read again when it has changed."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._changes = -1
        self._entries: list[CatalogueEntry] = []
        self._tables: list[Table] = []

    def search(self, query: Query, grounder: Grounder, top_k: int) -> list[Hit]:
        """The ``top_k`` videos that ``query`` is likeliest about, best first, each with its best
        tube; fewer where no more have one."""
        found = []
        wanted = max(top_k + 5, round(_MORE * top_k))
        for entry in self._likeliest(query, grounder, wanted):
            try:
                result = self._ask(entry, query, grounder)
            except InputError as error:
                LOG.warning("%s; left out", error.message)
                continue
            if result.tubes:
                found.append((entry, result))
        found.sort(key=lambda one: _order(one[1].tubes[0]))
        return [
            Hit(rank, entry.path, result.tubes[0], result, state_of(entry))
            for rank, (entry, result) in enumerate(found[:top_k], 1)
        ]

    def _likeliest(self, query: Query, grounder: Grounder, count: int) -> Iterator[CatalogueEntry]:
        """The most promising videos, each once."""
        self._read()
        scores = np.full(len(self._entries), -np.inf)
        for table in self._tables:
            scores[list(table.entries)] = best(table, query, grounder.config.ground)
        seen: set[str] = set()
        for at in np.argsort(-scores, kind="stable"):
            entry = self._entries[at]
            if np.isneginf(scores[at]) or len(seen) == count:
                return
            if entry.path not in seen and entry.prompt in ("", query.text):
                seen.add(entry.path)
                yield entry

    def _ask(self, entry: CatalogueEntry, query: Query, grounder: Grounder) -> Result:
        file = StoredObservation(self.store.path(entry.file))
        result = grounder.answer(file.observation(), query)
        return replace(result, config=file.config(grounder.config))

    def _read(self) -> None:
        changes = self.store.catalogue.changes()
        if changes != self._changes:
            entries = self.store.catalogue.entries(numbers=True)
            self._tables = tables(entries)
            self._entries = [replace(one, numbers=b"") for one in entries]
            self._changes = changes


def state_of(entry: CatalogueEntry) -> str:
    """Of the video: "" as it was observed, "changed" since, or "gone"."""
    try:
        now = stamp(Path(entry.path))
    except InputError:
        return "gone"
    return "" if now == (entry.size, entry.changed_ns) else "changed"

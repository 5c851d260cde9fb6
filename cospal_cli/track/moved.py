"""Parts of tracks that end up in another tubelet than the rest become tracks of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import IntArray


class Moved(NamedTuple):
    """What ``update`` called ``track`` from ``start_s`` to ``end_s`` is ``became`` in tubelets."""

    track: int
    start_s: float
    end_s: float
    became: int


class Parts(NamedTuple):
    """The track ids of every tubelet, and the parts that have new ones."""

    tracks: list[tuple[int, ...]]
    moved: list[Moved]


def parts_of(
    tracks: Sequence[IntArray], times_s: Sequence[NDArray[np.float64]], free: int
) -> Parts:
    """``tracks`` and ``times_s``: those of each tubelet's observations, in order of time.

    The first tubelet that has part of a track keeps its id; others get ids from ``free`` on.
    """
    taken: set[int] = set()
    parts = Parts([], [])
    for ids, times in zip(tracks, times_s, strict=True):
        own = []
        for track in dict.fromkeys(ids.tolist()):
            at = np.flatnonzero(ids == track)
            number = track
            if track in taken:
                number = free + len(parts.moved)
                span = float(times[at[0]]), float(times[at[-1]])
                parts.moved.append(Moved(track, *span, number))
            taken.add(track)
            own.append(number)
        parts.tracks.append(tuple(own))
    return parts

"""Splits, and the held-out tenth of train by which checkpoints are chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b

SPLITS = ("train", "val", "test")
PARTS = ("fit", "held")  # of train: nine tenths, one tenth
HELD_SHARE = 0.1


def held_sources(sources: Sequence[str], share: float = HELD_SHARE) -> frozenset[str]:
    """The sources (films, videos) to hold out, given that of every annotated record.

    Whole sources are taken in the order of a hash of their names until about ``share`` of the
    records is reached, so the choice depends on nothing but the annotation file. Where there are
    two sources, at least one is held out and one is not.
    """
    sizes = Counter(sources)
    wanted = share * len(sources)
    chosen: set[str] = set()
    taken = 0
    for source in sorted(sizes, key=_rank)[: len(sizes) - 1]:
        if chosen and taken + sizes[source] - wanted > wanted - taken:  # nearer without it
            break
        chosen.add(source)
        taken += sizes[source]
    return frozenset(chosen)


def _rank(source: str) -> tuple[bytes, str]:
    return blake2b(source.encode("utf-8", "replace"), digest_size=8).digest(), source

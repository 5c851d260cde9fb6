"""Splits, and the tenth of train for validation, which chooses checkpoints."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b

from cospal_cli.settings.names import OLD_NAMES_END
from cospal_cli.settings.stored import FORMER

LOG = logging.getLogger("cospal")

SPLITS = ("train", "val", "test")
FIT, VALIDATION = PARTS = ("fit", "validation")  # of train: nine tenths, one tenth
SHARE = 0.1


def split_name(name: str) -> str:
    """``name``, or what a split of a former name is called today, with a warning."""
    if name not in FORMER:
        return name
    LOG.warning(
        "the split %s is now called %s; the old name works until version %s",
        name, FORMER[name], OLD_NAMES_END,
    )  # fmt: skip
    return FORMER[name]


def validation_sources(sources: Sequence[str], share: float = SHARE) -> frozenset[str]:
    """The sources (films, videos) for validation, given that of every annotated record.

    Whole sources are taken in the order of a hash of their names until about ``share`` of the
    records is reached, so the choice depends on nothing but the annotation file. Where there are
    two sources, at least one is taken and one is not.
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

"""The words of a query as the heads read them, with their vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.brief import brief
from cospal_cli.core.contract import expect


@dataclass(frozen=True)
class WordVectors:
    """The vector of each word of a text."""

    spans: tuple[tuple[int, int], ...]  # (N) half-open character spans in the text
    vectors: FloatArray  # (N, Dt)

    __repr__ = brief

    def __post_init__(self) -> None:
        expect("vectors", self.vectors, (len(self.spans), None), "f")

    def __len__(self) -> int:
        return len(self.spans)


@dataclass(frozen=True)
class Phrase:
    """The words that the heads read for one query, or one part of it."""

    words: tuple[str, ...]  # (N) lower case
    vectors: FloatArray  # (N, Dt) the text encoder's
    referral: NDArray[np.bool_]  # (N,) nouns and adjectives of the referral: who is meant
    content: NDArray[np.bool_]  # (N,) nouns, verbs, adjectives, adverbs

    __repr__ = brief

    def __post_init__(self) -> None:
        n = len(self.words)
        expect("vectors", self.vectors, (n, None), "f")
        for name in ("referral", "content"):
            expect(name, getattr(self, name), (n,), "b")

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True)
class Phrases:
    """A query as the method reads it (CRG): the sentence, and global words joined to local ones."""

    sentence: Phrase
    refined: Phrase  # <global:all that is local>: what inference reads
    passes: tuple[Phrase, ...]  # <global:local_i>, one per sub-phrase, at most five
    acts: tuple[Phrase, ...] = ()  # each sub-phrase behind its subject, each word encoded alone:
    # the referral's words cannot be read from it

    __repr__ = brief

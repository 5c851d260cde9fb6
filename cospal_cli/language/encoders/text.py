"""A sentence's words as vectors: every text encoder by name, and what they share.

All of them cut a text into words by the same rule (``tokens.spans``), so that their vectors can be
compared, and exchanged, word by word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.backends import TEXT_ENCODERS as BACKENDS
from cospal_cli.core.phrases import WordVectors
from cospal_cli.core.registry import load
from cospal_cli.language.parser.tokens import spans
from cospal_cli.settings import TextConfig


class TextEncoder(Protocol):
    """A backend: built from a TextConfig, then given texts one by one or many at once."""

    dim: int  # numbers per word
    model_id: str  # what the results name as their source
    model_sha256: str

    def words(self, text: str) -> WordVectors:
        """The words of ``text`` in its order: character spans, vectors (N, ``dim``).

        Words that the encoder did not read are left out: those behind the longest text it takes,
        and marks that its alphabet has no piece for.
        """

    def words_of(self, texts: Sequence[str]) -> list[WordVectors]:
        """``words`` of each text, in their order."""


def open_text_encoder(config: TextConfig) -> TextEncoder:
    """The text encoder that ``config`` names; UsageError lists the known ones."""
    encoder: TextEncoder = load("text encoder", BACKENDS, config.name)(config)
    return encoder


def clean(text: str) -> str:
    """``text`` with "?" for every lone surrogate, as the shell may pass them; as long as before."""
    return text.encode("utf-8", "replace").decode("utf-8")


def pool(text: str, pieces: ArrayLike, states: FloatArray) -> WordVectors:
    """Each word of ``text`` with the mean state of its word pieces.

    ``pieces`` (L, 2): the half-open character span of each piece, empty for special tokens and
    padding. ``states`` (L, D). A piece belongs to every word that it shares a character with.
    """
    words = np.array(list(spans(text)), np.int64).reshape(-1, 1, 2)
    ends = np.asarray(pieces, np.int64).reshape(1, -1, 2)
    shared = np.minimum(words[..., 1], ends[..., 1]) - np.maximum(words[..., 0], ends[..., 0])
    counts = (shared > 0).sum(axis=1, keepdims=True)
    read = counts[:, 0] > 0
    means = (shared > 0)[read].astype(np.float32) @ states / counts[read].astype(np.float32)
    read_spans = tuple((int(start), int(end)) for start, end in words[read, 0])
    return WordVectors(read_spans, means.astype(np.float32))

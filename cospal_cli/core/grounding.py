"""The contract of the heads as records: what goes in, what comes out; see ``core.contract``."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray, IntArray
from cospal_cli.core.brief import brief
from cospal_cli.core.contract import HEAD_INPUTS, HEAD_OUTPUTS, check


@dataclass(frozen=True)
class GroundingInputs:
    """All that the heads see of one video and one query: the contract.

    Names, axes and kinds are those of ``contract.HEAD_INPUTS``. Nothing of the ground truth is
    among them. Absent frames, and padding, are False in the masks and zero elsewhere; at least one
    word is True.
    """

    tubelets: FloatArray  # (K, T, F) features at T uniformly spaced times of the video
    tubelet_mask: NDArray[np.bool_]  # (K, T) whether the tubelet is there
    clips: FloatArray  # (C, Dv)
    clip_mask: NDArray[np.bool_]  # (C,)
    words: FloatArray  # (N, Dt)
    word_mask: NDArray[np.bool_]  # (N,)
    referral_mask: NDArray[np.bool_]  # (N,) words that say who is meant
    content_mask: NDArray[np.bool_]  # (N,) nouns, verbs, adjectives, adverbs
    word_ids: IntArray  # (N,) in the training vocabulary; 0: not in it
    phrase_ids: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))  # (N,) 0: a word of
    # the sentence; j: of its j-th sub-phrase, encoded alone. Left out, there are no sub-phrases

    __repr__ = brief

    def __post_init__(self) -> None:
        if not len(self.phrase_ids):
            object.__setattr__(self, "phrase_ids", np.zeros(len(self.word_ids), np.int64))
        check(self, HEAD_INPUTS)


@dataclass(frozen=True)
class GroundingScores:
    """The heads' outputs, in the order of the inputs' tubelets."""

    tubelet_scores: FloatArray  # (K,) sum to 1 over the tubelets
    proposals: FloatArray | None = None  # (P, 2) start and end as shares of the video, 0..1
    proposal_scores: FloatArray | None = None  # (P,) sum to 1; higher: the sentence is
    # reconstructed better from there
    curves: FloatArray | None = None  # (K, T, J) log odds of each sub-phrase in each bin of each
    # tubelet; ``contract.ABSENT`` where there is none

    __repr__ = brief

    def __post_init__(self) -> None:
        check(self, HEAD_OUTPUTS)

"""What a video encoder leaves of a video, or of one object in it; see ``core.arrays``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.brief import brief
from cospal_cli.core.contract import expect


@dataclass(frozen=True)
class FeatureMaps:
    """What a video encoder makes of each part of the frame, step by step in order of time."""

    values: NDArray[np.float16]  # (S, h, w, D); the h x w cells share the whole frame evenly
    spans_s: NDArray[np.float64]  # (S, 2) half-open

    __repr__ = brief

    def __post_init__(self) -> None:
        expect("values", self.values, (None, None, None, None), "f")
        expect("spans_s", self.spans_s, (len(self.values), 2), "f")


@dataclass(frozen=True)
class Clips:
    """The features of a video, or of one object in it, clip by clip in order of time."""

    features: FloatArray  # (C, Dv)
    spans_s: NDArray[np.float64]  # (C, 2) half-open
    maps: FeatureMaps | None = None  # where objects are to be pooled; never kept for long

    __repr__ = brief

    def __post_init__(self) -> None:
        expect("features", self.features, (None, None), "f")
        expect("spans_s", self.spans_s, (len(self.features), 2), "f")

    def __len__(self) -> int:
        return len(self.features)

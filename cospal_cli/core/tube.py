"""The answer: one subject through time, with a box for every frame; see ``core.arrays``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray, IntArray
from cospal_cli.core.contract import expect


@dataclass(frozen=True)
class Tube:
    """The answer: one box for every source frame in the half-open ``span_s``."""

    id: int  # the tubelet it was cut from
    frame_indices: IntArray  # (T,) consecutive source ordinals
    pts: IntArray  # (T,)
    times_s: NDArray[np.float64]  # (T,)
    boxes_xyxy: FloatArray  # (T, 4)
    box_scores: FloatArray  # (T,)
    interpolated: NDArray[np.bool_]  # (T,)
    span_s: tuple[float, float]
    score: float  # its share among the candidates of its video
    match: float = 0.0  # how likely it is what the sentence means; see ``ranking.match``
    label: str = ""  # the sentence's noun for the subject
    why: Mapping[str, float] = field(default_factory=dict)  # each term's contribution, in nats
    detected: str = ""  # the detector's class of the tubelet

    @property
    def confidence(self) -> float:
        """The former name of ``match``, for one version."""
        return self.match

    def __repr__(self) -> str:
        start, end = self.span_s
        first, last = int(self.frame_indices[0]), int(self.frame_indices[-1])
        return (
            f"Tube({self.label[:40]!r}, {start:.2f} to {end:.2f} s, frames {first} to {last}, "
            f"score {self.score:.2f})"
        )

    def __post_init__(self) -> None:
        n = len(self.frame_indices)
        expect("boxes_xyxy", self.boxes_xyxy, (n, 4), "f")
        for name in ("times_s", "box_scores"):
            expect(name, getattr(self, name), (n,), "f")
        expect("interpolated", self.interpolated, (n,), "b")
        if n == 0 or not self.span_s[0] < self.span_s[1]:
            raise ValueError(f"span_s: an empty tube, {n} frames in {self.span_s}")

"""BoT-SORT: the lesser of the distances in place and appearance, the latter only where both agree.

Weak detections are matched by place alone. Sides change as freely as centres move.
"""

from __future__ import annotations

from math import prod

import numpy as np

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.tubelets import BoxColours, Detections
from cospal_cli.track.state import Agility, Live
from cospal_cli.track.two_stage import TwoStageTracker

_TIE = 0.25  # of the distance in place is added to that in appearance: many people look the same
_THUMB = 0.5  # weight of the thumbnail's vector beside that of the colours


class BotSort(TwoStageTracker):
    """Appearance is unit vectors: the detector's features, else colours and thumbnails."""

    limits = (0.8, 0.5)
    agility = Agility(1.0, 1.0)

    def _describe(self, detections: Detections, seen: BoxColours) -> FloatArray:
        if detections.features is not None:
            return _unit(np.nan_to_num(detections.features.astype(np.float32)))
        return _colour_vectors(seen)

    def _alike(self, memory: FloatArray, seen: FloatArray) -> FloatArray:
        cosine: FloatArray = _unit(memory) @ seen.T
        return cosine

    def _costs(
        self, live: Live, overlap: FloatArray, alike: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        away, unlike = 1 - overlap, 1 - alike
        own = self._config.botsort
        near = (unlike < own.appearance_threshold) & (away < own.proximity_threshold)
        fused = np.minimum(away, unlike / 2 + _TIE * away)
        return np.where(near, fused, away), away


def _colour_vectors(seen: BoxColours) -> FloatArray:
    """Unit vectors (D, E) whose cosine says how alike boxes look.

    Roots of the colours' shares, so that their product is the overlap of histograms, and
    thumbnails less their mean. An empty region or a flat thumbnail counts nothing.
    """
    colours, thumbs = (
        rows.reshape(len(rows), prod(rows.shape[1:])).astype(np.float32)
        for rows in (seen.shares, seen.thumbs)
    )
    thumbs -= thumbs.sum(axis=1, keepdims=True) / max(thumbs.shape[1], 1)
    return _unit(np.concatenate([_unit(np.sqrt(colours)), _THUMB * _unit(thumbs)], axis=1))


def _unit(vectors: FloatArray) -> FloatArray:
    """Rows (D, E) scaled to length 1; rows of zeros stay."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: FloatArray = vectors / np.maximum(length, 1e-6)
    return scaled

"""How alike boxes are in place and in colours."""

from __future__ import annotations

import numpy as np

from cospal_cli.core.arrays import FloatArray


def grown_iou(a: FloatArray, b: FloatArray, margin: FloatArray) -> FloatArray:
    """IoU of broadcastable boxes (..., 4) after growing every side by ``margin`` of its length."""

    def grown(boxes: FloatArray) -> tuple[FloatArray, FloatArray]:
        extra = margin * (boxes[..., 2:] - boxes[..., :2])
        return boxes[..., :2] - extra, boxes[..., 2:] + extra

    (a_low, a_high), (b_low, b_high) = grown(a), grown(b)
    sides = np.clip(np.minimum(a_high, b_high) - np.maximum(a_low, b_low), 0, None)
    inter = sides.prod(axis=-1)
    union = (a_high - a_low).prod(axis=-1) + (b_high - b_low).prod(axis=-1) - inter
    ratio: FloatArray = inter / np.maximum(union, 1e-6)
    return ratio


def likenesses(a: FloatArray, b: FloatArray) -> FloatArray:
    """Histogram intersection (A, B) in [0, 1] of colour rows (A, R, C), (B, R, C); mean of regions.

    A region without pixels in both is no evidence: it counts a half.
    """
    common = np.minimum(a[:, None], b[None]).sum(axis=-1)
    total = np.maximum(a.sum(axis=-1)[:, None], b.sum(axis=-1)[None])
    alike = np.divide(common, total, out=np.full_like(common, 0.5), where=total > 0)
    mean: FloatArray = alike.mean(axis=-1)
    return mean

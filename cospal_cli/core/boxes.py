"""Box arithmetic on (..., 4) xyxy arrays. Continuous coordinates: no +1 anywhere."""

from __future__ import annotations

import numpy as np

from cospal_cli.core.arrays import FloatArray


def area(boxes: FloatArray) -> FloatArray:
    """Areas (...,) of ``boxes`` (..., 4); 0 for inverted boxes."""
    sides = np.clip(boxes[..., 2:] - boxes[..., :2], 0, None)
    return sides[..., 0] * sides[..., 1]


def centres(boxes: FloatArray) -> FloatArray:
    """Centres (..., 2) of ``boxes`` (..., 4)."""
    return (boxes[..., :2] + boxes[..., 2:]) * np.float32(0.5)


def intersection(a: FloatArray, b: FloatArray) -> FloatArray:
    """Element-wise intersection areas of two broadcastable box arrays."""
    low = np.maximum(a[..., :2], b[..., :2])
    high = np.minimum(a[..., 2:], b[..., 2:])
    return area(np.concatenate([low, high], axis=-1))


def iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """Element-wise intersection over union of two broadcastable box arrays, 0 for empty unions."""
    inter = intersection(a, b)
    union = area(a) + area(b) - inter
    return np.divide(inter, union, out=np.zeros_like(inter), where=union > 0)


def pairwise_iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """IoU matrix (A, B) of boxes (A, 4) and (B, 4)."""
    return iou(a[:, None], b[None])


def clip(boxes: FloatArray, width: float, height: float) -> FloatArray:
    """``boxes`` cut to the frame."""
    return np.clip(boxes, 0, np.array([width, height, width, height], boxes.dtype))

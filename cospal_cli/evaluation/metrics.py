"""Spatio-temporal overlap of tubes: tIoU, vIoU, sIoU (method: metrics), on 0-based frame sets.

A tube here is a pair: frames (T,) strictly increasing integers, boxes (T, 4) xyxy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cospal_cli.boxes import iou
from cospal_cli.types import FloatArray

Frames = NDArray[np.int64]


def t_iou(predicted: Frames, truth: Frames) -> float:
    """|P ∩ G| / |P ∪ G| of the frame sets; 0 when both are empty."""
    common = len(np.intersect1d(predicted, truth, assume_unique=True))
    union = len(predicted) + len(truth) - common
    return common / union if union else 0.0


def v_iou(predicted: Frames, boxes: FloatArray, truth: Frames, truth_boxes: FloatArray) -> float:
    """(1 / |P ∪ G|) Σ over common frames of the boxes' IoU."""
    overlaps = _common_ious(predicted, boxes, truth, truth_boxes)
    union = len(predicted) + len(truth) - len(overlaps)
    return float(overlaps.sum() / union) if union else 0.0


def s_iou(predicted: Frames, boxes: FloatArray, truth: Frames, truth_boxes: FloatArray) -> float:
    """Mean IoU over the ground truth's frames; frames without a predicted box count 0."""
    overlaps = _common_ious(predicted, boxes, truth, truth_boxes)
    return float(overlaps.sum() / len(truth)) if len(truth) else 0.0


def _common_ious(
    predicted: Frames, boxes: FloatArray, truth: Frames, truth_boxes: FloatArray
) -> FloatArray:
    _, rows, truth_rows = np.intersect1d(predicted, truth, assume_unique=True, return_indices=True)
    return iou(boxes[rows], truth_boxes[truth_rows])

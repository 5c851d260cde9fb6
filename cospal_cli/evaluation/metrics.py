"""Spatio-temporal overlap of tubes: tIoU, vIoU, sIoU (method: metrics), on 0-based frame sets.

A tube here is a pair: frames (T,) strictly increasing integers, boxes (T, 4) xyxy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.boxes import iou

Frames = NDArray[np.int64]
Boxes = NDArray  # (T, 4) floats; overlaps are computed in their own precision


def t_iou(predicted: Frames, truth: Frames) -> float:
    """|P ∩ G| / |P ∪ G| of the frame sets; 0 when both are empty."""
    common = int(np.count_nonzero(_places(predicted, truth) >= 0))
    union = len(predicted) + len(truth) - common
    return common / union if union else 0.0


def v_iou(predicted: Frames, boxes: Boxes, truth: Frames, truth_boxes: Boxes) -> float:
    """(1 / |P ∪ G|) Σ over common frames of the boxes' IoU."""
    _, overlaps = common_ious(predicted, boxes, truth, truth_boxes)
    union = len(predicted) + len(truth) - len(overlaps)
    return float(overlaps.sum() / union) if union else 0.0


def s_iou(predicted: Frames, boxes: Boxes, truth: Frames, truth_boxes: Boxes) -> float:
    """Mean IoU over the ground truth's frames; frames without a predicted box count 0."""
    _, overlaps = common_ious(predicted, boxes, truth, truth_boxes)
    return float(overlaps.sum() / len(truth)) if len(truth) else 0.0


def common_ious(
    predicted: Frames, boxes: Boxes, truth: Frames, truth_boxes: Boxes
) -> tuple[Frames, Boxes]:
    """Which of the predicted rows (C,) are at frames of the truth, and their boxes' IoU (C,).

    The predicted frames may come in any order, and more than once.
    """
    places = _places(predicted, truth)
    rows = np.flatnonzero(places >= 0)
    return rows, iou(boxes[rows], truth_boxes[places[rows]])


def _places(frames: Frames, among: Frames) -> Frames:
    """Where each of ``frames`` stands in ``among``, -1 where it does not."""
    if not len(among):
        return np.full(len(frames), -1)
    at = np.minimum(np.searchsorted(among, frames), len(among) - 1)
    return np.where(among[at] == frames, at, -1)

"""Non-maximum suppression that keeps the class scores of suppressed boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray, IntArray
from cospal_cli.core.boxes import pairwise_iou

SAME_OBJECT = 0.8  # IoU above which two boxes of one family are one object


def suppress(
    boxes: FloatArray,
    label_scores: FloatArray,
    families: IntArray,
    iou: float,
    limit: int,
    twins: float = SAME_OBJECT,
) -> tuple[IntArray, FloatArray]:
    """Which of ``boxes`` (D, 4) to keep, and their label scores.

    A box goes if a better one of its class overlaps it by more than ``iou``, or a better one of
    its family (``families`` (L,), a number for each class) by more than ``twins``. Returns the rows
    kept (K,), K <= ``limit``, best first, and (K, L): the kept box's ``label_scores`` (D, L), or
    those of a near-identical box that it suppressed, whichever is higher.
    """
    scores = label_scores.max(axis=1, initial=0)
    order = np.argsort(-scores, kind="stable")
    labels = label_scores[order].argmax(axis=1) if len(order) else order
    overlap = pairwise_iou(boxes[order], boxes[order])
    same_thing = (overlap > twins) & _equal(families[labels])
    rivals = ((overlap > iou) & _equal(labels)) | same_thing
    alive = np.ones(len(order), bool)
    kept: list[int] = []
    merged: list[FloatArray] = []
    while len(kept) < limit and alive.any():
        best = int(alive.argmax())  # the first, and so the highest score, that is left
        same = order[alive & same_thing[best]]
        merged.append(
            np.maximum(label_scores[same].max(axis=0, initial=0), label_scores[order[best]])
        )
        alive &= ~rivals[best]
        alive[best] = False
        kept.append(best)
    shape = (len(kept), label_scores.shape[1])
    return order[kept].astype(np.int64), np.array(merged, np.float32).reshape(shape)


def _equal(values: IntArray) -> NDArray[np.bool_]:
    """Matrix (D, D): where two entries of ``values`` (D,) are equal."""
    equal: NDArray[np.bool_] = values[:, None] == values[None]
    return equal

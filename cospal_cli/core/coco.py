"""The 80 COCO classes, in the order of the detector's outputs."""

from __future__ import annotations

import numpy as np

from cospal_cli.core.types import IntArray

CLASSES: tuple[str, ...] = (
    "person",
    *("bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"),
    *("traffic light", "fire hydrant", "stop sign", "parking meter", "bench"),
    *("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"),
    *("backpack", "umbrella", "handbag", "tie", "suitcase"),
    *("frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove"),
    *("skateboard", "surfboard", "tennis racket"),
    *("bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl"),
    *("banana", "apple", "sandwich", "orange", "broccoli"),
    *("carrot", "hot dog", "pizza", "donut", "cake"),
    *("chair", "couch", "potted plant", "bed", "dining table", "toilet"),
    *("tv", "laptop", "mouse", "remote", "keyboard", "cell phone"),
    *("microwave", "oven", "toaster", "sink", "refrigerator"),
    *("book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush"),
)

# Two boxes in one place with classes of one family are one object seen as two things: car and
# truck, but on real video also bottle and cake, bed and refrigerator, orange and sports ball. A
# person stays apart: who fills the box of a bicycle or a chair is on it, not it.
FAMILY_OF: IntArray = np.array([name != "person" for name in CLASSES], np.int64)

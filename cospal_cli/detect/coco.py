"""The 80 COCO classes, in the order of the detector's outputs, and their families."""

from __future__ import annotations

import numpy as np

from cospal_cli.types import IntArray

FAMILIES: dict[str, tuple[str, ...]] = {
    "person": ("person",),
    "vehicle": ("bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"),
    "outdoor": ("traffic light", "fire hydrant", "stop sign", "parking meter", "bench"),
    "animal": (
        *("bird", "cat", "dog", "horse", "sheep"),
        *("cow", "elephant", "bear", "zebra", "giraffe"),
    ),
    "accessory": ("backpack", "umbrella", "handbag", "tie", "suitcase"),
    "sports": (
        *("frisbee", "skis", "snowboard", "sports ball", "kite"),
        *("baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket"),
    ),
    "kitchen": ("bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl"),
    "food": (
        *("banana", "apple", "sandwich", "orange", "broccoli"),
        *("carrot", "hot dog", "pizza", "donut", "cake"),
    ),
    "furniture": ("chair", "couch", "potted plant", "bed", "dining table", "toilet"),
    "electronic": ("tv", "laptop", "mouse", "remote", "keyboard", "cell phone"),
    "appliance": ("microwave", "oven", "toaster", "sink", "refrigerator"),
    "indoor": (
        *("book", "clock", "vase", "scissors"),
        *("teddy bear", "hair drier", "toothbrush"),
    ),
}
CLASSES: tuple[str, ...] = tuple(name for names in FAMILIES.values() for name in names)
# FAMILY_OF[c]: number of the family of class c. Two boxes in one place with classes of one family
# are one object seen as two things (car and truck); person and bicycle are two objects.
FAMILY_OF: IntArray = np.repeat(
    np.arange(len(FAMILIES)), [len(names) for names in FAMILIES.values()]
).astype(np.int64)

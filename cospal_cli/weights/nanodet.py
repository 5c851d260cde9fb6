"""The contract of the shipped NanoDet-g: its inputs and outputs, for all code that runs it."""

from __future__ import annotations

import numpy as np

WEIGHTS = "nanodet_g_coco"
WEIGHTS_INT8 = "nanodet_g_coco_int8"
INPUT = "input_1:0"  # (N, 3, h, w) float32: blue, green, red, normalised
# Of the int8 copy (N, h / 2, w / 2, 12) uint8: the four pixels of each square in rows, red, green,
# blue, each normalised value divided by STEP, rounded, and ZERO added.
STEP, ZERO = np.float32(0.01887255), 113
STRIDES = (8, 16, 32)
GRID = STRIDES[-1]  # network sides are multiples of the coarsest stride
SCORES = ("Identity:0", "Identity_1:0", "Identity_2:0")  # (N, cells, 80) by stride, in 0..1
DISTANCES = ("Identity_3:0", "Identity_4:0", "Identity_5:0")  # (N, cells, 4 x BINS) logits
BINS = 11  # a side's distance is the expectation over 0..10 strides
BACKBONE = "PartitionedCall/onnx_tf_prefix_Concat_62:0"  # (N, 512, h / 32, w / 32), inside
MEAN = np.array([103.53, 116.28, 123.675], np.float32).reshape(3, 1, 1)  # blue, green, red
STD = np.array([57.375, 57.12, 58.395], np.float32).reshape(3, 1, 1)

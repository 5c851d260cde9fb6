"""The kinds of array that pass from stage to stage, and what holds for all records of them.

Frames are RGB uint8 HWC. Boxes are float32 xyxy in pixels of the *displayed* frame (rotation
applied, before any working-size reduction). Times are seconds from the first displayed frame's own
pts; spans are half-open. Scores are in [0, 1]. ``T`` observations, ``D`` detections, ``N`` frames,
``L`` detector classes. The records are frozen, and validated where they are made.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

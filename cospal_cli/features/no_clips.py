"""No clip features: for heads that tell when by the tubelets' motion alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cospal_cli.core.types import FloatArray, FrameBatch
from cospal_cli.features.clips import Frame, Pace, WindowEncoder
from cospal_cli.settings import ClipsConfig


class NoClips(WindowEncoder):
    """See ``VideoEncoder``. A zero for each stretch of five seconds: next to no work."""

    dim, model_id, model_sha256, image_side = 1, "none", "", 64

    def __init__(self, config: ClipsConfig) -> None:
        super().__init__(config, Pace(fps=0.2, frames=1, stride=1, batch=64))

    def prepare(self, batch: FrameBatch) -> Sequence[Frame]:
        """See ``WindowEncoder``."""
        return [np.zeros(1, np.float32)] * len(batch.images)

    def encode(self, windows: list[list[Frame]]) -> FloatArray:
        """See ``WindowEncoder``."""
        return np.zeros((len(windows), 1, 1), np.float32)

"""No clips: for heads that tell when by how the tubelets move. The video is not read again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cospal_cli.core.clips import Clips
from cospal_cli.core.frames import FrameBatch
from cospal_cli.settings import ClipsConfig

NONE = "none"  # its name in the table of back ends


class NoClips:
    """See ``VideoEncoder``. One clip of one 0 stands for every video."""

    dim, map_dim = 1, 0
    model_id = NONE
    model_sha256 = ""
    fps = 0.0  # no frame is wanted
    image_side = 1
    batch = 1

    def __init__(self, config: ClipsConfig) -> None:
        self.config = replace(config, pooled=False)

    def reset(self) -> None:
        """See ``VideoEncoder``."""

    def update(self, batch: FrameBatch) -> None:
        """See ``VideoEncoder``."""

    def finish(self) -> Clips:
        """See ``VideoEncoder``."""
        return Clips(np.zeros((1, self.dim), np.float32), np.zeros((1, 2)))

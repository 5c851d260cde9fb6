"""Clip features without torch: the features of the embedded detector's backbone, and what moves.

A frame's vector has these parts (``PARTS``), each scaled to a root mean square near 1 on ordinary
video; a clip's feature is the mean over its frames. Its map is that of the channels, likewise.

    scene    1024   the backbone's 512 channels at stride 32: mean and maximum over the frame
    classes    80   each COCO class: the best score of any cell
    motion     39   since the frame before: see ``movement``
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cospal_cli import weights
from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.vocabulary import COCO
from cospal_cli.devices import check, processors
from cospal_cli.devices.onnx_session import open_session
from cospal_cli.features.clips import Frame, Pace, WindowEncoder
from cospal_cli.features.movement import MOTION, Movement
from cospal_cli.settings import ClipsConfig
from cospal_cli.weights.nanodet import BACKBONE, GRID, INPUT, MEAN, SCORES, STD, WEIGHTS

SIDE = 416  # longer side of the input
CHANNELS, CLASSES = 512, len(COCO)
SCALES = (25.0, 2.5, 8.0)  # of the mean, the maximum and the classes
FRAMES = 4  # of one forward pass; more are no faster
OWN = Pace(fps=8, frames=4, stride=4, batch=64)
PARTS = {
    "scene": slice(0, 2 * CHANNELS),
    "classes": slice(2 * CHANNELS, 2 * CHANNELS + CLASSES),
    "motion": slice(2 * CHANNELS + CLASSES, 2 * CHANNELS + CLASSES + MOTION),
}


class EmbeddedClips(WindowEncoder):
    """See ``VideoEncoder``."""

    dim, map_dim = PARTS["motion"].stop, CHANNELS
    model_id = WEIGHTS
    image_side = SIDE

    def __init__(self, config: ClipsConfig) -> None:
        """Raises WeightsError if the model is missing or damaged, DeviceError for CUDA."""
        check(config.device)
        self._movement = Movement()
        self._grid: tuple[int, ...] = ()  # of the video's maps, (h, w, 512)
        own = replace(OWN, batch=8) if config.pooled else OWN  # a map is a hundred times larger
        super().__init__(config, own)
        self.model_sha256 = weights.sha256(WEIGHTS)
        self.session = open_session(
            weights.path(WEIGHTS),
            config.threads or max(1, processors() - 1),  # one decodes meanwhile
            [INPUT],
            [*SCORES, BACKBONE],
            inner=[BACKBONE],
        )

    def reset(self) -> None:
        """See ``VideoEncoder``."""
        super().reset()
        self._movement = Movement()

    def prepare(self, batch: FrameBatch) -> Sequence[Frame]:
        """A vector for each frame: its (dim,) numbers and, where objects are pooled, its map."""
        moved = [
            self._movement.update(image, float(at))
            for image, at in zip(batch.images, batch.times_s, strict=True)
        ]
        seen, maps = self._seen(batch.images)
        parts = [seen, np.stack(moved)]
        if self.config.pooled:
            self._grid = maps.shape[1:]
            parts.append(maps.reshape(len(maps), -1))
        return list(np.concatenate(parts, axis=1))

    def encode(self, windows: list[list[Frame]]) -> FloatArray:
        """(W, 1, dim): the mean of each window's vectors."""
        return np.array(windows, np.float32).mean(axis=1, keepdims=True)

    def encode_maps(self, windows: list[list[Frame]]) -> tuple[FloatArray, FloatArray]:
        """See ``WindowEncoder``: one map a window."""
        means = np.stack([np.mean(window, axis=0, keepdims=True) for window in windows])
        return means[..., : self.dim], means[..., self.dim :].reshape(len(means), 1, *self._grid)

    def _seen(self, images: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
        """The parts scene and classes (N, 1104) of N frames, and the maps (N, h, w, 512) of those
        where objects are pooled."""
        rows, kept = [], []
        for start in range(0, len(images), FRAMES):
            network_input = np.stack(list(_inputs(images[start : start + FRAMES])))
            *scores, maps = self.session.run([*SCORES, BACKBONE], {INPUT: network_input})
            best = np.max([score.max(axis=1) for score in scores], axis=0)
            parts = (maps.mean(axis=(2, 3)), maps.max(axis=(2, 3)), best)
            rows.append(np.concatenate([x * s for x, s in zip(parts, SCALES, strict=True)], axis=1))
            if self.config.pooled:
                kept.append(maps.transpose(0, 2, 3, 1) * np.float32(SCALES[0]))
        none = np.zeros((len(images), 0, 0, CHANNELS), np.float32)
        return np.concatenate(rows).astype(np.float32), np.concatenate(kept or [none])


def _inputs(images: NDArray[np.uint8]) -> Iterator[FloatArray]:
    """Network inputs (3, h, w), blue first: the whole frame, squeezed to multiples of the grid so
    that nothing but the frame is pooled."""
    from PIL import Image

    height, width = images.shape[1:3]
    scale = SIDE / max(height, width) / GRID
    size = (max(1, round(width * scale)) * GRID, max(1, round(height * scale)) * GRID)
    for image in images:
        small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
        yield (small[..., ::-1].transpose(2, 0, 1) - MEAN) / STD

"""How the picture moves from one frame to the next, in a few numbers; NumPy alone.

The frame is reduced to a gray thumbnail in which people walk a fraction of a pixel a frame; in each
cell of a coarse grid, least squares on its gradients (Lucas and Kanade) give the flow. The median
over the cells is taken as the camera's motion, and what is left as the things'.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray

WIDTH, HEIGHT = 32, 24  # of the thumbnail, whatever the frame's shape
CELL = 8  # its pixels along a cell's side
ACROSS, DOWN = WIDTH // CELL, HEIGHT // CELL
MOTION = 3 * ACROSS * DOWN + 3  # numbers of ``Movement.update``
NOISE = 0.02  # gradient (gray 0..1 per pixel) below which a cell's flow is not believed
LIMIT = 5.0  # largest size of any number: a cut moves everything
ENERGY, FLOW = 4.0, 10.0  # bring ordinary video near 1


class Movement:
    """Streaming: holds the last thumbnail."""

    def __init__(self) -> None:
        self._last: tuple[FloatArray, float] | None = None

    def update(self, image: NDArray[np.uint8], time_s: float) -> FloatArray:
        """Motion (MOTION,) since the last frame, in -LIMIT..LIMIT; zeros for the first.

        By cell, row by row from the top left: the change of gray per second, the flow to the right,
        then the flow downwards, without the camera's; then the camera's two, and the frame's mean
        change. Flow is in frame widths (heights) per second.
        """
        gray = thumbnail(image)
        last, self._last = self._last, (gray, time_s)
        if last is None or time_s <= last[1]:
            return np.zeros(MOTION, np.float32)
        rate = 1 / (time_s - last[1])
        energy = _cells(np.abs(gray - last[0])).mean(axis=1) * rate
        flow = _flow(last[0], gray) * rate / (WIDTH, HEIGHT)
        camera = np.median(flow, axis=0)
        parts = (
            energy * ENERGY,
            (flow - camera).T.ravel() * FLOW,
            camera * FLOW,
            energy.mean(keepdims=True) * ENERGY,
        )
        return np.clip(np.concatenate(parts), -LIMIT, LIMIT).astype(np.float32)


def thumbnail(image: NDArray[np.uint8]) -> FloatArray:
    """Gray (HEIGHT, WIDTH) in 0..1 of an RGB image (h, w, 3): area means."""
    from PIL import Image

    small = Image.fromarray(image).resize((WIDTH, HEIGHT), Image.Resampling.BOX)
    luma = np.array([0.299, 0.587, 0.114], np.float32) / np.float32(255)
    return np.asarray(small, np.float32) @ luma


def _cells(plane: FloatArray) -> FloatArray:
    """(HEIGHT, WIDTH) -> (cells, pixels of a cell)."""
    blocks = plane.reshape(DOWN, CELL, ACROSS, CELL).swapaxes(1, 2)
    return blocks.reshape(ACROSS * DOWN, CELL * CELL)


def _flow(before: FloatArray, after: FloatArray) -> FloatArray:
    """(cells, 2) pixels that each cell moved to the right and down; 0 where nothing has edges."""
    slopes: list[FloatArray] = list(np.gradient((before + after) / 2))
    down, across = (_cells(slope) for slope in slopes)
    change = _cells(after - before)
    xx, yy, xy = (
        (first * second).mean(axis=1)
        for first, second in ((across, across), (down, down), (across, down))
    )
    xx, yy = xx + NOISE**2, yy + NOISE**2
    xt, yt = (across * change).mean(axis=1), (down * change).mean(axis=1)
    determinant = xx * yy - xy * xy
    return np.stack([xy * yt - yy * xt, xy * xt - xx * yt], axis=1) / determinant[:, None]

"""What a frame's boxes look like: colour names by body region and a small gray thumbnail."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.colours import NAMES, REGIONS, name_map
from cospal_cli.core.tubelets import BoxColours

THUMB = 12  # side of the gray thumbnails, pixels
_STEP = 2  # colours are counted on every second pixel of large images

# Fractions (x1, y1, x2, y2) of the box, for a standing figure (height over width of 1.6 and more)
# and for one that the frame cuts off at the waist. Narrow, since the box's sides are background.
_STANDING = {
    "whole": (0.2, 0.08, 0.8, 0.92),
    "upper": (0.25, 0.18, 0.75, 0.5),
    "lower": (0.27, 0.54, 0.73, 0.88),
    "head": (0.3, 0.0, 0.7, 0.17),
    "feet": (0.2, 0.9, 0.8, 1.0),
}
_CUT_OFF = {
    "whole": (0.15, 0.08, 0.85, 0.95),
    "upper": (0.22, 0.35, 0.78, 0.95),
    "lower": (0.25, 0.7, 0.75, 0.98),
    "head": (0.3, 0.0, 0.7, 0.3),
    "feet": (0.2, 0.9, 0.8, 1.0),
}


def box_colours(
    image: NDArray[np.uint8], boxes_xyxy: FloatArray, size: tuple[int, int]
) -> BoxColours:
    """Colours (D, R, C) and thumbnails (D, S, S) of boxes given in pixels of the displayed frame.

    ``image`` (h, w, 3) may be smaller than the displayed ``size`` (W, H).
    """
    height, width = image.shape[:2]
    boxes = boxes_xyxy * np.tile(np.array([width, height]) / size, 2)
    step = _STEP if max(height, width) >= 320 else 1
    names = name_map(image[::step, ::step])
    regions = region_boxes(boxes).reshape(-1, 4) / np.float32(step)
    shares = _shares(names, regions).reshape(len(boxes), len(REGIONS), len(NAMES))
    return BoxColours(shares, _thumbs(image, boxes))


def smaller(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """``image`` (h, w, 3), averaged over squares of pixels where it is at least twice ``side``
    long: colours and motion need no more than that, and cost by the pixel."""
    factor = max(image.shape[:2]) // side
    if factor < 2:
        return image
    from PIL import Image

    return np.asarray(Image.fromarray(image).reduce(factor))


def region_boxes(boxes_xyxy: FloatArray) -> FloatArray:
    """The boxes (D, R, 4) of ``REGIONS`` inside figures (D, 4), by how upright each is."""
    corner = boxes_xyxy[:, None, :2]
    sides = boxes_xyxy[:, None, 2:] - corner
    upright = np.clip((sides[..., 1] / np.maximum(sides[..., 0], 1e-6) - 1.1) / 0.7, 0, 1)
    fractions = [
        np.array([table[region] for region in REGIONS], np.float32)
        for table in (_CUT_OFF, _STANDING)
    ]
    mixed = fractions[0] + upright[..., None] * (fractions[1] - fractions[0])
    return np.tile(corner, 2) + mixed * np.tile(sides, 2)


def _shares(names: NDArray[np.uint8], boxes: FloatArray) -> NDArray[np.uint8]:
    """Shares (n, C) of the colour names inside ``boxes`` (n, 4), 0..255; at least one pixel is
    counted in each."""
    limit = np.array(names.shape[::-1])
    low = np.minimum(np.maximum(boxes[:, :2].astype(int), 0), limit - 1)
    high = np.maximum(boxes[:, 2:].astype(int), low + 1)
    counts = np.empty((len(boxes), len(NAMES)), np.int64)
    for row, (x1, y1), (x2, y2) in zip(counts, low.tolist(), high.tolist(), strict=True):
        row[:] = np.bincount(names[y1:y2, x1:x2].ravel(), minlength=len(NAMES))
    return (counts * (255 / counts.sum(axis=1, keepdims=True))).astype(np.uint8)


def _thumbs(image: NDArray[np.uint8], boxes: FloatArray) -> NDArray[np.uint8]:
    """Green channel of every box on a fixed grid: nearly its luma, and nothing to compute."""
    height, width = image.shape[:2]
    at = (np.arange(THUMB, dtype=np.float32) + 0.5) / THUMB
    x = boxes[:, :1] + at * (boxes[:, 2:3] - boxes[:, :1])
    y = boxes[:, 1:2] + at * (boxes[:, 3:4] - boxes[:, 1:2])
    columns = np.clip(x, 0, width - 1).astype(np.intp)
    rows = np.clip(y, 0, height - 1).astype(np.intp)
    return image[rows[:, :, None], columns[:, None, :], 1]

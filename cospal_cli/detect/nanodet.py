"""NanoDet-g by ONNX Runtime: the embedded detector of the 80 COCO classes.

``detect`` is ``decode(run(prepare(frames)), frames)``; the three are public so that the network's
own time can be measured on the very same input.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cospal_cli import weights
from cospal_cli.core.arrays import FloatArray, IntArray
from cospal_cli.core.boxes import clip
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.query import Query
from cospal_cli.core.tubelets import Detections
from cospal_cli.core.vocabulary import COCO
from cospal_cli.detect.defaults import Limits
from cospal_cli.detect.nms import suppress
from cospal_cli.devices import check, int8, processors
from cospal_cli.devices.onnx_session import open_session
from cospal_cli.settings import DetectorConfig
from cospal_cli.weights.nanodet import (
    BINS,
    DISTANCES,
    GRID,
    INPUT,
    MEAN,
    SCORES,
    STD,
    STEP,
    STRIDES,
    WEIGHTS,
    WEIGHTS_INT8,
    ZERO,
)

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Input = FloatArray | NDArray[np.uint8]
DEFAULTS = Limits(threshold=0.15, nms_iou=0.6, batch=4)
OVERLAP = 0.2  # of a tile's side that it shares with its neighbour
CUT = 0.02  # tile boxes closer than this share of the side to an inner border are cut objects
CANDIDATES = 1000  # cells per frame that reach suppression
# Two boxes in one place with classes of one family are one object seen as two things: car and
# truck, but on real video also bottle and cake, bed and refrigerator, orange and sports ball. A
# person stays apart: who fills the box of a bicycle or a chair is on it, not it.
FAMILY_OF: IntArray = np.array([name != "person" for name in COCO], np.int64)


@dataclass(frozen=True)
class Layout:
    """What the network is given: ``views`` (V, 4) of a frame, in pixels of the batch's images.

    Every view is resized to ``content`` (w, h) and lies top left in an input of ``size`` (w, h).
    """

    views: FloatArray
    content: tuple[int, int]
    size: tuple[int, int]


def plan(width: int, height: int, side: int, tiles: int) -> Layout:
    """The layout for images of ``width`` x ``height``: the whole frame, then n x n tiles."""
    scale = side / max(width, height)
    content = (max(1, round(width * scale)), max(1, round(height * scale)))
    padded = tuple(-(-length // GRID) * GRID for length in content)
    views = [(0.0, 0.0, float(width), float(height))]
    if tiles > 1:
        span = 1 / (tiles - (tiles - 1) * OVERLAP)
        starts = np.linspace(0, 1 - span, tiles)
        views += [
            (x * width, y * height, (x + span) * width, (y + span) * height)
            for y in starts
            for x in starts
        ]
    return Layout(np.array(views, np.float32), content, (padded[0], padded[1]))


class NanoDet:
    """See ``Detector``. Thread-safe: nothing changes after construction."""

    classes = COCO
    prompted = False

    def __init__(self, config: DetectorConfig, late: bool = False) -> None:
        """Raises WeightsError if the model is missing or damaged, DeviceError for CUDA.

        The model is opened in a thread of its own, since reading can begin meanwhile. ``late``: it
        is opened, and what is wrong with it said, when it is first run.
        """
        check(config.device)
        own = config.nanodet
        if own.weights == "auto":
            own = replace(own, weights="int8" if int8.gains() else "float")
        self.config, self.limits = DEFAULTS.within(replace(config, nanodet=own))
        self.model_id = WEIGHTS_INT8 if own.weights == "int8" else WEIGHTS
        self.model_sha256 = weights.sha256(self.model_id)
        views = 1 if own.tiles <= 1 else 1 + own.tiles**2
        self.batch = max(1, self.limits.batch // views)
        self.image_side = own.side * own.tiles
        self._opened: list[InferenceSession] = []
        self._opening: Thread | None = None
        if not late:
            weights.path(self.model_id)
            self._opening = Thread(target=self._open_ahead)
            self._opening.start()

    @cached_property
    def session(self) -> InferenceSession:
        """The opened model. Raises WeightsError where it does not load."""
        if self._opening is not None:
            self._opening.join()
        return self._opened.pop() if self._opened else self._open()

    def _open(self) -> InferenceSession:
        threads = self.config.threads or max(1, processors() - 1)  # one decodes and tracks
        return open_session(weights.path(self.model_id), threads, [INPUT], (*SCORES, *DISTANCES))

    def _open_ahead(self) -> None:
        with contextlib.suppress(Exception):  # it comes again when the model is run
            self._opened.append(self._open())

    def prompt(self, query: Query) -> NanoDet:
        """Itself: it detects all classes whatever the sentence."""
        return self

    def prepare(self, batch: FrameBatch) -> Input:
        """Network input, V views of each of N frames: (N x V, 3, H, W), blue, green, red,
        normalised; for the int8 copy (N x V, H / 2, W / 2, 12) the same in bytes, red first.
        """
        layout = self._layout(batch)
        whole = self.model_id == WEIGHTS_INT8
        table = _bytes_of().ravel().tolist() if whole else None
        views = [view for image in batch.images for view in _resized(image, layout, table)]
        return _in_bytes(views, layout) if whole else _in_floats(views, layout)

    def run(self, network_input: Input) -> list[FloatArray]:
        """The forward pass alone: scores, then distances, each for strides 8, 16 and 32."""
        outputs: list[FloatArray] = self.session.run([*SCORES, *DISTANCES], {INPUT: network_input})
        return outputs

    def decode(self, outputs: list[FloatArray], batch: FrameBatch) -> list[Detections]:
        """Boxes of each frame of ``batch`` from what ``run`` returned for it."""
        layout = self._layout(batch)
        parts = _candidates(outputs, layout.size, self.limits.threshold)
        rows, boxes, scores = (np.concatenate(part) for part in zip(*parts, strict=True))
        frames, views = np.divmod(rows, len(layout.views))
        usable = _trusted(boxes, layout, views)
        shown = np.array(batch.size, np.float32) / layout.views[0, 2:]
        boxes = clip(_to_image(boxes, layout, views) * np.tile(shown, 2), *batch.size)
        usable &= (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        detections = []
        for number, index in enumerate(batch.indices.tolist()):
            mine = usable & (frames == number)
            detections.append(self._best(index, boxes[mine], scores[mine]))
        return detections

    def _best(self, index: int, boxes: FloatArray, label_scores: FloatArray) -> Detections:
        """One frame's candidates after suppression."""
        top = np.argsort(-label_scores.max(axis=1, initial=0), kind="stable")[:CANDIDATES]
        boxes, label_scores = boxes[top], label_scores[top]
        kept, merged = suppress(
            boxes, label_scores, FAMILY_OF, self.limits.nms_iou, self.config.max_per_frame
        )
        labels = merged.argmax(axis=1).astype(np.int64)
        return Detections(index, boxes[kept], merged.max(axis=1, initial=0), labels, merged)

    def _layout(self, batch: FrameBatch) -> Layout:
        height, width = batch.images.shape[1:3]
        own = self.config.nanodet
        return plan(width, height, own.side, own.tiles)


def _resized(
    pixels: NDArray[np.uint8], layout: Layout, table: list[int] | None
) -> Iterator[NDArray[np.uint8]]:
    """Every view of one image (h, w, 3), at the layout's content size; ``table``: what becomes of
    each value of red, of green and of blue, if anything.
    """
    from PIL import Image

    width, height = layout.content
    if len(layout.views) == 1 and pixels.shape[:2] == (height, width):
        yield pixels if table is None else np.asarray(Image.fromarray(pixels).point(table))
        return
    shrinks = width < layout.views[0, 2]
    method = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    picture = Image.fromarray(pixels)
    for view in layout.views.tolist():
        small = picture.resize((width, height), method, tuple(view))
        yield np.asarray(small if table is None else small.point(table))


def _in_floats(views: Sequence[NDArray[np.uint8]], layout: Layout) -> FloatArray:
    """The input (N, 3, H, W) of the float model from views (h, w, 3), black around them."""
    width, height = layout.size
    network = np.broadcast_to(-MEAN / STD, (len(views), 3, height, width)).copy()
    for target, view in zip(network, views, strict=True):
        inside = target[:, : layout.content[1], : layout.content[0]]
        np.multiply(view[..., ::-1].transpose(2, 0, 1), 1 / STD, out=inside)
        inside -= MEAN / STD
    return network


def _in_bytes(views: Sequence[NDArray[np.uint8]], layout: Layout) -> NDArray[np.uint8]:
    """That of the int8 copy (N, H / 2, W / 2, 12), from views that are in its bytes."""
    width, height = layout.size
    across, down = layout.content
    network = np.empty((len(views), height, width, 3), np.uint8)
    network[:, down:] = network[:, :, across:] = _bytes_of()[:, 0]  # black
    for target, view in zip(network, views, strict=True):
        target[:down, :across] = view
    pairs = network.reshape(-1, height // 2, 2, width // 2, 6).view("V6")[..., 0]  # of pixels
    squares = np.ascontiguousarray(pairs.swapaxes(2, 3))
    return squares.view(np.uint8).reshape(-1, height // 2, width // 2, 12)


@cache
def _bytes_of() -> NDArray[np.uint8]:
    """The byte (3, 256) that the int8 copy takes for each value of red, green and blue."""
    values = np.arange(256, dtype=np.float32) * (1 / STD[::-1, 0]) - (MEAN / STD)[::-1, 0]
    rounded: NDArray[np.uint8] = np.clip(np.rint(values / STEP) + ZERO, 0, 255).astype(np.uint8)
    return rounded


def _candidates(
    outputs: list[FloatArray], size: tuple[int, int], threshold: float
) -> Iterator[tuple[NDArray[np.intp], FloatArray, FloatArray]]:
    """By stride: rows of the input (D,), boxes (D, 4) in its pixels, class scores (D, 80)."""
    for stride, scores, logits in zip(STRIDES, outputs[:3], outputs[3:], strict=True):
        rows, cells = np.nonzero((scores >= threshold).any(axis=2))
        across = np.divmod(cells, size[0] // stride)[::-1]
        centres = (np.stack(across, axis=1) + 0.5) * stride - 0.5
        bins = logits[rows, cells].reshape(-1, 4, BINS)
        odds = np.exp(bins - bins.max(axis=2, keepdims=True))
        reach = odds @ np.arange(BINS, dtype=np.float32) / odds.sum(axis=2) * stride
        boxes = np.concatenate([centres - reach[:, :2], centres + reach[:, 2:]], axis=1)
        yield rows, boxes.astype(np.float32), scores[rows, cells]


def _trusted(boxes: FloatArray, layout: Layout, views: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which boxes to believe: all of the whole frame's, and of a tile's the small, uncut ones.

    What is smaller than the overlap is whole in some tile; what is larger is seen better in the
    whole frame than in pieces.
    """
    width, height = layout.content
    longest = max(width, height)
    inner = np.abs(layout.views - layout.views[0]) > 0.5  # (V, 4) borders that are not the frame's
    gap = np.concatenate([boxes[:, :2], np.array([width, height], np.float32) - boxes[:, 2:]], 1)
    cut = ((gap < CUT * longest) & inner[views]).any(axis=1)
    large = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0) > OVERLAP * longest
    believed: NDArray[np.bool_] = (views == 0) | ~(cut | large)
    return believed


def _to_image(boxes: FloatArray, layout: Layout, views: NDArray[np.intp]) -> FloatArray:
    """Boxes in input pixels of their view -> pixels of the batch's images."""
    sides = layout.views[:, 2:] - layout.views[:, :2]
    scale = sides / np.array(layout.content, np.float32)
    return boxes * np.tile(scale[views], 2) + np.tile(layout.views[views, :2], 2)

"""What a crop shows, in ImageNet-1k classes: EfficientNet-Lite0 by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from cospal_cli import weights
from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.observation import Crops
from cospal_cli.core.tubelets import Tubelet
from cospal_cli.devices.onnx_session import open_session
from cospal_cli.features.crops import pictures
from cospal_cli.settings import AppearanceConfig

WEIGHTS = "efficientnet_lite0"
SIDE = 224
CLASSES = 1000
FEATURES = 1280
BATCH = 8  # crops per forward pass; larger ones are no faster
OUTPUTS = ("probabilities", "features")
Classify = Callable[[Sequence[NDArray[np.uint8]]], tuple[FloatArray, FloatArray]]


class AppearanceClassifier:
    """Opened when first needed: most queries are answered without it."""

    def __init__(self, config: AppearanceConfig) -> None:
        """Raises WeightsError if the model is missing or damaged."""
        path = weights.path(WEIGHTS)
        self.session = open_session(path, config.threads, ["images"], OUTPUTS)

    def classify(self, images: Sequence[NDArray[np.uint8]]) -> tuple[FloatArray, FloatArray]:
        """Probabilities (M, 1000), summing to 1, and pooled features (M, 1280) of M crops.

        Crops are RGB (h, w, 3) of any size; each is squeezed to a square as a whole. The order of
        classes is that of ``weights.imagenet.names``.
        """
        probabilities = np.empty((len(images), CLASSES), np.float32)
        features = np.empty((len(images), FEATURES), np.float32)
        for start in range(0, len(images), BATCH):
            part = slice(start, start + BATCH)
            squares = np.stack([_square(image) for image in images[part]])
            outputs = self.session.run(OUTPUTS, {"images": squares})
            probabilities[part], features[part] = outputs
        return probabilities, features


class Appearance:
    """What the crops of one observation's tubelets show, each tubelet classified once.

    ``classify`` is ``AppearanceClassifier.classify``, or opens one for that.
    """

    def __init__(
        self,
        crops: Crops,
        count: int,
        classify: Classify,
        known: Mapping[int, FloatArray] = MappingProxyType({}),
    ) -> None:
        """``count``: crops a tubelet. ``known``: probabilities, by tubelet, from before."""
        self._crops, self._count, self._classify = crops, count, classify
        self._seen: dict[int, tuple[FloatArray, FloatArray]] = {}
        self._known = known

    def probabilities(self, tubelet: Tubelet) -> FloatArray:
        """Mean ImageNet-1k probabilities (1000,) of whole boxes and upper halves; 0 without any."""
        known = self._known.get(tubelet.id)
        return self._of(tubelet)[0] if known is None else known

    def found(self) -> dict[int, FloatArray]:
        """All probabilities so far, by tubelet: those known before and those since."""
        return {**self._known, **{number: shown for number, (shown, _) in self._seen.items()}}

    def features(self, tubelet: Tubelet) -> FloatArray:
        """Mean pooled features (1280,) of the same pictures."""
        return self._of(tubelet)[1]

    def _of(self, tubelet: Tubelet) -> tuple[FloatArray, FloatArray]:
        if tubelet.id not in self._seen:
            whole = pictures(self._crops, tubelet.track_ids, self._count)
            halves = [image[: max(len(image) // 2, 1)] for image in whole]
            shown, features = self._classify(whole + halves)
            count = max(len(shown), 1)
            mean = (shown.sum(axis=0) / count).astype(np.float16)  # as it is stored
            self._seen[tubelet.id] = mean.astype(np.float32), features.sum(axis=0) / count
        return self._seen[tubelet.id]


def _square(image: NDArray[np.uint8]) -> FloatArray:
    """Network input (3, 224, 224): RGB in about -1..1."""
    from PIL import Image

    small = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    planes = np.asarray(small, np.float32).transpose(2, 0, 1)
    return (planes - np.float32(127)) / np.float32(128)

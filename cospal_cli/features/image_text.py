"""How much better a picture fits one text than another: CLIP or SigLIP, where a user fetched one.

Only differences are used: "a photo of a woman" against "a photo of a man". A similarity by itself
says more about the picture than about the word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cospal_cli.backbones import models, record
from cospal_cli.backbones.pretrained import model_type, offline, open_model
from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.errors import WeightsError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.observation import Crops
from cospal_cli.core.registry import require
from cospal_cli.core.tubelets import Tubelet
from cospal_cli.devices import torch_device
from cospal_cli.features.crops import pictures
from cospal_cli.features.video_transformers import Preparation
from cospal_cli.settings import AppearanceConfig

KINDS = ("clip", "siglip")  # of transformers, which call what they compute alike
BATCH = 16
Contrast = tuple[str, str]  # the text that is meant, and the one that it is held against


class ImageText:
    """A model that turns pictures and texts into vectors of one space."""

    def __init__(self, config: AppearanceConfig) -> None:
        """Raises WeightsError for a model that is not there, damaged or of another kind, and
        UsageError without torch and transformers."""
        self._torch = require("torch", "torch")
        self.model_id = str(config.image_text)
        folder = models.locate(self.model_id)
        kind = model_type(folder)
        if kind not in KINDS:
            raise WeightsError(
                f"{folder}: holds a {kind!r} model, expected {' or '.join(KINDS)}",
                "such as that of: cospal models fetch clip-vit-base-patch32",
            )
        self._place = torch_device.choose(config.device, config.precision)
        torch_device.use_threads(self._place, config.threads)
        self._preparation = Preparation.read(folder)
        self._model = open_model("AutoModel", self.model_id, self._place)
        own = self._model.config
        # SigLIP was trained on texts padded to its longest.
        self._padding = "max_length" if kind == "siglip" else True
        self._longest = int(own.text_config.max_position_embeddings)
        with offline() as transformers:
            hint = "fetch the whole folder of the model again"
            with errors_as(WeightsError, f"{folder}: not a usable tokenizer", hint):
                self._tokenizer = transformers.AutoTokenizer.from_pretrained(
                    folder, local_files_only=True, trust_remote_code=False
                )
        self.scale = float(self._model.logit_scale.exp())
        self.model_sha256 = record.fingerprint(folder)

    def texts(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors (N, D)."""
        inputs = self._tokenizer(
            [text.lower() for text in texts],
            padding=self._padding,
            truncation=True,
            max_length=self._longest,
            return_tensors="pt",
        )
        given = {"input_ids": inputs["input_ids"].to(self._place.device)}
        if self._padding is True:
            given["attention_mask"] = inputs["attention_mask"].to(self._place.device)
        with self._torch.inference_mode():
            return self._unit(self._model.get_text_features(**given))

    def images(self, images: Sequence[NDArray[np.uint8]]) -> FloatArray:
        """Unit vectors (M, D) of RGB pictures (h, w, 3) of any size, squeezed to a square."""
        parts = [np.zeros((0, 1), np.float32)]
        for start in range(0, len(images), BATCH):
            squares = np.stack([self._square(image) for image in images[start : start + BATCH]])
            pixels = self._torch.from_numpy(squares).to(self._place.device, self._place.dtype)
            with self._torch.inference_mode():
                parts.append(self._unit(self._model.get_image_features(pixel_values=pixels)))
        return np.concatenate(parts[1:] or parts)

    def _square(self, image: NDArray[np.uint8]) -> FloatArray:
        from PIL import Image

        side = (self._preparation.side,) * 2
        small = Image.fromarray(image).resize(side, Image.Resampling.BICUBIC)
        planes = np.asarray(small, np.float32) / 255
        mean, std = np.array((self._preparation.mean, self._preparation.std), np.float32)
        return np.ascontiguousarray(((planes - mean) / std).transpose(2, 0, 1))

    def _unit(self, output: Any) -> FloatArray:
        vectors = getattr(output, "pooler_output", output).float().cpu().numpy()
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(length, 1e-6), np.float32)


class Contrasts:
    """The contrasts of one observation's tubelets; every picture and text is looked at once."""

    def __init__(self, crops: Crops, count: int, model: ImageText) -> None:
        """``count``: crops a tubelet."""
        self._crops, self._count, self._model = crops, count, model
        self._pictures: dict[int, FloatArray] = {}
        self._texts: dict[str, FloatArray] = {}

    def log_odds(self, tubelet: Tubelet, contrasts: Sequence[Contrast]) -> FloatArray:
        """Log odds (W,) of the first text of each pair: means over the crops; 0 without any."""
        if tubelet.id not in self._pictures:
            shown = pictures(self._crops, tubelet.track_ids, self._count)
            self._pictures[tubelet.id] = self._model.images(shown)
        new = [t for pair in contrasts for t in pair if t not in self._texts]
        if new:
            self._texts |= dict(zip(new, self._model.texts(new), strict=True))
        seen = self._pictures[tubelet.id]
        if not len(seen) or not contrasts:
            return np.zeros(len(contrasts), np.float32)
        off = np.stack([self._texts[meant] - self._texts[other] for meant, other in contrasts])
        odds: FloatArray = self._model.scale * (seen @ off.T).mean(axis=0)
        return odds

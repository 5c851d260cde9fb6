"""The loop in the documentation of transformers, with which cospal's detector is compared.

One frame a call, fp32, the text encoded anew for every frame, everything one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable

from PIL import Image

from cospal_cli.backbones import models
from cospal_cli.backbones.pretrained import open_model
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.registry import require
from cospal_cli.detect import DEFAULT_MODEL
from cospal_cli.devices.torch_device import choose
from cospal_cli.settings import DetectorConfig

THRESHOLD = 0.4


class PlainLoop:
    """Grounding DINO by transformers, as a script would use it."""

    def __init__(self, config: DetectorConfig, text: str) -> None:
        """``text``: the prompt, lower case, ending in a point."""
        transformers = require("transformers", "torch")
        name = config.model or DEFAULT_MODEL
        folder = models.locate(name)
        place = choose(config.device, "fp32")
        self._device = place.device
        self._text = text
        self._model = open_model("AutoModelForZeroShotObjectDetection", name, place)
        self._processor = transformers.GroundingDinoProcessor(
            transformers.GroundingDinoImageProcessorPil.from_pretrained(
                folder, local_files_only=True
            ),
            transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True),
        )

    def __call__(self, batches: Iterable[FrameBatch]) -> int:
        """Detect on every frame; the number of boxes found."""
        torch = require("torch", "torch")
        count = 0
        for batch in batches:
            for pixels in batch.images:
                image = Image.fromarray(pixels)
                inputs = self._processor(images=image, text=self._text, return_tensors="pt")
                inputs = inputs.to(self._device)
                with torch.no_grad():
                    outputs = self._model(**inputs)
                results = self._processor.post_process_grounded_object_detection(
                    outputs,
                    inputs.input_ids,
                    threshold=THRESHOLD,
                    text_threshold=THRESHOLD,
                    target_sizes=[image.size[::-1]],
                )
                count += len(results[0]["boxes"])
        return count

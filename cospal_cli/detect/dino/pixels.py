"""How Grounding DINO needs its images: their size, and how they are normalised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.errors import WeightsError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.json_types import Json
from cospal_cli.core.reading import read_table
from cospal_cli.core.registry import require

if TYPE_CHECKING:
    from torch import Tensor

WHOLE = "fetch the whole folder of the model again"


@dataclass(frozen=True)
class Pixels:
    """Sides in pixels; ``mean`` and ``std`` of red, green and blue in 0..1."""

    short: int = 800  # the shorter side's length
    long: int = 1333  # the most that the longer one may have
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)

    @classmethod
    def of(cls, folder: Path, side: int | None = None) -> Pixels:
        """As a transformers model's folder says, the defaults where it says nothing.

        ``side`` as in ``scaled``. Raises WeightsError for values that cannot be used.
        """
        given = settings(folder / "preprocessor_config.json")
        given = given or settings(folder / "processor_config.json").get("image_processor") or {}
        about = f"{folder}: unusable settings of its images"
        with errors_as(WeightsError, about, WHOLE):
            size = given.get("size") or {}
            short = int(size.get("shortest_edge") or cls.short)
            long = int(size.get("longest_edge") or cls.long)
            mean = tuple(float(value) for value in given.get("image_mean") or cls.mean)
            std = tuple(float(value) for value in given.get("image_std") or cls.std)
        if not 0 < short <= long or len(mean) != 3 or len(std) != 3 or 0 in std:
            raise WeightsError(f"{about}: sides {short}, {long}, mean {mean}, std {std}", WHOLE)
        return cls(short, long, mean, std).scaled(side)

    def scaled(self, side: int | None) -> Pixels:
        """With ``side`` for the shorter one, the other's limit in proportion; None: as it is."""
        long = round(side * self.long / self.short) if side else self.long
        return replace(self, short=side or self.short, long=long)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) that an image is resized to: the shorter side becomes ``short``, or less
        where the longer one would exceed ``long``."""
        least, most = sorted((width, height))
        limited = most / least * self.short > self.long
        exact = self.long * least / most if limited else float(self.short)
        if least == round(exact):
            return width, height
        sides = (max(1, round(exact)), int(exact * most / least))
        return sides if width < height else (sides[1], sides[0])

    def resized(self, images: NDArray[np.uint8], pinned: bool = False) -> Tensor:
        """(N, H, W, 3) uint8 -> (N, h, w, 3) uint8 on the CPU, in ``pinned`` memory for upload."""
        from PIL import Image

        torch = require("torch", "torch")
        size = self.size(images.shape[2], images.shape[1])
        shape = (len(images), size[1], size[0], 3)
        made: Tensor = torch.empty(shape, dtype=torch.uint8, pin_memory=pinned)
        for target, image in zip(made.numpy(), images, strict=True):
            if image.shape == target.shape:
                target[:] = image
            else:
                picture = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)
                target[:] = np.asarray(picture)
        return made

    def normalised(self, images: Tensor) -> Tensor:
        """(N, h, w, 3) uint8 -> (N, 3, h, w) float32, on the same device."""
        torch = require("torch", "torch")
        mean, std = (torch.tensor(each, device=images.device) for each in (self.mean, self.std))
        made: Tensor = ((images / 255 - mean) / std).permute(0, 3, 1, 2).contiguous()
        return made


def settings(path: Path) -> Json:
    """The object in a JSON file, {} if there is no such file; WeightsError if it is damaged."""
    return read_table(path, WeightsError) if path.exists() else {}

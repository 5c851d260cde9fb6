"""I3D clip features: 1024 numbers for every 8 frames at 25 fps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cospal_cli.backbones import models, record
from cospal_cli.backbones.state import read_state
from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.registry import require
from cospal_cli.devices import torch_device
from cospal_cli.features.clips import Frame, Pace, WindowEncoder, centre, whole
from cospal_cli.settings import ClipsConfig

if TYPE_CHECKING:
    from torch import Tensor

    from cospal_cli.features.i3d_network import I3D

DEFAULT_MODEL = "i3d-rgb"
SIDE = 224
SHORTER = 256  # the shorter side of the frame that the central square is cut from
CELL, LONGEST = 32, 640  # pixels: the side of a map's cell, the longest side of a whole frame
FPS, FRAMES = 25.0, 64
COUNTERS = "num_batches_tracked"  # of training; older checkpoints lack them


class I3DClips(WindowEncoder):
    """See ``VideoEncoder``. A window of ``frames`` gives a clip for every 8 of them."""

    dim = map_dim = 1024
    image_side = 640  # the shorter side is 256 or more up to an aspect of 2.5

    def __init__(self, config: ClipsConfig) -> None:
        """Raises UsageError without torch, WeightsError for a checkpoint of another network."""
        self._torch = require("torch", "torch")
        from cospal_cli.features.i3d_network import I3D, STEP

        frames = config.frames or FRAMES
        if frames % STEP:
            raise UsageError(
                f"clips.frames: I3D needs a multiple of {STEP}, found {frames}",
                f"give {-(-frames // STEP) * STEP}",
            )
        self._place = torch_device.choose(config.device, config.precision)
        own = Pace(FPS, FRAMES, stride=frames, batch=8 if self._place.cuda else 1)
        super().__init__(config, own, parts=frames // STEP, steps=frames // STEP)
        torch_device.use_threads(self._place, config.threads)
        self._halves = torch_device.Halving("clip")
        self.model_id = config.model or DEFAULT_MODEL
        path = models.locate(self.model_id)
        self.model_sha256 = record.fingerprint(path)
        network = I3D()
        read_weights(network, path)
        network.eval().requires_grad_(False)
        self.network = network.to(self._place.device, self._place.dtype)

    def prepare(self, batch: FrameBatch) -> Sequence[Frame]:
        """Central squares, uint8 (224, 224, 3); the whole frames at that height or width where
        objects are pooled."""
        if not self.config.pooled:
            return [centre(image, SIDE, SIDE / SHORTER) for image in batch.images]
        size = whole_size(*batch.images.shape[1:3])
        return [whole(image, size) for image in batch.images]

    def encode(self, windows: list[list[Frame]]) -> FloatArray:
        """(W, frames / 8, 1024)."""
        features = self._halves(partial(self._forward, self.network), windows)
        return np.stack(features)

    def encode_maps(self, windows: list[list[Frame]]) -> tuple[FloatArray, FloatArray]:
        """See ``WindowEncoder``: a map for each clip, which is the mean of its cells."""
        found = self._halves(partial(self._forward, self.network.maps), windows)
        maps = np.stack(found).transpose(0, 2, 3, 4, 1)
        return maps.mean(axis=(2, 3)), maps

    def _forward(
        self, network: Callable[[Tensor], Tensor], windows: Sequence[list[Frame]]
    ) -> list[FloatArray]:
        """What ``network`` makes of each window."""
        torch = self._torch
        pixels = torch.from_numpy(np.stack([np.stack(window) for window in windows]))
        video = pixels.to(self._place.device).permute(0, 4, 1, 2, 3).to(self._place.dtype)
        with torch.inference_mode():
            features = network(video * (2 / 255) - 1)
        return list(features.float().cpu().numpy())


def whole_size(height: int, width: int) -> tuple[int, int]:
    """(W, H) at which a whole frame is seen: the shorter side ``SIDE``, the longer in proportion,
    to a multiple of the cells' side and of at most ``LONGEST``."""
    scale = SIDE / min(height, width) / CELL
    width, height = (min(max(round(x * scale), 1) * CELL, LONGEST) for x in (width, height))
    return width, height


def read_weights(model: I3D, path: Path) -> None:
    """Fill ``model`` from the checkpoint at ``path``, every parameter and nothing else.

    WeightsError names what is missing, unexpected or of another shape.
    """
    state = {key: x for key, x in read_state(path).items() if not key.endswith(COUNTERS)}
    given = {key: tuple(x.shape) for key, x in state.items()}
    own = {key: tuple(x.shape) for key, x in model.state_dict().items()}
    own = {key: shape for key, shape in own.items() if not key.endswith(COUNTERS)}
    wrong = [f"{key} is missing" for key in own if key not in given]
    wrong += [f"{key} is unexpected" for key in given if key not in own]
    wrong += [
        f"{key} is {given[key]}, expected {shape}"
        for key, shape in own.items()
        if given.get(key, shape) != shape
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise WeightsError(
            f"{path}: not the weights of I3D: {'; '.join(wrong[:3])}{more}",
            "give a checkpoint with the names of rgb_imagenet.pt",
        )
    model.load_state_dict(state, strict=False)  # the counters alone are left as they were

"""Clip features by transformers: VideoMAE, TimeSformer and V-JEPA 2.

A window is one clip; its feature is the mean over the last hidden state's tokens. The tokens of
one time are a map.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cospal_cli.backbones import models, record
from cospal_cli.backbones.pretrained import model_type, open_model
from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.reading import read_table
from cospal_cli.core.registry import require
from cospal_cli.devices import torch_device
from cospal_cli.features.clips import Frame, Pace, WindowEncoder, centre, whole
from cospal_cli.settings import ClipsConfig

PROCESSORS = ("video_preprocessor_config.json", "preprocessor_config.json")


@dataclass(frozen=True)
class Kind:
    """How the classes of transformers differ."""

    model: str  # used where the configuration names none
    fps: float  # at which its training saw video
    frames: str  # the fields of its config that hold the frames of a clip
    side: str  # and the side of its square input
    fixed: bool  # whether its positions fit no other number of frames
    pixels: str  # the argument of its forward pass that takes them
    options: tuple[str, ...] = ()  # arguments to set
    by_place: bool = False  # the tokens: a first one of no place, then times within places


KINDS = {
    "videomae": Kind("videomae-base", 7.5, "num_frames", "image_size", True, "pixel_values"),
    "timesformer": Kind(
        "timesformer-base",
        1.0,
        "num_frames",
        "image_size",
        False,
        "pixel_values",
        by_place=True,
    ),
    "vjepa2": Kind(
        "vjepa2-vitl",
        4.0,
        "frames_per_clip",
        "crop_size",
        False,
        "pixel_values_videos",
        ("skip_predictor",),
    ),
}


@dataclass(frozen=True)
class Preparation:
    """How pixels become input: the central ``share`` of the frame at ``side``, normalised."""

    side: int
    share: float
    mean: tuple[float, ...]  # of RGB in 0..1
    std: tuple[float, ...]

    @classmethod
    def read(cls, folder: Path) -> Preparation:
        """From the folder's preprocessor config; WeightsError where it lacks what is needed."""
        path = next((folder / name for name in PROCESSORS if (folder / name).is_file()), None)
        if path is None:
            raise WeightsError(
                f"{folder}: no {' or '.join(PROCESSORS)}",
                "fetch the whole folder of the model again",
            )
        hint = "fetch the whole folder of the model again"
        said = read_table(path, WeightsError, hint)
        with errors_as(WeightsError, f"{path}: not a preprocessor's configuration", hint):
            size = _side(said["size"])
            side = _side(said.get("crop_size") or size) if said.get("do_center_crop") else size
            mean, std = (tuple(map(float, said[name])) for name in ("image_mean", "image_std"))
            return cls(side, side / size, mean, std)


def _side(size: Any) -> int:
    """224, {"shortest_edge": 224} or {"height": 224, "width": 224} -> 224."""
    if isinstance(size, dict):
        size = size["shortest_edge"] if "shortest_edge" in size else size["height"]
    return int(size)


class VideoTransformer(WindowEncoder):
    """See ``VideoEncoder``."""

    image_side = 640

    def __init__(self, config: ClipsConfig) -> None:
        """Raises UsageError without torch and transformers, WeightsError for another model."""
        torch = require("torch", "torch")
        kind = KINDS[config.name]
        self.model_id = config.model or kind.model
        folder = models.locate(self.model_id)
        if (own_kind := model_type(folder)) != config.name:
            raise WeightsError(
                f"{folder}: holds a {own_kind!r} model, expected {config.name!r}",
                f"give --video-encoder {own_kind}" if own_kind in KINDS else "name another folder",
            )
        self._preparation = Preparation.read(folder)
        self._place = torch_device.choose(config.device, config.precision)
        torch_device.use_threads(self._place, config.threads)
        self._halves = torch_device.Halving("clip")
        self.network = open_model("AutoModel", self.model_id, self._place)
        own = self.network.config
        if (side := getattr(own, kind.side)) != self._preparation.side:
            raise WeightsError(
                f"{folder}: the model takes {side} pixels, its preprocessor makes "
                f"{self._preparation.side}",
                "fetch the whole folder of the model again",
            )
        frames = int(getattr(own, kind.frames))
        batch = 8 if self._place.cuda else 1
        tubelet = int(getattr(own, "tubelet_size", 1))
        _check_frames(config.frames or frames, frames, kind, tubelet)
        self.dim = self.map_dim = int(own.hidden_size)
        pace = Pace(kind.fps, frames, max(1, frames // 4), batch)
        super().__init__(config, pace, steps=(config.frames or frames) // tubelet)
        self.model_sha256 = record.fingerprint(folder)
        self._kind = kind
        self._torch = torch

    def prepare(self, batch: FrameBatch) -> Sequence[Frame]:
        """Central squares, uint8 (side, side, 3); whole frames squeezed to that where objects are
        pooled."""
        how = self._preparation
        if self.config.pooled:
            return [whole(image, (how.side, how.side)) for image in batch.images]
        return [centre(image, how.side, how.share) for image in batch.images]

    def encode(self, windows: list[list[Frame]]) -> FloatArray:
        """(W, 1, dim)."""
        features = self._halves(self._mean, windows)
        return np.stack(features)[:, None]

    def encode_maps(self, windows: list[list[Frame]]) -> tuple[FloatArray, FloatArray]:
        """See ``WindowEncoder``: a map for each time of the tokens."""
        found = self._halves(self._tokens, windows)
        tokens = np.stack(found)
        features = tokens.mean(axis=1, keepdims=True)
        if self._kind.by_place:
            tokens = tokens[:, 1:]
        cells = tokens.shape[1] // self.steps
        side = math.isqrt(cells)
        shape = (cells, self.steps) if self._kind.by_place else (self.steps, cells)
        maps = tokens.reshape(len(tokens), *shape, self.dim)
        if self._kind.by_place:
            maps = maps.swapaxes(1, 2)
        return features, maps.reshape(len(tokens), self.steps, side, side, self.dim)

    def _mean(self, windows: Sequence[list[Frame]]) -> list[FloatArray]:
        return list(self._forward(windows).mean(dim=1).cpu().numpy())

    def _tokens(self, windows: Sequence[list[Frame]]) -> list[FloatArray]:
        return list(self._forward(windows).cpu().numpy())

    def _forward(self, windows: Sequence[list[Frame]]) -> Any:
        """The last hidden state (W, tokens, dim), float32, where the network is."""
        torch, how, place = self._torch, self._preparation, self._place
        pixels = torch.from_numpy(np.stack([np.stack(window) for window in windows]))
        mean, std = (torch.tensor(x, device=place.device) * 255 for x in (how.mean, how.std))
        video = ((pixels.to(place.device) - mean) / std).to(place.dtype).permute(0, 1, 4, 2, 3)
        options = dict.fromkeys(self._kind.options, True)
        with torch.inference_mode():
            outputs = self.network(**{self._kind.pixels: video.contiguous()}, **options)
            return outputs.last_hidden_state.float()


def _check_frames(frames: int, own: int, kind: Kind, tubelet: int) -> None:
    """UsageError unless the model can take clips of ``frames``."""
    if kind.fixed and frames != own:
        raise UsageError(
            f"clips.frames: the model takes {own} frames at a time, found {frames}", f"give {own}"
        )
    if frames % tubelet:
        raise UsageError(
            f"clips.frames: must be a multiple of {tubelet}, found {frames}",
            f"such as {-(-frames // tubelet) * tubelet}",
        )

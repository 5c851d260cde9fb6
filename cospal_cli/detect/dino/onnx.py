"""Grounding DINO by ONNX Runtime, from what ``cospal export --what detector`` wrote: no torch.

The folder holds ``detector.onnx``, for images of one size, and ``tokenizer.json``. Frames keep
their shape: they are scaled to fit that size and padded at the right and below.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.core.fitting import field_of
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.query import Query
from cospal_cli.core.reading import check_regular, parse_table
from cospal_cli.detect.defaults import dino_limits
from cospal_cli.detect.dino.grounding_dino import (
    CANDIDATES,
    GroundingDino,
    TokenizedPrompt,
    TopBoxes,
)
from cospal_cli.detect.dino.prompt import build, cover
from cospal_cli.devices import processors
from cospal_cli.devices.onnx_session import open_session
from cospal_cli.settings import DetectorConfig

NAME, TOKENIZER, ABOUT = "detector.onnx", "tokenizer.json", "cospal"
INPUTS = ("pixel_values", "pixel_mask", "input_ids")
OUTPUTS = ("logits", "pred_boxes", "features")


@dataclass(frozen=True)
class _Values:
    """An array in a tensor's place."""

    values: FloatArray

    def numpy(self) -> FloatArray:
        """The array."""
        return self.values

    def __getitem__(self, at: Any) -> _Values:
        return _Values(self.values[at])


class ExportedGroundingDino(GroundingDino):
    """See ``Detector``. What follows the network is shared with ``GroundingDino``."""

    def __init__(self, config: DetectorConfig) -> None:
        """UsageError without a folder, WeightsError for files missing, damaged or of another kind.

        Runs on the CPU; the graph is in fp32.
        """
        if config.model is None:
            raise UsageError(
                "detector 'grounding-dino-onnx' needs the folder of an exported detector",
                "make it by: cospal export --onnx --what detector -o DIR; "
                "then give --detector-model DIR",
            )
        if config.device not in ("auto", "cpu"):
            raise UsageError(
                f"detector 'grounding-dino-onnx' does not run on {config.device!r}",
                "give --device cpu, or --detector grounding-dino",
            )
        folder = Path(config.model).expanduser()
        threads = config.threads or max(1, processors() - 1)
        if not (folder / NAME).is_file():
            raise WeightsError(
                f"{folder / NAME}: no such file",
                "make it by: cospal export --onnx --what detector -o DIR",
            )
        self._session = open_session(folder / NAME, threads, INPUTS, OUTPUTS, lean=True)
        about = _about(folder / NAME, self._session)
        self._size: tuple[int, int] = (about["size"][0], about["size"][1])
        self._mean, self._std = (np.array(about[name], np.float32) for name in ("mean", "std"))
        self._most: int = about["text"]
        self._reader = _reader(folder / TOKENIZER)
        self.config, self.limits = dino_limits(config, min(self._size), batch=1)
        self.batch, self.image_side = self.limits.batch, max(self._size)
        self.model_id, self.model_sha256 = about["model"], about["model_sha256"]
        self._tokenized: TokenizedPrompt | None = None

    def prompt(self, query: Query) -> ExportedGroundingDino:
        """This detector for ``query``."""
        twin = copy.copy(self)
        twin._tokenized = tokenized = self._tokens(query)
        twin.classes, twin.words = tokenized.prompt.classes, tokenized.prompt.words
        return twin

    def prepare(self, batch: FrameBatch) -> Any:
        """Pixels and mask of each frame."""
        return [letterboxed(image, self._size, self._mean, self._std) for image in batch.images]

    def run(self, prepared: Any) -> list[TopBoxes]:
        """The forward passes, one a frame, and their best boxes."""
        tokenized = self._prompt()
        ids: NDArray[np.int64] = np.asarray(tokenized.ids)
        named: NDArray[np.bool_] = np.asarray(tokenized.named)
        results = []
        for pixels, mask in prepared:
            values = (pixels, mask, ids)
            logits, boxes, features = self._session.run(
                list(OUTPUTS), dict(zip(INPUTS, values, strict=True))
            )
            tokens = 1 / (1 + np.exp(-logits[0].astype(np.float32)))
            scores = np.where(named, tokens, 0).max(axis=1)
            count = min(max(CANDIDATES, self.config.max_per_frame), len(scores))
            rows = np.argsort(-scores, kind="stable")[:count]
            first, second, third, fourth = (
                _values(one[rows]) for one in (boxes[0], scores, tokens, features[0])
            )
            results.append(TopBoxes(first, second, third, fourth, ready=None))
        return results

    def _tokens(self, query: Query) -> TokenizedPrompt:
        def offsets(text: str) -> Sequence[tuple[int, int]]:
            spans: list[tuple[int, int]] = self._reader.encode(text).offsets
            return spans

        prompt = build(query, self.config.grounding_dino.prompt, offsets, self._most)
        read = self._reader.encode(prompt.text)
        blocks = cover(read.offsets, [prompt.caption, *prompt.class_spans])
        ids: Any = np.array([read.ids], np.int64)
        named: Any = blocks.any(axis=1)
        return TokenizedPrompt(
            prompt,
            ids,
            cover(read.offsets, prompt.word_spans),
            cover(read.offsets, prompt.class_spans),
            named,
        )


def letterboxed(
    image: NDArray[np.uint8], size: tuple[int, int], mean: FloatArray, std: FloatArray
) -> tuple[FloatArray, NDArray[np.int64]]:
    """(H, W, 3) uint8 -> normalised pixels (1, 3, h, w) and mask (1, h, w) of ``size`` (w, h)."""
    from PIL import Image

    height, width = image.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    if inner != (width, height):
        picture = Image.fromarray(image).resize(inner, Image.Resampling.BILINEAR)
        image = np.asarray(picture)
    pixels = np.zeros((1, 3, size[1], size[0]), np.float32)
    mask = np.zeros((1, size[1], size[0]), np.int64)
    values = (image.astype(np.float32) / 255 - mean) / std
    pixels[0, :, : inner[1], : inner[0]] = values.transpose(2, 0, 1)
    mask[:, : inner[1], : inner[0]] = 1
    return pixels, mask


def _values(rows: NDArray) -> Any:
    """In the place of a tensor, as which ``TopBoxes`` knows it."""
    return _Values(np.ascontiguousarray(rows, np.float32))


def _about(path: Path, session: Any) -> JsonDict:
    """The graph's own metadata; WeightsError if that is not enough."""
    hint = "make it by: cospal export --onnx --what detector -o DIR"
    with errors_as(WeightsError, f"{path}: not an exported detector", hint):
        about = parse_table(session.get_modelmeta().custom_metadata_map[ABOUT])
        for name in ("model", "model_sha256"):
            field_of(about, name, str)
        if min(field_of(about, "size", tuple[int, int])) < 1 or field_of(about, "text", int) < 1:
            raise ValueError(f"size {about['size']}, text {about['text']}")
        for name in ("mean", "std"):
            field_of(about, name, tuple[float, float, float])
        if not all(about["std"]):
            raise ValueError("'std' holds 0")
        return about


def _reader(path: Path) -> Any:
    from tokenizers import Tokenizer

    hint = "copy all files of an export together"
    with errors_as(WeightsError, f"{path}: not a usable tokenizer", hint):
        check_regular(path)
        reader = Tokenizer.from_file(str(path))
    reader.no_padding()
    reader.no_truncation()
    return reader

"""Grounding DINO and MM-Grounding-DINO by transformers: boxes for a sentence.

A model is a folder of transformers, or one of the authors' own checkpoints (.pth).

``prepare`` resizes on the CPU; ``run`` uploads, normalises, passes forward and keeps the best
boxes, all on the device; ``decode`` waits for these few and names them. torch comes in with the
first detector that is opened.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cospal_cli.backbones import models, record
from cospal_cli.backbones.pretrained import model_type, offline, open_model
from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.boxes import clip
from cospal_cli.core.errors import DeviceError, UsageError, WeightsError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.query import Query
from cospal_cli.core.registry import require
from cospal_cli.core.tubelets import Detections
from cospal_cli.detect import DEFAULT_MODEL
from cospal_cli.detect.defaults import dino_limits
from cospal_cli.detect.dino.pixels import Pixels
from cospal_cli.detect.dino.prompt import Prompt, best_of, build, cover
from cospal_cli.detect.nms import suppress
from cospal_cli.devices.torch_device import Halving, Placement, choose, use_threads
from cospal_cli.settings import DetectorConfig

if TYPE_CHECKING:
    import torch

TEXT_ENCODER = "model.text_backbone"  # where it is in the network
KIND = "AutoModelForZeroShotObjectDetection"
KINDS = ("grounding-dino", "mm-grounding-dino")  # of transformers' configurations
CANDIDATES = 300  # boxes a frame that leave the device
QUIET = {"return_offsets_mapping": True, "verbose": False}  # of too long a text, which is cut
EXPECTED = "expected tokenizer.json or vocab.txt, of bert-base-uncased"


@dataclass(frozen=True)
class Opened:
    """What a detector is made of, from the model ``name`` at ``path``."""

    name: str
    path: Path
    pixels: Pixels
    tokenizer: Any
    network: Any


@dataclass(frozen=True)
class TokenizedPrompt:
    """A prompt as its tokens: ``ids`` (1, S), and which of them belong to what."""

    prompt: Prompt
    ids: torch.Tensor
    words: NDArray[np.bool_]  # (S, W)
    classes: NDArray[np.bool_]  # (S, L); (S, 0) for the caption alone
    named: torch.Tensor  # (S,) bool: in the caption or a category


@dataclass(frozen=True)
class TopBoxes:
    """One frame's best boxes, on their way to the CPU until ``ready``."""

    boxes: torch.Tensor  # (K, 4) centre, width and height in 0..1
    scores: torch.Tensor  # (K,) best first
    tokens: torch.Tensor  # (K, S) every token's score
    features: torch.Tensor  # (K, F) the decoder's
    ready: Any  # a CUDA event; None on the CPU


class GroundingDino:
    """See ``Detector``. ``words`` are what ``Detections.token_scores`` count in."""

    prompted = True
    classes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def __init__(self, config: DetectorConfig) -> None:
        """Raises WeightsError if the model is missing, damaged or of another kind, DeviceError for
        a device that is not there."""
        self.place = choose(config.device, config.precision)
        use_threads(self.place, config.threads)
        opened = self._open(config)
        self.pixels, self._tokenizer = opened.pixels, opened.tokenizer
        self._network = self._model = opened.network
        batch = 8 if self.place.cuda else 1
        self.config, self.limits = dino_limits(config, self.pixels.short, batch)
        self.batch, self.image_side = self.limits.batch, self.pixels.long
        name = opened.name
        self.model_id = Path(name).name if Path(name).expanduser().exists() else name
        self.model_sha256 = record.fingerprint(opened.path)
        self._fit = Halving("frame")
        self._tokenized: TokenizedPrompt | None = None

    def prompt(self, query: Query) -> GroundingDino:
        """This detector for ``query``: the same weights, with the text encoded only once."""
        from cospal_cli.detect.dino.modules import EncodedOnce, with_part

        twin = copy.copy(self)
        twin._tokenized = tokenized = self._tokens(query)
        encoder = EncodedOnce(self._network.get_submodule(TEXT_ENCODER))
        twin._model = with_part(self._network, TEXT_ENCODER, encoder)
        twin.classes, twin.words = tokenized.prompt.classes, tokenized.prompt.words
        return twin

    def prepare(self, batch: FrameBatch) -> torch.Tensor:
        """Pixels (N, h, w, 3) uint8 of the network's size, ready for upload."""
        return self.pixels.resized(batch.images, pinned=self.place.cuda)

    def run(self, prepared: torch.Tensor) -> list[TopBoxes]:
        """The forward pass and its best boxes, a TopBoxes for each frame; out of memory, in halves.

        On a GPU it returns before the work is done. Raises DeviceError if one frame is too much.
        """
        tokenized = self._prompt()
        try:
            frames: Any = prepared  # a tensor is a sequence too, but for the type checker
            return self._fit(lambda part: self._forward(part, tokenized), frames)
        except RuntimeError as error:
            raise self._explained(error) from error

    def decode(self, outputs: list[TopBoxes], batch: FrameBatch) -> list[Detections]:
        """Boxes of each frame of ``batch``, with what every word and category scored."""
        tokenized = self._prompt()
        frames = zip(outputs, batch.indices.tolist(), strict=True)
        return [self._best(top, index, batch.size, tokenized) for top, index in frames]

    def _open(self, config: DetectorConfig) -> Opened:
        from cospal_cli.detect.dino import original

        name = config.model or DEFAULT_MODEL
        own = config.grounding_dino
        path = models.locate(name)
        if path.is_dir():
            _check_kind(path)
            pixels = Pixels.of(path, own.side)
            network = open_model(KIND, name, self.place)
            tokenizer = tokenizer_of(path, network)
        else:
            pixels, tokenizer = Pixels().scaled(own.side), original.tokenizer()
            network = original.open_original(path, own.config_file, self.place)
        return Opened(name, path, pixels, tokenizer, _prepared(network, self.place, own.compile))

    def _prompt(self) -> TokenizedPrompt:
        if self._tokenized is None:
            raise UsageError("this detector needs a sentence", "prompt it before it is run")
        return self._tokenized

    def _tokens(self, query: Query) -> TokenizedPrompt:
        torch = require("torch", "torch")
        limit = min(self._network.config.max_text_len, self._tokenizer.model_max_length)

        def offsets(text: str) -> Sequence[tuple[int, int]]:
            spans: list[tuple[int, int]] = self._tokenizer(text, **QUIET)["offset_mapping"]
            return spans

        prompt = build(query, self.config.grounding_dino.prompt, offsets, limit)
        read = self._tokenizer(prompt.text, **QUIET)
        spans, device = read["offset_mapping"], self.place.device
        blocks = cover(spans, [prompt.caption, *prompt.class_spans])
        return TokenizedPrompt(
            prompt,
            torch.tensor([read["input_ids"]], device=device),
            cover(spans, prompt.word_spans),
            cover(spans, prompt.class_spans),
            torch.from_numpy(blocks.any(axis=1)).to(device),
        )

    def _forward(self, frames: Any, tokenized: TokenizedPrompt) -> list[TopBoxes]:
        torch = require("torch", "torch")
        with torch.inference_mode(), _current(self.place):
            pixels = self.pixels.normalised(frames.to(self.place.device, non_blocking=True))
            ids = tokenized.ids.expand(len(frames), -1)
            outputs = self._model(pixel_values=pixels.to(self.place.dtype), input_ids=ids)
            tokens = outputs.logits[..., : ids.shape[1]].float().sigmoid()
            scores = tokens.masked_fill(~tokenized.named, 0).amax(-1)
            count = min(max(CANDIDATES, self.config.max_per_frame), scores.shape[1])
            scores, rows = scores.topk(count)
            kept = [scores]
            for values in (outputs.pred_boxes, tokens, outputs.last_hidden_state):
                at = rows[..., None].expand(-1, -1, values.shape[-1])
                kept.append(values.gather(1, at).float())
            scores, boxes, tokens, features = (
                values.to("cpu", non_blocking=True) for values in kept
            )
            ready = None
            if self.place.cuda:
                ready = torch.cuda.Event()
                ready.record()
        rows = zip(boxes, scores, tokens, features, strict=True)
        return [TopBoxes(*frame, ready) for frame in rows]

    def _best(
        self, top: TopBoxes, index: int, size: tuple[int, int], tokenized: TokenizedPrompt
    ) -> Detections:
        """One frame's boxes above the threshold, without doubles."""
        if top.ready is not None:
            top.ready.synchronize()
        scores = top.scores.numpy()
        if not np.isfinite(scores).all():
            raise DeviceError(
                f"{self.model_id}: the scores are not numbers in {self.place.dtype}",
                "give --precision bf16 or fp32",
            )
        few = int((scores >= self.limits.threshold).sum())
        scores, tokens = scores[:few], top.tokens[:few].numpy()
        boxes = clip(_corners(top.boxes[:few].numpy(), size), *size)
        whole = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))
        iou, most = self.limits.nms_iou, self.config.max_per_frame
        one = np.zeros(1, np.int64)  # all are of one class: doubles go whatever they are called
        rows = whole[suppress(boxes[whole], scores[whole, None], one, iou, most, twins=iou)[0]]
        words, labels = (
            best_of(tokens[rows], tokenized.words),
            best_of(tokens[rows], tokenized.classes),
        )
        referral = self._referral(words, labels, tokenized.prompt)
        labels = labels if labels.shape[1] else referral[:, None]
        return Detections(
            index,
            boxes[rows],
            scores[rows],
            labels.argmax(axis=1).astype(np.int64),
            labels,
            top.features[:few].numpy()[rows],
            referral,
            words,
        )

    def _referral(self, words: FloatArray, labels: FloatArray, prompt: Prompt) -> FloatArray:
        """(D,) over the words that say who is meant; without any, how well the subject's class."""
        if not prompt.referral:
            return labels[:, 0]
        mine = words[:, list(prompt.referral)]
        score: FloatArray = (
            mine.mean(axis=1) if self.config.grounding_dino.referral == "mean" else mine.max(axis=1)
        )
        return score

    def _explained(self, error: Exception) -> Exception:
        """An error of torch with what the user can do about it; the error itself where nothing is
        known.
        """
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if "not implemented for" in line:
            return DeviceError(
                f"{self.place.dtype} on {self.place.device}: {line}", "give --precision fp32"
            )
        if type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            return DeviceError(f"torch.compile: {line}", "leave grounding_dino.compile out")
        if "CUDA error" in line:
            return DeviceError(
                line, "'cospal doctor' shows what is installed; or give --device cpu"
            )
        return error


def _corners(boxes: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Centre, width and height in 0..1 -> corners in pixels of a frame of ``size`` (w, h)."""
    half = boxes[:, 2:] / 2
    corners = np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)
    return corners * np.array([*size, *size], np.float32)


def _current(place: Placement) -> Any:
    """The context in which CUDA's events and streams are those of ``place``."""
    torch = require("torch", "torch")
    return torch.cuda.device(place.device) if place.cuda else nullcontext()


def _check_kind(folder: Path) -> None:
    """WeightsError unless ``folder`` holds a model that is one of KINDS."""
    kind = model_type(folder)
    if kind not in KINDS:
        raise WeightsError(
            f"{folder}: holds a {kind!r} model, expected {' or '.join(map(repr, KINDS))}",
            "'cospal models list' lists the detectors",
        )


def tokenizer_of(folder: Path, network: Any) -> Any:
    """The model's tokenizer; WeightsError if there is none, or one of other ids than the network's:
    its own numbers for the ends and for the points that keep the blocks apart are fixed."""
    border = errors_as(WeightsError, f"{folder}: not a usable tokenizer", EXPECTED)
    with border, offline() as transformers:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        sample = tokenizer(". ?")["input_ids"] if tokenizer.is_fast else None
    first, last, *points = network.model.special_tokens.tolist()
    if sample != [first, *points, last]:
        raise WeightsError(
            f"{folder}: not the tokenizer that this model was trained with", EXPECTED
        )
    return tokenizer


def _prepared(model: Any, place: Placement, compiled: bool) -> Any:
    """The network, with less than fp32 its last part still in it, and ``compiled`` if need be."""
    from cospal_cli.detect.dino.modules import keep_coordinates_exact

    torch = require("torch", "torch")
    if place.dtype != torch.float32:
        model = keep_coordinates_exact(model)
    if compiled:  # not as one: the rest depends on the text, and is compiled anew for each
        torch._dynamo.config.capture_scalar_outputs = True  # the encoder's checks break no graph
        for part in (model.model.backbone, model.model.encoder, model.model.decoder):
            part.compile()
    return model

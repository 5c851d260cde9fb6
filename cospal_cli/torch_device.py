"""Where torch runs and in which precision; what to do when its memory does not suffice.

Imports torch inside its functions only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from cospal_cli.errors import DeviceError, UsageError
from cospal_cli.registry import require

if TYPE_CHECKING:
    import torch

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Place:
    """A torch device and the floating point type of weights and activations there."""

    device: torch.device
    dtype: torch.dtype

    @property
    def cuda(self) -> bool:
        """Whether the device is a CUDA GPU."""
        return self.device.type == "cuda"


def choose(device: str, precision: str) -> Place:
    """The place that the settings mean: auto is the first CUDA GPU, in fp16, else the CPU in fp32.

    Raises UsageError for an unknown name, DeviceError for CUDA that this torch does not have.
    """
    torch: Any = require("torch", "torch")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", device):
        raise UsageError(f"unknown device {device!r}", "known: auto, cpu, cuda, cuda:N")
    if device != "cpu" and not torch.cuda.is_available():
        built = torch.version.cuda
        why = f"built for CUDA {built}, which finds no GPU" if built else "built without CUDA"
        raise DeviceError(
            f"device {device!r}: torch {torch.__version__} is {why}",
            "give --device cpu, or install torch for your CUDA; 'cospal doctor' shows what is here",
        )
    chosen = torch.device(device)
    if chosen.index is not None and chosen.index >= torch.cuda.device_count():
        raise DeviceError(f"device {device!r}: there are {torch.cuda.device_count()} GPUs")
    kinds = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
    kinds["auto"] = torch.float16 if chosen.type == "cuda" else torch.float32
    return Place(chosen, kinds[precision])


def in_halves(run: Callable[[Sequence[T]], list[R]], items: Sequence[T], what: str) -> list[R]:
    """``run(items)``, a result each; out of memory, both halves apart, and so on.

    ``what`` names one item. Raises DeviceError when one alone does not fit.
    """
    torch: Any = require("torch", "torch")
    try:
        return run(items)
    except torch.OutOfMemoryError:
        pass  # the traceback holds the failed tensors: leave it before trying again
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if len(items) == 1:
        raise DeviceError(
            f"out of memory with a single {what}",
            "give a smaller model or --set detector.side=480, --precision fp16, or --device cpu",
        )
    half = len(items) // 2
    return [*in_halves(run, items[:half], what), *in_halves(run, items[half:], what)]

"""Where torch runs and in which precision; what to do when memory runs out.

Imports torch inside its functions only.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from cospal_cli.core.errors import DeviceError, UsageError
from cospal_cli.core.registry import require
from cospal_cli.devices import processors, unknown

if TYPE_CHECKING:
    import torch

T = TypeVar("T")
R = TypeVar("R")
# What torch says, besides its own error class, when memory runs out: the CPU's allocator, and
# libraries that allocate for themselves.
_NO_MEMORY = re.compile(r"can't allocate memory|not enough memory|ALLOC_FAILED")


@dataclass(frozen=True)
class Placement:
    """A torch device and the floating point type of weights and activations there."""

    device: torch.device
    dtype: torch.dtype

    @property
    def cuda(self) -> bool:
        """Whether the device is a CUDA GPU."""
        return self.device.type == "cuda"


def choose(device: str, precision: str) -> Placement:
    """The place that the settings mean: auto is the first CUDA GPU, in fp16, else the CPU in fp32.

    Raises UsageError for an unknown name, DeviceError for CUDA that this torch does not have.
    """
    torch = require("torch", "torch")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", device):
        raise unknown(device)
    kinds = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
    kinds["auto"] = torch.float32 if device == "cpu" else torch.float16
    if precision not in kinds:
        raise UsageError(f"unknown precision {precision!r}", f"known: {', '.join(kinds)}")
    if device != "cpu" and not torch.cuda.is_available():
        built = torch.version.cuda
        why = f"built for CUDA {built} but finds no GPU" if built else "built without CUDA"
        raise DeviceError(
            f"device {device!r}: torch {torch.__version__} is {why}",
            "give --device cpu, or install torch for your CUDA; 'cospal doctor' shows what "
            "is installed",
        )
    chosen = torch.device(device)
    if chosen.index is not None and chosen.index >= torch.cuda.device_count():
        raise DeviceError(
            f"device {device!r}: GPUs available: {torch.cuda.device_count()}",
            "the first is cuda:0; CUDA_VISIBLE_DEVICES may hide some",
        )
    return Placement(chosen, kinds[precision])


def use_threads(place: Placement, threads: int) -> None:
    """Let torch use so many processors; 0: all but one, which decodes and tracks meanwhile.

    Only for work on the CPU, and then for all of this process.
    """
    if not place.cuda:
        torch = require("torch", "torch")
        torch.set_num_threads(threads or max(1, processors() - 1))


class Halving:
    """Runs batches of what does not always fit: out of memory, in halves, then and ever after."""

    def __init__(self, what: str) -> None:
        """``what`` names one item, for the error."""
        self.what = what
        self.most: int | None = None  # items that a call may get; None: any number

    def __call__(self, run: Callable[[Sequence[T]], list[R]], items: Sequence[T]) -> list[R]:
        """``run(items)``, a result each. Raises DeviceError when one alone does not fit."""
        results: list[R] = []
        while len(results) < len(items):
            size = min(self.most or len(items), len(items) - len(results))
            done = _attempt(run, items[len(results) : len(results) + size])
            if done is not None:
                results += done
            elif size == 1:
                raise DeviceError(
                    f"out of memory with a single {self.what}",
                    "use a smaller model, --precision fp16, --device cpu or, for the detector, "
                    "--set detector.grounding_dino.side=480",
                )
            else:
                self.most = size // 2
        return results


def _attempt(run: Callable[[Sequence[T]], list[R]], items: Sequence[T]) -> list[R] | None:
    """``run(items)``; None, with memory cleared, where it does not suffice."""
    torch = require("torch", "torch")
    try:
        return run(items)
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and not _NO_MEMORY.search(str(error)):
            raise
    # Only here is the error gone, and with it its traceback, which held the failed tensors.
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None

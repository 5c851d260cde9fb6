"""What runs trained heads: every runtime by name, all with one method."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from cospal_cli.model.card import Card
from cospal_cli.registry import load
from cospal_cli.types import GroundingInputs, GroundingScores

BACKENDS = {
    "torch": "cospal_cli.runtime.torch:TorchRuntime",
}


class Runtime(Protocol):
    """A backend: built from a checkpoint's path, a device and a precision."""

    card: Card

    def run(self, inputs: GroundingInputs) -> GroundingScores:
        """The heads' answer for one video and one query; the same every time."""


def open_runtime(name: str, path: Path, device: str = "auto", precision: str = "auto") -> Runtime:
    """The runtime ``name`` with the heads in ``path``; UsageError lists the known ones."""
    runtime: Runtime = load("runtime", BACKENDS, name)(path, device, precision)
    return runtime

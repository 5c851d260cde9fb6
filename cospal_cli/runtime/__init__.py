"""The runtimes of trained heads, by name, all with one method."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from cospal_cli.core.backends import RUNTIMES as BACKENDS
from cospal_cli.core.errors import UsageError
from cospal_cli.core.grounding import GroundingInputs, GroundingScores
from cospal_cli.core.registry import load
from cospal_cli.model.checkpoint import CONFIG, WEIGHTS, load_metadata
from cospal_cli.model.metadata import HeadsMetadata

AUTO = "auto"  # exported files where there are some, else torch


class Runtime(Protocol):
    """A backend: built from a checkpoint's path, a device and a precision."""

    metadata: HeadsMetadata

    def run(self, inputs: GroundingInputs) -> GroundingScores:
        """The heads' prediction for one video and one query; the same every time."""


def open_runtime(
    name: str,
    path: Path,
    device: str = "auto",
    precision: str = "auto",
    provider: str = "auto",
) -> Runtime:
    """The runtime ``name`` with the heads in ``path``; UsageError lists the known ones.

    ``provider`` is for ONNX Runtime: see ``OnnxRuntime``; UsageError with another runtime.
    """
    name = resolve(name, path)
    kind = load("runtime", BACKENDS, name)
    if provider != AUTO and name != "onnx":
        raise UsageError(f"--provider {provider} is for --runtime onnx, found {name!r}")
    extra = {"provider": provider} if name == "onnx" else {}
    runtime: Runtime = kind(path, device, precision, **extra)
    return runtime


def resolve(name: str, path: Path) -> str:
    """``name``, with "auto" replaced by the runtime that the folder ``path`` is for."""
    if name != AUTO:
        return name
    if not any(path.glob("*.onnx")):
        if (path / WEIGHTS).is_file() and find_spec("torch") is None:
            raise UsageError(
                f"{str(path)!r} is a checkpoint, which needs torch, and torch is not installed",
                "export it where torch is installed: cospal export --onnx --checkpoint DIR",
            )
        return "torch"
    return "onnx"


def read_metadata(path: Path) -> HeadsMetadata:
    """The metadata of a checkpoint or of exported heads; UsageError if ``path`` is neither."""
    if not (path / CONFIG).is_file() and any(path.glob("*.onnx")):
        from cospal_cli.runtime import onnx

        return onnx.read_metadata(path)
    return load_metadata(path)

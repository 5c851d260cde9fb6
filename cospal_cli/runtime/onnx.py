"""Exported heads run by ONNX Runtime: no torch.

The folder is what ``cospal export --onnx`` wrote: ``config.json``, the card, as in a checkpoint;
``spatial.onnx`` and ``temporal.onnx``, the graphs in fp32 (those of another precision have its name
before the end: ``spatial.int8.onnx``); ``export.json``, how they compare with the checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.core.types import GroundingInputs, GroundingScores
from cospal_cli.devices import CUDA
from cospal_cli.devices.onnx_session import CPU, open_session
from cospal_cli.model.card import Card
from cospal_cli.model.checkpoint import CONFIG, load_card
from cospal_cli.runtime.onnx_file import metadata

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

PARTS = {
    "spatial": ("tubelet_scores",),
    "temporal": ("proposals", "proposal_scores"),
}  # the graphs, with what each answers
PRECISIONS = ("fp32", "fp16", "int8")
ABOUT = "cospal"  # the metadata of every file that is not the card
CARD = "cospal.card"
SAME = ("checkpoint_sha256", "precision", "cospal")  # what the graphs of one export share
TENSORRT = "TensorrtExecutionProvider"
PROVIDERS = {"cpu": CPU, "cuda": CUDA, "tensorrt": TENSORRT}


def graph_path(folder: Path, part: str, precision: str = "fp32") -> Path:
    """Where the graph ``part`` of ``PARTS`` lies."""
    return folder / (f"{part}.onnx" if precision == "fp32" else f"{part}.{precision}.onnx")


def precisions(folder: Path) -> tuple[str, ...]:
    """Those of which all graphs are in ``folder``, the most exact first."""
    return tuple(
        one for one in PRECISIONS if all(graph_path(folder, part, one).is_file() for part in PARTS)
    )


def chosen(folder: Path, precision: str) -> str:
    """``precision``, or for auto the most exact there is. UsageError if ``folder`` lacks it."""
    found = precisions(folder)
    if precision == "auto" and found:
        return found[0]
    if precision not in found:
        wanted = " and ".join(
            graph_path(folder, part, "fp32" if precision == "auto" else precision).name
            for part in PARTS
        )
        raise UsageError(
            f"{str(folder)!r} holds no {wanted}; exported there: {', '.join(found) or 'nothing'}",
            "cospal export --onnx --checkpoint DIR makes them",
        )
    return precision


def read_card(folder: Path, precision: str = "auto") -> Card:
    """The heads' card, once all files of an export agree. WeightsError names both sides if not."""
    precision = chosen(folder, precision)
    paths = [graph_path(folder, part, precision) for part in PARTS]
    cards = [json.dumps(metadata(path, CARD)) for path in paths]
    abouts = [metadata(path, ABOUT) for path in paths]
    for name in SAME:
        values = [about.get(name) for about in abouts]
        if values[0] != values[1]:
            raise WeightsError(
                f"{name}: {paths[0]} has {values[0]}, {paths[1]} has {values[1]}",
                "these are of two exports; export again, and copy all files together",
            )
    for path, part, about in zip(paths, PARTS, abouts, strict=True):
        if about.get("part") != part:
            raise WeightsError(f"{path}: expected the {part} graph, found {about.get('part')}")
    card = Card.loads(cards[0], str(paths[0]))
    others = [(paths[1], Card.loads(cards[1], str(paths[1])))]
    if (folder / CONFIG).is_file():
        others.append((folder / CONFIG, load_card(folder)))
    for path, other in others:
        if difference := _difference(card, other):
            name, mine, theirs = difference
            raise WeightsError(
                f"{name}: {paths[0]} has {mine}, {path} has {theirs}",
                "these are of two checkpoints; export again, and copy all files together",
            )
    return card


def _difference(card: Card, other: Card) -> tuple[str, str, str] | None:
    """The first field in which two cards differ, with both values."""
    for name in ("sizes", "model", "features", "vocabulary", "trained"):
        mine, theirs = getattr(card, name), getattr(other, name)
        if mine != theirs:
            return name, f"{mine!s:.200}", f"{theirs!s:.200}"
    return None


class OnnxRuntime:
    """See ``Runtime``."""

    def __init__(
        self,
        path: Path,
        device: str = "auto",
        precision: str = "auto",
        provider: str = "auto",
        threads: int = 0,
    ) -> None:
        """The graphs in the folder ``path``.

        ``provider``: cpu, cuda, tensorrt, or auto: as ``device`` says. Raises UsageError for an
        unknown name or missing files, WeightsError for files that do not fit each other or ONNX
        Runtime, DeviceError where a session does not get the provider.
        """
        name, number = _place(device, provider)
        self.precision = chosen(path, precision)
        self.card = read_card(path, self.precision)
        self.provider = PROVIDERS[name]
        self._sessions: dict[str, InferenceSession] = {}
        for part, outputs in PARTS.items():
            graph = graph_path(path, part, self.precision)
            settings = _settings(name, number, path, self.precision)
            self._sessions[part] = open_session(
                graph,
                threads,
                outputs=outputs,
                provider=self.provider,
                settings=settings,
                spin=True,
            )

    def run(self, inputs: GroundingInputs) -> GroundingScores:
        """See ``Runtime``. WeightsError where the answer is not finite."""
        found: dict[str, NDArray[np.float32]] = {}
        for part, outputs in PARTS.items():
            session = self._sessions[part]
            known = {node.name: feed(node.name, inputs, found) for node in session.get_inputs()}
            values = session.run(list(outputs), known)
            found |= dict(zip(outputs, values, strict=True))
        return answer(found)


def feed(name: str, inputs: GroundingInputs, found: Mapping[str, Any]) -> NDArray[Any]:
    """The value of a graph's input: of the contract, or what the graph before has found."""
    value: NDArray[Any] = found[name] if name in found else getattr(inputs, name)
    return np.ascontiguousarray(value)


def answer(found: Mapping[str, NDArray[Any]]) -> GroundingScores:
    """The outputs of all graphs as scores; WeightsError where they are not finite."""
    if not all(np.isfinite(rows).all() for rows in found.values()):
        raise WeightsError(
            "the heads' answer holds numbers that are not finite",
            "give --precision fp32, or export again",
        )
    return GroundingScores(**{name: rows.astype(np.float32) for name, rows in found.items()})


def _place(device: str, provider: str) -> tuple[str, str]:
    """(provider, number of the GPU) that both settings mean."""
    kind, _, number = device.partition(":")
    if kind not in ("auto", "cpu", "cuda") or (number and not number.isdigit()):
        raise UsageError(f"unknown device {device!r}", "known: auto, cpu, cuda, cuda:N")
    if provider == "auto":
        provider = "cuda" if kind == "cuda" else "cpu"
    if provider not in PROVIDERS:
        raise UsageError(f"unknown provider {provider!r}", f"known: auto, {', '.join(PROVIDERS)}")
    if kind == "cpu" and provider != "cpu":
        raise UsageError(f"--provider {provider} does not run on --device {device}", "give one")
    return provider, number or "0"


def _settings(name: str, number: str, folder: Path, precision: str) -> dict[str, str]:
    """What ONNX Runtime is told of a provider."""
    if name == "cpu":
        return {}
    settings = {"device_id": number}
    if name == "tensorrt":
        settings |= {
            "trt_engine_cache_enable": "1",  # its key holds the model, TensorRT and the GPU
            "trt_engine_cache_path": str(folder / "tensorrt"),
            "trt_fp16_enable": "1" if precision == "fp16" else "0",
        }
    return settings

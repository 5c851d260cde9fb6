"""Exported heads run by ONNX Runtime: no torch.

The folder is what ``cospal export --onnx`` wrote: ``config.json``, the metadata of the heads;
``heads.onnx``, the graph in fp32 (those of another precision have its name before the suffix:
``heads.int8.onnx``); ``export.json``, how they compare with the checkpoint. cospal 0.1 wrote two
graphs without a batch axis, ``spatial.onnx`` and ``temporal.onnx``; they still run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.contract import HEAD_INPUTS, HEAD_OUTPUTS
from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.grounding import GroundingInputs, GroundingScores
from cospal_cli.core.reading import parse_table
from cospal_cli.devices import CUDA, unknown
from cospal_cli.devices.onnx_session import CPU, Provider, open_session
from cospal_cli.model.checkpoint import CONFIG, load_metadata
from cospal_cli.model.metadata import HeadsMetadata

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Array = NDArray[np.generic]

NAME, OLDER = "heads", ("spatial", "temporal")
PRECISIONS = ("fp32", "fp16", "int8")
# Keys of a graph's properties: what the file is, and the heads' metadata (in the format since 0.1).
ABOUT = "cospal"
METADATA = "cospal.card"
SAME = ("checkpoint_sha256", "precision", "cospal")  # what the graphs of one export share
TENSORRT = "TensorrtExecutionProvider"
PROVIDERS = {"cpu": CPU, "cuda": CUDA, "tensorrt": TENSORRT}


def graph_path(folder: Path, precision: str = "fp32", name: str = NAME) -> Path:
    """The path of the graph of ``precision``."""
    return folder / (f"{name}.onnx" if precision == "fp32" else f"{name}.{precision}.onnx")


def graphs(folder: Path, precision: str) -> tuple[Path, ...]:
    """The graph of ``precision``, or the two of cospal 0.1; none where ``folder`` lacks it."""
    for names in ((NAME,), OLDER):
        paths = tuple(graph_path(folder, precision, name) for name in names)
        if all(path.is_file() for path in paths):
            return paths
    return ()


def precisions(folder: Path) -> tuple[str, ...]:
    """Those that ``folder`` holds, the most exact first."""
    return tuple(one for one in PRECISIONS if graphs(folder, one))


def chosen(folder: Path, precision: str) -> str:
    """``precision``, or for auto the most exact there is. UsageError if ``folder`` lacks it."""
    available = precisions(folder)
    if precision == "auto" and available:
        return available[0]
    if precision not in available:
        wanted = graph_path(folder, "fp32" if precision == "auto" else precision).name
        raise UsageError(
            f"{str(folder)!r} holds no {wanted}; exported there: "
            f"{', '.join(available) or 'nothing'}",
            "write it with: cospal export --onnx --checkpoint DIR",
        )
    return precision


def property_of(session: InferenceSession, path: Path, key: str) -> str:
    """The JSON object, as text, that a graph keeps under ``key``; WeightsError without one."""
    hint = "give the files that 'cospal export --onnx' wrote"
    with errors_as(WeightsError, f"{path}: its metadata cannot be read", hint):
        properties = session.get_modelmeta().custom_metadata_map
    try:
        parse_table(properties[key])
    except (KeyError, ValueError) as error:
        raise WeightsError(
            f"{path}: expected metadata {key!r}, found {', '.join(sorted(properties)) or 'none'}",
            hint,
        ) from error
    return str(properties[key])


def read_metadata(folder: Path, precision: str = "auto") -> HeadsMetadata:
    """The metadata of the heads in ``folder``; see ``metadata_of``."""
    paths = graphs(folder, chosen(folder, precision))
    return metadata_of(folder, {path: open_session(path) for path in paths})


def metadata_of(folder: Path, sessions: Mapping[Path, InferenceSession]) -> HeadsMetadata:
    """The metadata, once all files of an export agree. WeightsError names both if they do not."""
    abouts = {path: json.loads(property_of(one, path, ABOUT)) for path, one in sessions.items()}
    by_file = {
        path: HeadsMetadata.loads(property_of(one, path, METADATA), str(path))
        for path, one in sessions.items()
    }
    if (folder / CONFIG).is_file():
        by_file[folder / CONFIG] = load_metadata(folder)
    first = next(iter(sessions))
    for path, about in abouts.items():
        for name in SAME:
            _same(name, first, abouts[first].get(name), path, about.get(name), "exports")
    for path, metadata in by_file.items():
        for name in ("sizes", "model", "temporal", "features", "vocabulary", "trained"):
            mine, theirs = getattr(by_file[first], name), getattr(metadata, name)
            _same(name, first, mine, path, theirs, "checkpoints")
    return by_file[first]


def _same(name: str, first: Path, mine: object, second: Path, theirs: object, origins: str) -> None:
    if mine != theirs:
        raise WeightsError(
            f"{name}: {first} has {mine!s:.200}, {second} has {theirs!s:.200}",
            f"they come from two {origins}; export again, and copy all files together",
        )


def open_graphs(
    folder: Path, precision: str, provider: str = "cpu", number: str = "0", threads: int = 0
) -> tuple[dict[Path, InferenceSession], HeadsMetadata]:
    """Sessions of the graphs in ``folder`` by file, and the metadata of the heads.

    WeightsError for files that ONNX Runtime does not load or that do not fit each other.
    """
    settings = _settings(provider, number, folder, precision)
    sessions = {
        path: open_session(
            path, threads, provider=Provider(PROVIDERS[provider], settings), spin=True
        )
        for path in graphs(folder, precision)
    }
    metadata = metadata_of(folder, sessions)
    inputs = dict.fromkeys(node.name for one in sessions.values() for node in one.get_inputs())
    outputs = dict.fromkeys(node.name for one in sessions.values() for node in one.get_outputs())
    if not set(inputs) <= {*HEAD_INPUTS, *HEAD_OUTPUTS} or set(outputs) != set(metadata.outputs):
        raise WeightsError(
            f"{' and '.join(map(str, sessions))}: inputs {', '.join(inputs)}; outputs "
            f"{', '.join(outputs)}; expected some of the inputs {', '.join(HEAD_INPUTS)} and the "
            f"outputs {', '.join(metadata.outputs)}",
            "export the heads again",
        )
    return sessions, metadata


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
        self.provider = PROVIDERS[name]
        sessions, self.metadata = open_graphs(path, self.precision, name, number, threads)
        self._sessions = tuple(sessions.values())

    def run(self, inputs: GroundingInputs) -> GroundingScores:
        """See ``Runtime``. WeightsError where the prediction is not finite."""
        outputs: dict[str, Array] = {}
        for session in self._sessions:
            fed = {
                node.name: feed(node.name, len(node.shape), inputs, outputs)
                for node in session.get_inputs()
            }
            names = [node.name for node in session.get_outputs()]
            with errors_as(WeightsError, "ONNX Runtime cannot run the heads", "export them again"):
                outputs |= zip(names, session.run(names, fed), strict=True)
        return scores_of(outputs)


def feed(name: str, axes: int, inputs: GroundingInputs, outputs: Mapping[str, Array]) -> Array:
    """The value of a graph's input of so many ``axes``: of the contract, with a batch axis if the
    graph has one, or one of the ``outputs`` of the graph before."""
    value: Array = np.asarray(outputs[name] if name in outputs else getattr(inputs, name))
    return np.ascontiguousarray(value[np.newaxis] if value.ndim < axes else value)


def scores_of(outputs: Mapping[str, Array]) -> GroundingScores:
    """The outputs of all graphs as scores; WeightsError where they are not finite."""
    found = {name: outputs[name] for name in HEAD_OUTPUTS if name in outputs}
    if not all(np.isfinite(rows).all() for rows in found.values()):
        raise WeightsError(
            "the heads' prediction is not finite",
            "give --precision fp32, or export again",
        )
    values = {}
    for name, rows in found.items():
        field = HEAD_OUTPUTS[name]
        axes = len(field.axes) + (field.width is not None)
        values[name] = rows.reshape(rows.shape[-axes:]).astype(np.float32)
    return GroundingScores(**values)


def input_shapes(session: InferenceSession) -> dict[str, Sequence[str | int]]:
    """The inputs of a graph: of each the names of its open axes and the lengths of the others."""
    return {node.name: node.shape for node in session.get_inputs()}


def _place(device: str, provider: str) -> tuple[str, str]:
    """(provider, number of the GPU) that both settings mean."""
    kind, _, number = device.partition(":")
    if kind not in ("auto", "cpu", "cuda") or (number and not number.isdigit()):
        raise unknown(device)
    if provider == "auto":
        provider = "cuda" if kind == "cuda" else "cpu"
    if provider not in PROVIDERS:
        raise UsageError(f"unknown provider {provider!r}", f"known: auto, {', '.join(PROVIDERS)}")
    if kind == "cpu" and provider != "cpu":
        raise UsageError(
            f"--provider {provider} does not run on --device {device}", "give only one of the two"
        )
    return provider, number or "0"


def _settings(name: str, number: str, folder: Path, precision: str) -> dict[str, str]:
    """The options of a provider, for ONNX Runtime."""
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

"""TensorRT engines of exported heads: built from their ONNX graphs, kept beside them, never used
on another machine.

An engine belongs to one GPU, driver and TensorRT; its file name holds a key of all of that and of
the graph, so that one that does not fit is not found, and another is built. Written against
TensorRT 10 and 11; nothing here imports it before it is needed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Protocol

from cospal_cli.backbones.record import sha256
from cospal_cli.core.contract import AXES
from cospal_cli.core.errors import DeviceError, WeightsError
from cospal_cli.core.files import alone, replacing
from cospal_cli.core.registry import require

FOLDER = "tensorrt"  # beside the graphs
# Least, usual and most of each axis: an engine takes all between, and is fastest at the usual.
PROFILE = {name: axis.profile for name, axis in AXES.items()}
WORKSPACE = 1 << 30  # bytes that TensorRT may use while it tries kernels

Shapes = Mapping[str, Sequence[str | int]]  # of a graph's inputs: see ``onnx.input_shapes``


class ExecutionContext(Protocol):
    """What runs an engine."""

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        """Say how large an input is; whether the engine takes that."""
        ...

    def set_tensor_address(self, name: str, address: int) -> bool:
        """Say where an input or output lies on the GPU; whether that can be."""
        ...

    def get_tensor_shape(self, name: str) -> Sequence[int]:
        """How large an output is, once the inputs have shapes."""
        ...

    def execute_async_v3(self, stream: int) -> bool:
        """Run on a CUDA stream; whether it could begin."""
        ...


class Engine(Protocol):
    """TensorRT's engine, as far as it is used here."""

    num_io_tensors: int

    def get_tensor_name(self, index: int) -> str:
        """The name of an input or output, by its number from 0."""
        ...

    def create_execution_context(self) -> ExecutionContext:
        """A new context, with memory of its own."""
        ...


@dataclass(frozen=True)
class Machine:
    """What an engine is built for."""

    tensorrt: str
    gpu: str  # its name and compute capability
    driver: str


def library() -> ModuleType:
    """TensorRT; UsageError where it is not installed."""
    return require("tensorrt", "tensorrt")


def machine(trt: ModuleType) -> Machine:
    """This machine; DeviceError without a GPU."""
    torch = require("torch", "torch")
    if not torch.cuda.is_available():
        raise DeviceError(
            f"TensorRT {trt.__version__} is installed, but torch {torch.__version__} finds no GPU",
            "leave --runtime out; 'cospal doctor' shows what works",
        )
    gpu_properties = torch.cuda.get_device_properties(torch.cuda.current_device())
    gpu = f"{gpu_properties.name} sm{gpu_properties.major}{gpu_properties.minor}"
    return Machine(str(trt.__version__), gpu, _driver())


def key(graph: Path, here: Machine, precision: str) -> str:
    """The key of an engine, 16 hexadecimal digits."""
    content = {
        "graph": sha256(graph),
        "tensorrt": here.tensorrt,
        "gpu": here.gpu,
        "driver": here.driver,
        "profile": PROFILE,
        "precision": precision,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def engine(graph: Path, shapes: Shapes, precision: str) -> tuple[Engine, bool]:
    """The engine of the ONNX file ``graph`` for this machine, and whether it existed already.

    ``graph`` was read by ONNX Runtime before, which refuses one with weights elsewhere; ``shapes``
    are those of its inputs. A stale or damaged engine is built anew. Raises UsageError without
    TensorRT, DeviceError without a GPU, WeightsError for a graph that TensorRT cannot build.
    """
    trt = library()
    here = machine(trt)
    folder = graph.parent / FOLDER
    folder.mkdir(exist_ok=True)
    target = folder / f"{graph.stem}-{key(graph, here, precision)}.engine"
    logger = trt.Logger(trt.Logger.ERROR)
    with alone(folder):
        if target.is_file():
            loaded = trt.Runtime(logger).deserialize_cuda_engine(target.read_bytes())
            if loaded is not None:
                return loaded, True
        plan = build(trt, graph, shapes, precision, logger)
        forget(graph)
        with replacing(target) as part:
            part.write_bytes(plan)
    loaded = trt.Runtime(logger).deserialize_cuda_engine(plan)
    if loaded is None:
        raise WeightsError(
            f"{target}: TensorRT {here.tensorrt} does not load the engine that it built"
        )
    return loaded, False


def forget(graph: Path) -> None:
    """Remove the engines of ``graph``."""
    for old in (graph.parent / FOLDER).glob(f"{graph.stem}-*.engine"):
        old.unlink()


def build(trt: ModuleType, graph: Path, shapes: Shapes, precision: str, logger: object) -> bytes:
    """The serialised engine of ``graph``. WeightsError names what TensorRT cannot do.

    TensorRT 11 has strongly typed networks only: a graph's own types say what works in which
    precision. 10 gets the same, since the fp16 graphs are typed where it matters.
    """
    builder = trt.Builder(logger)
    network = builder.create_network(_flags(trt))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(graph.read_bytes()):
        errors = "; ".join(str(parser.get_error(at)) for at in range(parser.num_errors))
        raise WeightsError(
            f"{graph}: TensorRT {trt.__version__} cannot read it: {errors:.300}",
            "use --runtime onnx",
        )
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, WORKSPACE)
    exact = getattr(trt.BuilderFlag, "TF32", None)
    if exact is not None:  # products of ten bits: too few for fp32
        config.clear_flag(exact)
    profile = builder.create_optimization_profile()
    for at in range(network.num_inputs):
        name = network.get_input(at).name
        profile.set_shape(name, *(filled(shapes[name], which) for which in range(3)))
    config.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise WeightsError(
            f"{graph}: TensorRT {trt.__version__} could not build an engine in {precision}",
            "-v shows its log; --runtime onnx runs the graph",
        )
    return bytes(plan)


def filled(shape: Sequence[str | int], which: int) -> tuple[int, ...]:
    """``shape`` with the open axes as the profile has them: least (0), usual (1) or most (2)."""
    return tuple(PROFILE[side][which] if isinstance(side, str) else side for side in shape)


def _flags(trt: ModuleType) -> int:
    """What a network is created with: TensorRT 11 knows strongly typed ones only."""
    flags = trt.NetworkDefinitionCreationFlag
    strongly = getattr(flags, "STRONGLY_TYPED", None)
    return 0 if strongly is None else 1 << int(strongly)


def _driver() -> str:
    """The version of NVIDIA's driver; "" where it cannot be read."""
    try:
        text = Path("/proc/driver/nvidia/version").read_text(encoding="utf-8")
    except OSError:
        return ""
    words = text.split("Module")[-1].split() if "Module" in text else text.split()
    return next((word for word in words if word[:1].isdigit()), "")

"""TensorRT engines of exported heads: built from their ONNX graphs, kept beside them, never trusted
on another machine.

An engine is of one GPU, driver and TensorRT; its file's name holds a key of all of that and of the
graph, so an engine that does not fit is not found, and built anew. Written against TensorRT 10 and
11; nothing here imports it before it is needed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cospal_cli.backbones.record import sha256
from cospal_cli.core.errors import DeviceError, WeightsError
from cospal_cli.core.files import alone, replacing
from cospal_cli.core.registry import require
from cospal_cli.runtime.onnx import ABOUT
from cospal_cli.runtime.onnx_file import describe, metadata

FOLDER = "tensorrt"  # beside the graphs
# Least, usual and most of each axis: an engine takes all between, and is fastest at the usual.
PROFILE = {"K": (1, 10, 64), "T": (1, 32, 64), "C": (1, 200, 512), "N": (1, 12, 64)}
WORKSPACE = 1 << 30  # bytes that TensorRT may use while it tries kernels


@dataclass(frozen=True)
class Machine:
    """What an engine is built for."""

    tensorrt: str
    gpu: str  # its name and compute capability
    driver: str


def library() -> Any:
    """TensorRT; UsageError where it is not installed."""
    return require("tensorrt", "tensorrt")


def machine(trt: Any) -> Machine:
    """This machine; DeviceError without a GPU."""
    torch: Any = require("torch", "torch")
    if not torch.cuda.is_available():
        raise DeviceError(
            f"TensorRT {trt.__version__} is here, but torch {torch.__version__} finds no GPU",
            "leave --runtime out; 'cospal doctor' shows what is here",
        )
    place = torch.cuda.get_device_properties(torch.cuda.current_device())
    gpu = f"{place.name} sm{place.major}{place.minor}"
    return Machine(str(trt.__version__), gpu, _driver())


def key(graph: Path, here: Machine, precision: str) -> str:
    """What tells engines apart, in 16 hexadecimal digits."""
    told = {
        "graph": sha256(graph),
        "tensorrt": here.tensorrt,
        "gpu": here.gpu,
        "driver": here.driver,
        "profile": PROFILE,
        "precision": precision,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def engine(graph: Path, precision: str) -> tuple[Any, bool]:
    """The engine of the ONNX file ``graph`` for this machine, and whether it was there already.

    A stale or damaged one is built anew. Raises UsageError without TensorRT, DeviceError without a
    GPU, WeightsError for a graph that TensorRT cannot build.
    """
    trt = library()
    here = machine(trt)
    describe(graph)  # whole, and with nothing outside its folder
    folder = graph.parent / FOLDER
    folder.mkdir(exist_ok=True)
    target = folder / f"{graph.stem}-{key(graph, here, precision)}.engine"
    logger = trt.Logger(trt.Logger.ERROR)
    with alone(folder):
        if target.is_file():
            found = trt.Runtime(logger).deserialize_cuda_engine(target.read_bytes())
            if found is not None:
                return found, True
        plan = build(trt, graph, precision, logger)
        forget(graph)
        with replacing(target) as part:
            part.write_bytes(plan)
    found = trt.Runtime(logger).deserialize_cuda_engine(plan)
    if found is None:
        raise WeightsError(f"{target}: TensorRT {here.tensorrt} does not load what it has built")
    return found, False


def forget(graph: Path) -> None:
    """Remove the engines of ``graph``."""
    for old in (graph.parent / FOLDER).glob(f"{graph.stem}-*.engine"):
        old.unlink()


def build(trt: Any, graph: Path, precision: str, logger: Any) -> bytes:
    """The serialised engine of ``graph``. WeightsError names what TensorRT cannot do.

    TensorRT 11 has strongly typed networks only: a graph's own types say what works in which
    precision. 10 gets the same, since the fp16 graphs are typed where it matters.
    """
    builder = trt.Builder(logger)
    network = builder.create_network(_flags(trt))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(graph.read_bytes()):
        told = "; ".join(str(parser.get_error(at)) for at in range(parser.num_errors))
        raise WeightsError(
            f"{graph}: TensorRT {trt.__version__} cannot read it: {told:.300}",
            "--runtime onnx runs it",
        )
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, WORKSPACE)
    exact = getattr(trt.BuilderFlag, "TF32", None)
    if exact is not None:  # products of ten bits: too few for fp32
        config.clear_flag(exact)
    profile = builder.create_optimization_profile()
    axes = axes_of(graph)
    for at in range(network.num_inputs):
        value = network.get_input(at)
        shape = tuple(value.shape)
        bounds = [_filled(shape, axes[value.name], which) for which in range(3)]
        profile.set_shape(value.name, *bounds)
    config.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise WeightsError(
            f"{graph}: TensorRT {trt.__version__} could not build an engine in {precision}",
            "-v shows its log; --runtime onnx runs the graph",
        )
    return bytes(plan)


def axes_of(graph: Path) -> dict[str, tuple[str, ...]]:
    """The names of the axes of a graph's inputs, by input; those of fixed length are not among
    them: they follow, see ``widths_of``."""
    return {name: tuple(sides["axes"]) for name, sides in _inputs(graph).items()}


def widths_of(graph: Path) -> dict[str, tuple[int, ...]]:
    """The lengths of the axes behind the named ones."""
    return {name: tuple(sides["widths"]) for name, sides in _inputs(graph).items()}


def _inputs(graph: Path) -> dict[str, dict[str, Any]]:
    found = metadata(graph, ABOUT).get("inputs")
    if not isinstance(found, dict):
        raise WeightsError(f"{graph}: names no inputs", "export the heads again")
    return found


def _filled(shape: tuple[int, ...], axes: tuple[str, ...], which: int) -> tuple[int, ...]:
    """``shape`` with the first axes as the profile has them: least, usual or most."""
    return tuple(PROFILE[name][which] for name in axes) + shape[len(axes) :]


def _flags(trt: Any) -> int:
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

"""TensorRT as far as cospal uses it: versions 10 and 11. ``engines`` run the ONNX file on the CPU.

GPU memory is the CPU's: ``FakeTorch`` gives addresses of arrays, which the fake context reads.
"""

from __future__ import annotations

import ctypes
import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime

MAGIC = b"FAKE-ENGINE"


class Flag:
    """A member of an enumeration."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __int__(self) -> int:
        return self.value


class FakeTensorRT:
    """The module. ``log`` tells what was asked of it; ``refuse``: the parser reads nothing."""

    def __init__(self, version: str = "10.9.0", refuse: bool = False) -> None:
        self.__version__ = version
        self.log: list[Any] = []
        self.refuse = refuse
        self.MemoryPoolType = SimpleNamespace(WORKSPACE="workspace")
        self.BuilderFlag = SimpleNamespace(TF32="tf32")
        # 11 has strongly typed networks only, and no flag for them.
        flags = {"STRONGLY_TYPED": Flag(1)} if version.startswith("10") else {}
        self.NetworkDefinitionCreationFlag = SimpleNamespace(**flags)

    class Logger:
        ERROR = 1

        def __init__(self, level: int) -> None:
            self.level = level

    def Builder(self, logger: Any) -> Any:
        return _Builder(self)

    def OnnxParser(self, network: Any, logger: Any) -> Any:
        return _Parser(self, network)

    def Runtime(self, logger: Any) -> Any:
        return SimpleNamespace(deserialize_cuda_engine=self._load)

    def _load(self, plan: bytes) -> Any:
        head = f"{self.__version__}\n".encode()
        if not plan.startswith(MAGIC + head):
            return None
        told, _, graph = plan.removeprefix(MAGIC + head).partition(b"\n")
        self.log.append("load")
        return _Engine(self, json.loads(told), graph)


class _Builder:
    def __init__(self, trt: FakeTensorRT) -> None:
        self.trt = trt

    def create_network(self, flags: int) -> Any:
        self.trt.log.append(("network", flags))
        return SimpleNamespace(graph=b"", num_inputs=0, get_input=None)

    def create_builder_config(self) -> Any:
        profiles: list[Any] = []
        return SimpleNamespace(
            set_memory_pool_limit=lambda pool, size: None,
            clear_flag=lambda flag: self.trt.log.append(("clear", flag)),
            add_optimization_profile=profiles.append,
            profiles=profiles,
        )

    def create_optimization_profile(self) -> Any:
        shapes: dict[str, Any] = {}

        def set_shape(name: str, *bounds: Any) -> None:
            assert len(bounds) == 3
            assert all(a <= b <= c for a, b, c in zip(*bounds, strict=True))
            shapes[name] = bounds

        return SimpleNamespace(set_shape=set_shape, shapes=shapes)

    def build_serialized_network(self, network: Any, config: Any) -> Any:
        (profile,) = config.profiles
        self.trt.log.append("build")
        told = json.dumps(profile.shapes).encode()
        head = f"{self.trt.__version__}\n".encode()
        return MAGIC + head + told + b"\n" + network.graph


class _Parser:
    def __init__(self, trt: FakeTensorRT, network: Any) -> None:
        self.trt, self.network, self.num_errors = trt, network, 0

    def parse(self, graph: bytes) -> bool:
        if self.trt.refuse:
            self.num_errors = 1
            return False
        values = onnx.load_from_string(graph).graph.input
        shapes = [
            SimpleNamespace(
                name=one.name,
                shape=tuple(side.dim_value or -1 for side in one.type.tensor_type.shape.dim),
            )
            for one in values
        ]
        self.network.graph, self.network.num_inputs = graph, len(shapes)
        self.network.get_input = lambda at: shapes[at]
        return True

    def get_error(self, at: int) -> str:
        return "no kernel for Whatever"


class _Engine:
    def __init__(self, trt: FakeTensorRT, shapes: dict[str, Any], graph: bytes) -> None:
        self.trt, self.shapes = trt, shapes
        self.session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        self.inputs = [one.name for one in self.session.get_inputs()]
        self.names = self.inputs + [one.name for one in self.session.get_outputs()]
        self.num_io_tensors = len(self.names)

    def get_tensor_name(self, at: int) -> str:
        return self.names[at]

    def create_execution_context(self) -> Any:
        return _Context(self)


class _Context:
    def __init__(self, engine: _Engine) -> None:
        self.engine = engine
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.places: dict[str, int] = {}

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        least, _, most = self.engine.shapes[name]
        self.shapes[name] = shape
        return all(a <= b <= c for a, b, c in zip(least, shape, most, strict=True))

    def set_tensor_address(self, name: str, place: int) -> None:
        self.places[name] = place

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        session = self.engine.session
        known = {one.name: one.shape for one in session.get_outputs()}[name]
        given = {one.name: one.shape for one in session.get_inputs() if one.name in self.shapes}
        lengths = {
            side: length
            for one, sides in given.items()
            for side, length in zip(sides, self.shapes[one], strict=True)
        }
        return tuple(lengths[side] if isinstance(side, str) else side for side in known)

    def execute_async_v3(self, stream: int) -> bool:
        kinds = {"tensor(float)": np.float32, "tensor(bool)": np.bool_, "tensor(int64)": np.int64}
        known = {}
        for one in self.engine.session.get_inputs():
            known[one.name] = self._at(one.name, self.shapes[one.name], kinds[one.type]).copy()
        outputs = [one.name for one in self.engine.session.get_outputs()]
        for name, value in zip(outputs, self.engine.session.run(outputs, known), strict=True):
            self._at(name, value.shape, np.float32)[...] = value
        return True

    def _at(self, name: str, shape: tuple[int, ...], kind: Any) -> np.ndarray:
        count = int(np.prod(shape)) * np.dtype(kind).itemsize
        raw = (ctypes.c_byte * count).from_address(self.places[name])
        return np.frombuffer(raw, kind).reshape(shape)


class _Array:
    """A torch tensor as far as addresses go."""

    def __init__(self, values: np.ndarray) -> None:
        self.values, self.shape = values, values.shape

    def cuda(self) -> _Array:
        return self

    def cpu(self) -> _Array:
        return self

    def numpy(self) -> np.ndarray:
        return self.values

    def data_ptr(self) -> int:
        return int(self.values.ctypes.data)


class FakeTorch:
    """torch with one GPU, whose memory is the CPU's."""

    __version__ = "2.13.0"
    float32 = np.float32

    def __init__(self, gpu: str | None = "NVIDIA Test") -> None:
        place = SimpleNamespace(name=gpu, major=9, minor=0)
        stream = SimpleNamespace(cuda_stream=0, synchronize=lambda: None)
        self.cuda = SimpleNamespace(
            is_available=lambda: gpu is not None,
            current_device=lambda: 0,
            get_device_properties=lambda number: place,
            current_stream=lambda: stream,
            device=lambda number: nullcontext(),
        )

    @staticmethod
    def from_numpy(values: np.ndarray) -> _Array:
        return _Array(values)

    @staticmethod
    def empty(shape: tuple[int, ...], dtype: Any, device: str) -> _Array:
        return _Array(np.empty(shape, dtype))


def engines_in(folder: Path) -> list[str]:
    """The names of the engines kept beside exported heads."""
    return sorted(path.name for path in (folder / "tensorrt").glob("*.engine"))

"""Exported heads run by TensorRT on an NVIDIA GPU; the engines are built when they are not there.

Needs TensorRT, and torch for the memory of the GPU.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.errors import DeviceError, UsageError
from cospal_cli.core.registry import require
from cospal_cli.core.types import GroundingInputs, GroundingScores
from cospal_cli.runtime import engines
from cospal_cli.runtime.onnx import PARTS, answer, chosen, feed, graph_path, read_card


class TensorRTRuntime:
    """See ``Runtime``."""

    def __init__(self, path: Path, device: str = "auto", precision: str = "auto") -> None:
        """The graphs in the folder ``path``, each as an engine for this GPU.

        Raises UsageError without TensorRT, for int8 or missing files, DeviceError without a GPU,
        WeightsError for files that do not fit each other.
        """
        if device == "cpu":
            raise UsageError(
                "--runtime tensorrt does not run on --device cpu", "give --device cuda"
            )
        self.precision = chosen(path, precision)
        if self.precision == "int8":
            raise UsageError(
                "int8 graphs are for processors", "give --precision fp16, or --runtime onnx"
            )
        self.card = read_card(path, self.precision)
        engines.machine(engines.library())
        self._torch: Any = require("torch", "torch")
        self.cached = True  # whether no engine had to be built
        self._parts = {}
        with self._on(device):
            for part in PARTS:
                engine, cached = engines.engine(
                    graph_path(path, part, self.precision), self.precision
                )
                self.cached &= cached
                self._parts[part] = (engine, engine.create_execution_context())
        self._device = device

    def run(self, inputs: GroundingInputs) -> GroundingScores:
        """See ``Runtime``. UsageError for more of something than the engines take, WeightsError
        where the answer is not finite."""
        found: dict[str, NDArray[Any]] = {}
        with self._on(self._device):
            for engine, context in self._parts.values():
                found |= self._execute(engine, context, inputs, found)
        return answer(found)

    def _execute(
        self, engine: Any, context: Any, inputs: GroundingInputs, found: dict[str, NDArray[Any]]
    ) -> dict[str, NDArray[Any]]:
        torch, trt = self._torch, engines.library()
        names = [engine.get_tensor_name(at) for at in range(engine.num_io_tensors)]
        held, outputs = [], {}
        for name in names:
            if engine.get_tensor_mode(name) != trt.TensorIOMode.INPUT:
                continue
            value = torch.from_numpy(feed(name, inputs, found)).cuda()
            held.append(value)  # the GPU reads it until the end of the run
            if not context.set_input_shape(name, tuple(value.shape)):
                raise UsageError(
                    f"{name}: {tuple(value.shape)} is more than the engine takes: "
                    f"{engines.PROFILE}",
                    "--runtime onnx takes any length",
                )
            context.set_tensor_address(name, value.data_ptr())
        for name in names:
            if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT:
                continue
            shape = tuple(context.get_tensor_shape(name))
            outputs[name] = torch.empty(shape, dtype=torch.float32, device="cuda")
            context.set_tensor_address(name, outputs[name].data_ptr())
        stream = torch.cuda.current_stream()
        if not context.execute_async_v3(stream.cuda_stream):
            raise DeviceError("TensorRT could not run the heads", "-v shows its log")
        stream.synchronize()
        return {name: np.asarray(value.cpu().numpy()) for name, value in outputs.items()}

    def _on(self, device: str) -> Any:
        """The context in which CUDA's calls are those of ``device``."""
        number = int(device.partition(":")[2] or 0)
        return self._torch.cuda.device(number)

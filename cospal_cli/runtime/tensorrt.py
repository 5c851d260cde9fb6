"""Exported heads run by TensorRT on an NVIDIA GPU; missing engines are built.

Needs TensorRT, and torch for the memory of the GPU.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np

from cospal_cli.core.errors import DeviceError, UsageError
from cospal_cli.core.grounding import GroundingInputs, GroundingScores
from cospal_cli.core.registry import require
from cospal_cli.runtime import engines
from cospal_cli.runtime.onnx import Array, chosen, feed, input_shapes, open_graphs, scores_of


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
                "int8 graphs run on CPUs only", "give --precision fp16, or --runtime onnx"
            )
        engines.machine(engines.library())
        sessions, self.metadata = open_graphs(path, self.precision)
        self._torch = require("torch", "torch")
        self._device = device
        self.cached = True  # whether no engine had to be built
        self._parts: list[tuple[engines.Shapes, engines.Engine, engines.ExecutionContext]] = []
        with self._on(device):
            for graph, session in sessions.items():
                shapes = input_shapes(session)
                engine, cached = engines.engine(graph, shapes, self.precision)
                self.cached &= cached
                self._parts.append((shapes, engine, engine.create_execution_context()))

    def run(self, inputs: GroundingInputs) -> GroundingScores:
        """See ``Runtime``. UsageError for inputs longer than the engines take, WeightsError
        where the prediction is not finite."""
        outputs: dict[str, Array] = {}
        with self._on(self._device):
            for shapes, engine, context in self._parts:
                fed = {name: feed(name, len(one), inputs, outputs) for name, one in shapes.items()}
                outputs |= self._execute(engine, context, fed)
        return scores_of(outputs)

    def _execute(
        self, engine: engines.Engine, context: engines.ExecutionContext, inputs: dict[str, Array]
    ) -> dict[str, Array]:
        """The outputs of an engine for its ``inputs``, both by name."""
        torch = self._torch
        on_gpu, outputs = [], {}
        for name, rows in inputs.items():
            value = torch.from_numpy(rows).cuda()
            on_gpu.append(value)  # the GPU reads it until the end of the run
            if not context.set_input_shape(name, tuple(value.shape)):
                raise UsageError(
                    f"{name}: {tuple(value.shape)} is more than the engine takes: "
                    f"{engines.PROFILE}",
                    "--runtime onnx takes any length",
                )
            context.set_tensor_address(name, value.data_ptr())
        names = [engine.get_tensor_name(at) for at in range(engine.num_io_tensors)]
        for name in [one for one in names if one not in inputs]:
            shape = tuple(context.get_tensor_shape(name))
            outputs[name] = torch.empty(shape, dtype=torch.float32, device="cuda")
            context.set_tensor_address(name, outputs[name].data_ptr())
        stream = torch.cuda.current_stream()
        if not context.execute_async_v3(stream.cuda_stream):
            raise DeviceError("TensorRT could not run the heads", "-v shows its log")
        stream.synchronize()
        return {name: np.asarray(value.cpu().numpy()) for name, value in outputs.items()}

    def _on(self, device: str) -> AbstractContextManager[object]:
        """The context in which CUDA's calls are those of ``device``."""
        number = int(device.partition(":")[2] or 0)
        place: AbstractContextManager[object] = self._torch.cuda.device(number)
        return place

"""ONNX Runtime sessions, the way every model opens one: on the CPU, unless another provider is
given.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from cospal_cli.core.errors import DeviceError, WeightsError
from cospal_cli.core.foreign import errors_as
from cospal_cli.devices import CPU, installed, processors, trying

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_NOISE = (  # in messages of the runtime: its name, what was being done, a place in its own source
    r"^\[ONNXRuntimeError\] : \d+ : \w+ : ",
    r"Load model from .* failed: ?",
    r"This is an invalid model\. In Node, .* , Error ",
    r"External data path validation failed for initializer: \S+ Error: ",
    r"\S+\.(h|cc):\d+ (\S+ |.*?\) )(?=[A-Z])",
)
FATAL = 4  # the runtime's own log level; every failure also raises, so nothing is lost


class Provider(NamedTuple):
    """What runs a session: an execution provider of ONNX Runtime, and its settings."""

    name: str
    settings: Mapping[str, str] = MappingProxyType({})


ON_CPU = Provider(CPU)


def open_session(
    path: Path,
    threads: int = 0,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    lean: bool = False,
    inner: Sequence[str] = (),
    provider: Provider = ON_CPU,
    spin: bool = False,
) -> InferenceSession:
    """A session of the model at ``path`` on ``threads`` threads (0: every processor).

    ``inputs`` and ``outputs`` are names that the caller will use. ``lean`` leaves constants packed
    and frees every buffer after a run: for a few runs of a large model. ``inner`` are names of
    tensors within the graph that become outputs too. ``provider`` runs it; what it lacks runs on
    the CPU. ``spin``: threads wait busily within a run, which is quicker if nothing else goes on
    meanwhile. Raises WeightsError on a file that does not load or lacks a
    name, DeviceError if it does not run on that provider.
    """
    import onnxruntime

    onnxruntime.set_default_logger_severity(FATAL)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = FATAL
    options.intra_op_num_threads = threads or processors()
    options.inter_op_num_threads = 1
    # Threads that spin while they wait take the processors from decoding and tracking.
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spin)))
    options.add_session_config_entry("session.force_spinning_stop", "1")  # with the run's end
    # Planned buffers are kept for every input shape; without them the peak is 16 MB lower.
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = not lean
    unfolded = {"disabled_optimizers": ["ConstantFolding"]} if lean else {}
    about = f"{path}: not a model that ONNX Runtime {onnxruntime.__version__} can load"
    hint = "check that the file is whole and was made for this version of cospal"
    with errors_as(WeightsError, about, hint):
        model = path.read_bytes() + more_outputs(inner) if inner else os.fspath(path)
        wanted = [CPU] if provider.name == CPU else [(provider.name, dict(provider.settings)), CPU]
        with trying(gpu=provider.name != CPU):
            try:
                session = onnxruntime.InferenceSession(model, options, wanted, **unfolded)
            except Exception as error:
                raise RuntimeError(plain(str(error))) from error
    providers = session.get_providers()
    if providers[0] != provider.name:
        raise DeviceError(
            f"{path}: requested {provider.name}, but it runs on {', '.join(providers)} "
            f"({', '.join(installed())})",
            "'cospal doctor' shows which providers a session gets here",
        )
    with errors_as(WeightsError, f"{path}: the names of its inputs and outputs", hint):
        into = [node.name for node in session.get_inputs()]
        out_of = [node.name for node in session.get_outputs()]
    _expect_names(path, "inputs", inputs, into)
    _expect_names(path, "outputs", outputs, out_of)
    return session


def plain(message: str) -> str:
    """ONNX Runtime's message for an error, without ``_NOISE``."""
    if opsets := re.search(r"Opset (\d+) is under development.* till opset (\d+)", message, re.S):
        return f"its opset is {opsets[1]}, this version supports up to {opsets[2]}"
    for noise in _NOISE:
        message = re.sub(noise, "", message)
    return message


def more_outputs(tensors: Sequence[str]) -> bytes:
    """What to append to a serialised model so that these tensors of its graph are outputs too.

    Serialised messages merge when they are joined, and lists (a graph's outputs) grow; the runtime
    infers the types.
    """

    def field(number: int, content: bytes) -> bytes:
        tag, size = number << 3 | 2, len(content)  # 2: preceded by its length, 7 bits a byte
        digits = [size >> shift & 127 for shift in range(0, max(size.bit_length(), 1), 7)]
        length = [digit | 128 for digit in digits[:-1]] + digits[-1:]
        return bytes([tag, *length]) + content

    # ModelProto.graph, GraphProto.output, ValueInfoProto.name
    return field(7, b"".join(field(12, field(1, name.encode())) for name in tensors))


def _expect_names(path: Path, kind: str, wanted: Sequence[str], present: Sequence[str]) -> None:
    if not set(wanted) <= set(present):
        raise WeightsError(
            f"{path}: expected the {kind} {', '.join(wanted)}, found {', '.join(present)}",
            "the file is a model of another kind or version",
        )

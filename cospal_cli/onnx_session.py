"""ONNX Runtime sessions on the CPU, the way every embedded model opens one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.devices import processors
from cospal_cli.errors import DeviceError, WeightsError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

CPU = "CPUExecutionProvider"
FATAL = 4  # the runtime's own log level; every failure also raises, so nothing is lost


def open_session(
    path: Path,
    threads: int = 0,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    lean: bool = False,
) -> InferenceSession:
    """A session of the model at ``path`` on ``threads`` threads (0: every processor).

    ``inputs`` and ``outputs`` are names that the caller will use. ``lean`` leaves constants packed
    and frees every buffer after a run: for a few runs of a large model. Raises WeightsError on a
    file that does not load or lacks a name, DeviceError if it does not run where it was told to.
    """
    import onnxruntime

    onnxruntime.set_default_logger_severity(FATAL)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = FATAL
    options.intra_op_num_threads = threads or processors()
    options.inter_op_num_threads = 1
    # Threads that spin while they wait take the processors from decoding and tracking.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Planned buffers are kept for every input shape; without them the peak is 16 MB lower.
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = not lean
    unfolded = {"disabled_optimizers": ["ConstantFolding"]} if lean else {}
    try:
        session = onnxruntime.InferenceSession(os.fspath(path), options, [CPU], **unfolded)
    except Exception as error:  # the runtime's errors share no base class
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(
            f"{path}: not a model that ONNX Runtime {onnxruntime.__version__} can load: {reason}",
            "check that the file is whole and was made for this version of cospal",
        ) from error
    if session.get_providers() != [CPU]:
        raise DeviceError(f"{path}: asked for {CPU}, runs on {session.get_providers()}")
    _expect_names(path, "inputs", inputs, [node.name for node in session.get_inputs()])
    _expect_names(path, "outputs", outputs, [node.name for node in session.get_outputs()])
    return session


def _expect_names(path: Path, kind: str, wanted: Sequence[str], found: Sequence[str]) -> None:
    if not set(wanted) <= set(found):
        raise WeightsError(
            f"{path}: expected the {kind} {', '.join(wanted)}, found {', '.join(found)}",
            "the file is a model of another kind or version",
        )

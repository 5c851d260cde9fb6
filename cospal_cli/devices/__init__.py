"""What there is to run on: processors, and the devices that ONNX Runtime really gets.

Its list of providers promises more than a session has.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from io import StringIO

from cospal_cli.core.errors import DeviceError, UsageError

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
# A model of one Identity node, float (1) to float (1), opset 13: enough to open a session with.
_PROBE = bytes.fromhex(
    "080812003a370a100a017812017922084964656e746974791201705a0f0a0178120a0a08080112040a020801"
    "620f0a0179120a0a08080112040a02080142040a00100d"
)
_RUNTIMES = ("onnxruntime-gpu", "onnxruntime")


_share = 1  # processes like this one among which the processors are divided


def processors() -> int:
    """How many processors this process may use: its affinity where the system reports it, and of
    these its share (see ``use_share``)."""
    if hasattr(os, "sched_getaffinity"):
        every = len(os.sched_getaffinity(0))
    else:
        every = os.cpu_count() or 1
    return max(1, every // _share)


def use_share(processes: int) -> None:
    """Leave the processors to ``processes`` processes alike, of which this is one."""
    global _share
    _share = processes


def check(device: str) -> None:
    """Accept ``auto`` and ``cpu``; DeviceError for CUDA, UsageError for anything else.

    The embedded models run on the CPU. For CUDA the error says what a session here would get.
    """
    if device in ("auto", "cpu"):
        return
    if not re.fullmatch(r"cuda(:\d+)?", device):
        raise unknown(device)
    providers = session_providers([CUDA])
    if CUDA in providers:
        raise DeviceError(
            f"device {device!r}: CUDA works here, but the embedded models run on the CPU only",
            "leave --device out, or give --device cpu",
        )
    raise DeviceError(
        f"device {device!r}: a session that requests CUDA gets {', '.join(providers)} "
        f"({', '.join(installed())})",
        "leave --device out; 'cospal doctor' shows what is installed",
    )


def unknown(device: str) -> UsageError:
    """The error for a device of no known name."""
    return UsageError(f"unknown device {device!r}", "known: auto, cpu, cuda, cuda:N")


def session_providers(wanted: Sequence[str]) -> list[str]:
    """The providers of a real session that requested ``wanted``, best first."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)
    with trying(gpu=any(one != CPU for one in wanted)):
        session = onnxruntime.InferenceSession(_PROBE, providers=list(wanted))
    return list(session.get_providers())


@contextmanager
def trying(gpu: bool) -> Iterator[None]:
    """Around the opening of a session, with what a ``gpu`` needs loaded before.

    The runtime prints its own account of a provider that fails, which is kept from stdout. That is
    the whole process's, so a session on the CPU, which a thread may open, leaves it alone.
    """
    import onnxruntime

    if not gpu:
        yield
        return
    with redirect_stdout(StringIO()):
        if hasattr(onnxruntime, "preload_dlls"):
            onnxruntime.preload_dlls()  # CUDA and cuDNN may lie in site-packages
        yield


def compiled_providers() -> list[str]:
    """The providers this ONNX Runtime was built with, whether or not they work here."""
    import onnxruntime

    return list(onnxruntime.get_available_providers())


def installed() -> list[str]:
    """The ONNX Runtime distributions found, such as ``onnxruntime-gpu 1.31.1``."""
    from importlib.metadata import PackageNotFoundError, version

    names = []
    for name in _RUNTIMES:
        with suppress(PackageNotFoundError):
            names.append(f"{name} {version(name)}")
    return names

"""A limit on this process's memory (``ulimit -v``), checked before it is reached.

Libraries answer the lack of memory with errors, which become exit code 6; but OpenBLAS, which NumPy
multiplies with, ends the process with code 1. So too low a limit is refused before NumPy is
imported, and under any other OpenBLAS gets its buffers while there is room.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from threading import Barrier, BrokenBarrierError, Thread

from cospal_cli.core.errors import DeviceError
from cospal_cli.devices import processors

# Addresses, not bytes in use. Less is never enough; how much is depends on the video.
_BASE_MB, _THREAD_MB = 380, 10
_BUFFERS = 2  # of OpenBLAS: the threads that may multiply at one time
_SIDE = 700  # of matrices that take some milliseconds to multiply


def check_room() -> None:
    """DeviceError where this process is not allowed the memory that any video takes.

    Nothing where there is no limit, as usual.
    """
    limit = _limit_mb()
    if limit is None:
        return
    need = _BASE_MB + _THREAD_MB * processors()
    if limit < need:
        raise DeviceError(
            f"not enough memory: this process is limited to {limit} MB of address space, it "
            f"needs {need} MB",
            f"raise the limit: ulimit -v {need * 1024}, or ulimit -v unlimited",
        )
    if "numpy" not in sys.modules:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        _fill_buffers()


def _limit_mb() -> int | None:
    """The limit on the address space of this process in MB, None where there is none."""
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    soft = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if soft == resource.RLIM_INFINITY else soft // 2**20


def _fill_buffers() -> None:
    """Multiply in several threads at one time: OpenBLAS keeps a buffer for each from then on."""
    import numpy as np

    start = Barrier(_BUFFERS)
    matrix = np.ones((_SIDE, _SIDE), np.float32)

    def multiply() -> None:
        with suppress(BrokenBarrierError):
            start.wait(timeout=1)
        matrix @ matrix

    threads = [Thread(target=multiply, daemon=True) for _ in range(_BUFFERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

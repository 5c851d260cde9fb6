"""Wall time and peak memory, with the GPU's work included."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

Work = Callable[[], object]


def settle() -> None:
    """Wait until the GPU is done; no effect where torch was not imported or finds none."""
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.synchronize()


def seconds(work: Work) -> float:
    """Wall time of one call, until the GPU is done with it too."""
    settle()
    start = time.perf_counter()
    work()
    settle()
    return time.perf_counter() - start


def alternate(works: Mapping[str, Work], rounds: int) -> dict[str, list[float]]:
    """Seconds of each work, ``rounds`` times, in turns, so that drift affects all alike."""
    spent: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            spent[name].append(seconds(work))
    return spent


def ratio(above: list[float], below: list[float]) -> float:
    """Median over the rounds of ``above / below``, each pair from the same round."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def reset_gpu_peak() -> None:
    """Count the GPU's peak memory from now on."""
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def gpu_peak_mb() -> float | None:
    """Peak of the GPU's memory since ``reset_gpu_peak``; None without a GPU in use."""
    torch: Any = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return float(torch.cuda.max_memory_allocated()) / 2**20


def peak_mb() -> float:
    """Peak memory of this process so far, in MB; 0 where the system does not report it."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10

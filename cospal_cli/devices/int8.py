"""Whether this processor multiplies 8-bit integers quicker than floats."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_DOT_PRODUCTS = frozenset(["avx512_vnni", "avx_vnni"])  # four products and their sum at once


@cache
def gains() -> bool:
    """By the flags that Linux lists; False where there is no such list.

    Without these instructions 8 bits are hardly quicker, and sums of two products may overflow.
    """
    try:
        lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith("flags")), "")
    return not _DOT_PRODUCTS.isdisjoint(flags.split())

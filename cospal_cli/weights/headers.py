"""What a safetensors file promises in its header, checked before anything is loaded from it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from cospal_cli.core.errors import WeightsError

MAX_HEADER_BYTES = 16 * 2**20  # real ones stay below 1 MB; JSON of more could fill the memory
BYTES = {"BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "U16": 2, "F16": 2}
BYTES |= {"BF16": 2, "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8}


def check_safetensors(path: Path) -> dict[str, tuple[int, ...]]:
    """Every tensor's shape by name, once the header agrees with itself and the file's size.

    Raises WeightsError, in one line with what was found, if the file is truncated, the header is
    huge or no JSON, a tensor's bytes do not fit its shape, or tensors overlap or leave holes.
    """
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
                raise _Refused(f"a header of {length:,} bytes in a file of {size:,}")
            header = json.loads(file.read(length))
        return _shapes(header, size - 8 - length)
    except _Refused as error:
        reason = str(error)
    except (ValueError, RecursionError):
        reason = "its header is not JSON"
    except OSError as error:
        reason = error.strerror or str(error)
    raise WeightsError(
        f"{path}: damaged safetensors: {reason}", "fetch it again: 'cospal models fetch'"
    )


class _Refused(Exception):
    """Why the header cannot be trusted."""


def _shapes(header: Any, data_bytes: int) -> dict[str, tuple[int, ...]]:
    """The tensors of ``header``; _Refused unless they fill ``data_bytes`` one after the other."""
    if not isinstance(header, dict):
        raise _Refused("its header is no JSON object")
    tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
    spans = sorted((*_span(name, entry), name) for name, entry in tensors.items())
    at = 0
    for begin, end, name in spans:
        if begin != at:
            raise _Refused(f"tensor {name!r} begins at {begin:,}, the one before ends at {at:,}")
        at = end
    if at != data_bytes:
        raise _Refused(f"{data_bytes:,} bytes of weights, its header says {at:,} (cut short?)")
    return {name: tuple(entry["shape"]) for name, entry in tensors.items()}


def _span(name: str, entry: Any) -> tuple[int, int]:
    """First and last byte of one tensor; _Refused where its entry makes no sense."""
    try:
        (begin, end), shape, width = entry["data_offsets"], entry["shape"], BYTES[entry["dtype"]]
        if not all(type(number) is int and number >= 0 for number in (begin, end, *shape)):
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise _Refused(f"tensor {name!r} is described wrongly") from None
    if end - begin != math.prod(shape) * width:
        raise _Refused(f"tensor {name!r} has {end - begin:,} bytes, its shape {shape} needs others")
    return begin, end

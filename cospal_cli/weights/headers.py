"""Whether a safetensors file is whole: its own library's checks."""

from __future__ import annotations

import os
from pathlib import Path

from cospal_cli.core.errors import WeightsError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.reading import check_regular


def check_safetensors(path: Path) -> dict[str, tuple[int, ...]]:
    """Every tensor's shape by name, from the header alone.

    Raises WeightsError, in one line with what was found, if the file is truncated, the header is
    huge or not JSON, a tensor's bytes do not fit its shape, or tensors overlap or leave holes: the
    library refuses all that before it reserves any memory.
    """
    from safetensors import safe_open

    hint = "fetch it again: 'cospal models fetch'"
    with errors_as(WeightsError, f"{path}: damaged safetensors file", hint):
        check_regular(path)
        with safe_open(os.fspath(path), framework="numpy") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118

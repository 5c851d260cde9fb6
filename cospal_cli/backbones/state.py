"""Reads checkpoints as what they should be, named tensors, and trusts nothing else in them.

A pickle is only ever opened by torch's restricted reader, so that code hidden in one never runs.
"""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.core.errors import WeightsError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.registry import require
from cospal_cli.weights.headers import check_safetensors

if TYPE_CHECKING:
    from torch import Tensor

PICKLES = (".pt", ".pth", ".bin")
WRAPPERS = ("model", "state_dict")  # under which training programs keep the weights


def read_state(path: Path) -> dict[str, Tensor]:
    """Every tensor of a .safetensors, .pt, .pth or .bin file by name, on the CPU.

    ``{"model": ...}`` and ``{"state_dict": ...}`` are unwrapped, and a "module." before every name
    is taken off. Raises WeightsError, naming the file and a command, for a file that is missing,
    damaged, not weights, that hides code, or whose numbers are not finite.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: no such file", "see 'cospal models list'")
    if path.suffix == ".safetensors":
        loaded = _read_safetensors(path)
    elif path.suffix in PICKLES:
        loaded = _read_pickle(path)
    else:
        known = ", ".join((".safetensors", *PICKLES))
        raise WeightsError(
            f"{path}: its name is not that of a checkpoint", f"known endings: {known}"
        )
    state = _unwrap(path, loaded)
    _check_finite(path, state)
    return state


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """While open, WeightsErrors about what was read from ``path`` name it."""
    try:
        yield
    except WeightsError as error:
        raise WeightsError(f"{path}: {error.message}", error.hint) from error


def verify_hint(path: Path) -> str:
    """What to do about a damaged file."""
    return f"get the file anew, then run: cospal models verify {path}"


def _read_safetensors(path: Path) -> object:
    library = require("safetensors.torch", "torch")
    check_safetensors(path)
    with errors_as(WeightsError, f"{path}: damaged safetensors file", verify_hint(path)):
        return library.load_file(path)


def _read_pickle(path: Path) -> object:
    torch = require("torch", "torch")
    border = errors_as(WeightsError, f"{path}: not a complete checkpoint", verify_hint(path))
    with border, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, of what a damaged file seems to be
        try:
            mapped = zipfile.is_zipfile(path)  # files from before torch 1.6 cannot be mapped
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
        except pickle.UnpicklingError as error:
            # torch's own message advises to load it all the same; do not pass that on.
            raise WeightsError(
                f"{path}: refused, since it is damaged or holds more than weights (a pickle can "
                "carry code, which was not run)",
                f"get it as .safetensors, or {verify_hint(path)}",
            ) from error


def _unwrap(path: Path, loaded: object) -> dict[str, Tensor]:
    """The mapping of names to tensors within ``loaded``."""
    torch = require("torch", "torch")
    for key in WRAPPERS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
    if not isinstance(loaded, Mapping) or not loaded:
        raise WeightsError(f"{path}: holds no named tensors", verify_hint(path))
    for name, value in loaded.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise WeightsError(
                f"{path}: {name!r} is a {type(value).__name__}, not a tensor",
                "give the file of the weights, not the training program's own state",
            )
    prefix = "module." if all(name.startswith("module.") for name in loaded) else ""
    return {name.removeprefix(prefix): value for name, value in loaded.items()}


def _check_finite(path: Path, state: Mapping[str, Tensor]) -> None:
    for name, value in state.items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise WeightsError(
                f"{path}: {name} holds values that are not finite", verify_hint(path)
            )

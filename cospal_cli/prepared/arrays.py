"""Safetensors files that 'cospal data prepare' writes: NumPy arrays and a description, no torch.

The description, JSON among the file's metadata, holds a digest of itself and of every array, so
that a flipped bit is noticed when the array is read. Files of cospal 0.1.0 have none, and are
taken as they are.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.errors import CospalError, InputError, WeightsError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.core.reading import check_regular, parse_table
from cospal_cli.weights.headers import check_safetensors

AGAIN = "delete it and run 'cospal data prepare' again: it computes what is missing"
# Of the description among the metadata, with digests and without. One, since several have no order.
_KEY, _OLD_KEY = "cospal.sealed", "cospal"
_DIGESTS = "digests"
_ITSELF = ""  # the description's name among the digests


def described(description: Json, digests: Mapping[str, str]) -> dict[str, str]:
    """Metadata of a file that ``ArrayFile`` reads; ``digests`` by array: see ``digest``."""
    own = {_ITSELF: digest(json.dumps(description).encode()), **digests}
    return {_KEY: json.dumps({**description, _DIGESTS: own})}


def digest(data: bytes | NDArray | BinaryIO, shape: Sequence[int] = ()) -> str:
    """A hash of an array, 16 hexadecimal digits: of its bytes and its ``shape``.

    ``data``: the array, its bytes, or a file whose rest they are.
    """
    if isinstance(data, np.ndarray):
        shape = data.shape
        digester = hashlib.sha256(np.ascontiguousarray(data).reshape(-1).view(np.uint8).data)
    elif isinstance(data, bytes):
        digester = hashlib.sha256(data)
    else:
        digester = hashlib.file_digest(data, "sha256")  # type: ignore[arg-type]
    digester.update(str(tuple(map(int, shape))).encode())
    return digester.hexdigest()[:16]


class ArrayFile:
    """A file, its header checked. InputError, naming it, where it is damaged.

    It is opened for each use, so that several threads may read and nothing stays open.
    """

    holds = "arrays"  # what messages call it
    again = AGAIN  # what to do where it is damaged

    def __init__(self, path: Path) -> None:
        self.path = path
        self._digests: Mapping[str, str] | None = None  # of no file, or one of 0.1.0
        with errors_as(InputError, str(path), self.again):
            check_regular(path)
        try:
            self.shapes = check_safetensors(path)
        except WeightsError as error:
            raise InputError(error.message, self.again) from error

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """The file by the library's own reader; what that raises becomes an InputError."""
        from safetensors import safe_open

        with errors_as(InputError, str(self.path), self.again):  # noqa: SIM117
            with safe_open(os.fspath(self.path), framework="numpy") as file:
                yield file

    def description(self, format: str) -> JsonDict:
        """What the file says of itself; InputError unless it is of ``format``."""
        with self.opened() as file, self.border():
            about = file.metadata() or {}
            description = parse_table(about.get(_KEY) or about[_OLD_KEY])
            self._digests = description.pop(_DIGESTS) if _KEY in about else None
            self._check(_ITSELF, json.dumps(description).encode())
            if description["format"] != format:
                raise ValueError(f"{description['format']!r}, expected {format!r}")
        return description

    def array(self, file: Any, name: str) -> NDArray:
        """The array ``name`` of the opened ``file``; InputError where its bytes are not those that
        were written."""
        array: NDArray = file.get_tensor(name)
        self._check(name, array)
        return array

    def check_all(self) -> None:
        """InputError unless every array is as it was written."""
        with self.opened() as file:
            for name in self.shapes:
                self.array(file, name)

    def border(self) -> AbstractContextManager[None]:
        """Around what reads the file's values: see ``errors_as``."""
        return errors_as(InputError, f"{self.path}: not a file of {self.holds}", self.again)

    def refusal(self, why: str) -> CospalError:
        """The error for a file that cannot be used."""
        return InputError(f"{self.path}: {why}", self.again)

    def _check(self, name: str, data: bytes | NDArray) -> None:
        if self._digests is not None and self._digests.get(name) != digest(data):
            raise self.refusal(
                f"{name or 'its description'} is damaged: its bytes are not those written"
            )

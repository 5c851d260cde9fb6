"""Safetensors files that 'cospal data prepare' writes: NumPy arrays and a description, no torch."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cospal_cli.core.errors import CospalError, InputError, WeightsError
from cospal_cli.weights.headers import check_safetensors

AGAIN = "delete it and run 'cospal data prepare' again: it makes what is missing"
_KEY = "cospal"  # of the description among the file's metadata


def described(description: Any) -> dict[str, str]:
    """Metadata of a file that ``ArrayFile`` reads."""
    return {_KEY: json.dumps(description)}


class ArrayFile:
    """A file, its header checked. InputError, naming it, where it is damaged.

    It is opened for each use, so that several threads may read and nothing stays open.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.shapes = check_safetensors(path)
        except WeightsError as error:
            raise InputError(error.message, AGAIN) from error

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """The file by the library's own reader; what that raises becomes an InputError."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(os.fspath(self.path), framework="numpy") as file:
                yield file
        except (SafetensorError, OSError) as error:
            raise self.refusal(str(error)) from error

    def description(self, format: str) -> dict[str, Any]:
        """What the file says of itself. ValueError, TypeError or KeyError unless of ``format``."""
        with self.opened() as file:
            found: dict[str, Any] = json.loads((file.metadata() or {})[_KEY])
        if found["format"] != format:
            raise ValueError(f"{found['format']!r}, expected {format!r}")
        return found

    def refusal(self, why: str) -> CospalError:
        """The error for a file that cannot be used."""
        return InputError(f"{self.path}: {why}", AGAIN)

"""One hash for a model's weights, be they a file or the shards of a folder."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from cospal_cli.errors import WeightsError


def fingerprint(path: Path) -> str:
    """The sha256 of ``path``: of the file, or of a folder's weights one after another by name.

    A single file in a folder thus has its own sha256. Files that have not changed since are not
    read again. Raises WeightsError if there are none or one cannot be read.
    """
    files = [path]
    if path.is_dir():
        files = sorted(path.glob("model*.safetensors")) or sorted(path.glob("pytorch_model*.bin"))
    if not files:
        raise WeightsError(f"{path}: no weights in this folder", "expected model.safetensors")
    try:
        found = [(file, file.stat()) for file in files]
        return _hash(tuple((file, stat.st_size, stat.st_mtime_ns) for file, stat in found))
    except OSError as error:
        raise WeightsError(f"{path}: {error.strerror or error}") from error


@cache
def _hash(files: tuple[tuple[Path, int, int], ...]) -> str:
    """Of the files' bytes in this order; sizes and times are what makes a file the same."""
    digest = hashlib.sha256()
    for path, _, _ in files:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()

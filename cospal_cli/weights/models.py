"""Models that are fetched, not shipped: which are known, and where one lies on this machine."""

from __future__ import annotations

from pathlib import Path

from cospal_cli.errors import WeightsError


def locate(name: str) -> Path:
    """The local folder or file of ``name``: a known id, a hub id, a folder or a file.

    Never uses the network. Raises WeightsError, naming where it looked and the command that would
    fetch it.
    """
    path = Path(name).expanduser()
    if path.exists():
        return path
    raise WeightsError(f"{name}: no such folder or file", f"cospal models fetch {name}")


def available(name: str) -> bool:
    """Whether ``locate`` finds ``name``."""
    try:
        locate(name)
    except WeightsError:
        return False
    return True

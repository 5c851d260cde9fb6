"""Models that are fetched, not shipped: which are known, and where one lies on this machine.

A name is a folder or file, an id of ``known.json``, or a hub id ("owner/name"). It is looked for
in this order; nothing here uses the network or imports more than the standard library:

    the path itself
    $COSPAL_MODELS, or models/ in the user's cache folder for cospal    (``fetch`` puts it there)
    the Hugging Face cache: $HF_HUB_CACHE, $HF_HOME/hub or ~/.cache/huggingface/hub
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from cospal_cli.backbones import record
from cospal_cli.core.errors import WeightsError
from cospal_cli.core.install import restore_line
from cospal_cli.core.reading import read_table

HERE = Path(__file__).parent
WEIGHTS = (".safetensors", ".bin", ".pt", ".pth")
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Known:
    """An entry of ``known.json``. ``bytes`` and ``sha256`` are those of ``file``, None where they
    are not known for certain; ``source`` is a hub id or the URL of ``file``."""

    id: str
    kind: str  # detector, text, image-text or video
    use: str
    source: str
    revision: str | None
    file: str
    megabytes: int
    bytes: int | None
    sha256: str | None
    licence: str
    also: tuple[str, ...] = ()  # older hub ids, which caches may still go by

    @property
    def single(self) -> bool:
        """Whether it is one file behind a URL, rather than a repository of the hub."""
        return "://" in self.source


@cache
def known() -> Mapping[str, Known]:
    """Every known model by id."""
    hint = restore_line(HERE / "known.json")
    stored = read_table(HERE / "known.json", WeightsError, hint)["models"]
    return {e["id"]: Known(**{**e, "also": tuple(e.get("also", ()))}) for e in stored}


def find(name: str) -> Known | None:
    """The known model of an id or a hub id; None for any other."""
    return known().get(name) or next((e for e in known().values() if e.source == name), None)


def locate(name: str) -> Path:
    """The local folder (of a single checkpoint: the file) of ``name``.

    Never uses the network. Raises WeightsError if it is nowhere, naming every folder looked in and
    the command that would fetch it, and if its files are not those that were fetched.
    """
    path = whereabouts(name)
    if path is None:
        raise not_here(name)
    record.check(path if path.is_dir() else path.parent)
    return path


def available(name: str) -> bool:
    """Whether ``locate`` finds ``name``."""
    try:
        locate(name)
    except WeightsError:
        return False
    return True


def whereabouts(name: str) -> Path | None:
    """What ``locate`` returns, without a look into the files; None if it is nowhere."""
    with suppress(RuntimeError):  # "~" without a home
        path = Path(name).expanduser()
        if name and os.path.exists(path):
            return path
    return next(filter(_holds_weights, _candidates(name)), None)


def folder() -> Path | None:
    """Where fetched models are kept; None if no environment variable and no home says where."""
    if given := os.environ.get("COSPAL_MODELS"):
        return Path(os.path.expanduser(given))
    base = _user_cache()
    return base / "cospal" / "models" if base else None


def hub_cache() -> Path | None:
    """The cache that huggingface_hub uses, by its own environment variables."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if given := os.environ.get(variable):
            return Path(os.path.expandvars(os.path.expanduser(given)))
    if home := os.environ.get("HF_HOME"):
        return Path(os.path.expandvars(os.path.expanduser(home))) / "hub"
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return None if base.startswith("~") else Path(base) / "huggingface" / "hub"


def own_name(name: str) -> str | None:
    """The name of the folder that ``name`` gets below ``folder()``; None if it cannot be fetched:
    it is no known id and no hub id."""
    entry = find(name)
    if entry is not None:
        return entry.id
    return name.replace("/", "--") if HUB_ID.fullmatch(name) and ".." not in name else None


def _candidates(name: str) -> Iterator[Path]:
    """Every place where ``name`` could lie, the best first; they need not exist."""
    entry, own, root, hub = find(name), own_name(name), folder(), hub_cache()
    if own is None:
        return
    if root is not None:
        yield root / own / entry.file if entry and entry.single else root / own
    if hub is not None and not (entry and entry.single):
        for repo in (entry.source, *entry.also) if entry else (name,):
            yield from _snapshots(hub / f"models--{repo.replace('/', '--')}", entry)


def _snapshots(repo: Path, entry: Known | None) -> Iterator[Path]:
    """The pinned snapshot of a cached repository, then the one that its main branch was."""
    if entry and entry.revision:
        yield repo / "snapshots" / entry.revision
    with suppress(OSError, UnicodeDecodeError):
        yield repo / "snapshots" / (repo / "refs" / "main").read_text(encoding="ascii").strip()


def _holds_weights(path: Path) -> bool:
    """Whether ``path`` is a file, or a folder with a file of weights right in it."""
    try:
        names = [path.name] if path.is_file() else os.listdir(path)
        parent = path.parent if path.is_file() else path
        return any(n.endswith(WEIGHTS) and os.path.isfile(parent / n) for n in names)
    except OSError:
        return False


def not_here(name: str) -> WeightsError:
    """That ``name`` is nowhere: where it was looked for, and what to do."""
    if own_name(name) is None:
        near = get_close_matches(name, known(), 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        return WeightsError(
            f"{name}: no such folder or file",
            f"{hint}'cospal models list' shows the known ones; a hub id is OWNER/NAME",
        )
    hub = None if (entry := find(name)) and entry.single else hub_cache()
    looked = [str(place) for place in (folder(), hub) if place is not None]
    return WeightsError(
        f"{name}: these weights are not on this machine; looked in "
        f"{' and '.join(looked) or 'no folder'}",
        f"run: cospal models fetch {name}",
    )


def _user_cache() -> Path | None:
    """The folder for this user's caches on this system; None if nothing says where it is."""
    system = {"win32": ("LOCALAPPDATA", "~/AppData/Local"), "darwin": ("", "~/Library/Caches")}
    variable, default = system.get(sys.platform, ("XDG_CACHE_HOME", "~/.cache"))
    path = os.environ.get(variable) or os.path.expanduser(default)
    return None if path.startswith("~") else Path(path)

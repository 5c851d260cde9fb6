"""Downloads models into the folder of ``models``: with ``transfer``, all that uses the network.

A model is downloaded into ``.partial`` beside its place, where a further attempt resumes; checked
against the sha256 of ``known.json`` and those that the hub states; recorded; and only then renamed
to its place. So what lies in its place is whole.

huggingface_hub lists, pins and resumes. Looking for models stays ours (``models``: importing it
takes 0.2 s, which every ``ground`` with a model would pay), and so do plain URLs: they would be 12
lines in place of 30 by its ``http_get``, which is not public and not part of its documentation.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from cospal_cli.backbones import models, record
from cospal_cli.backbones.models import Known
from cospal_cli.backbones.transfer import (
    AGAIN,
    MB,
    alone,
    bytes_in,
    download_url,
    refusal,
    watched,
)
from cospal_cli.core.errors import CospalError, DeviceError, WeightsError
from cospal_cli.core.files import make_folder, replace_folder
from cospal_cli.core.progress import Progress, silent
from cospal_cli.core.registry import require

SIDE_FILES = ("*.json", "*.txt", "*.model", "LICENSE*", "README.md")  # config, words, licence
# The first of these that a repository has is taken; pickles only where nothing else exists.
WEIGHT_FILES = (
    "model.safetensors",
    "model-*-of-*.safetensors",
    "*.safetensors",
    "pytorch_model*.bin",
    "*.pth",
    "*.pt",
)
_TRUE = {"1", "true", "yes", "on"}


@dataclass(frozen=True)
class Wanted:
    """One file to download. ``bytes`` and ``sha256``: None where nobody states them."""

    name: str
    bytes: int | None
    sha256: str | None


@dataclass(frozen=True)
class FetchPlan:
    """What ``download`` would bring for ``name``, into the folder ``target``."""

    name: str
    source: str  # hub id or URL
    revision: str | None
    licence: str
    files: tuple[Wanted, ...]  # the weights come first
    target: Path

    @property
    def bytes(self) -> int:
        """Bytes of all files together; those of unknown size count nothing."""
        return sum(file.bytes or 0 for file in self.files)

    @property
    def single(self) -> bool:
        """Whether it is one file behind a URL."""
        return "://" in self.source


def offline() -> bool:
    """Whether the environment forbids the network."""
    names = ("COSPAL_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    return any(os.environ.get(name, "").lower() in _TRUE for name in names)


def make_plan(name: str) -> FetchPlan:
    """What a known id or hub id consists of; asks the hub, downloads nothing.

    Raises WeightsError if it is unknown, withheld or cannot be reached, UsageError without
    huggingface_hub where that is needed.
    """
    entry, own, root = models.find(name), models.own_name(name), models.folder()
    if own is None:
        raise models.not_here(name)
    if root is None:
        raise WeightsError(
            "there is no home directory to keep models in", "set COSPAL_MODELS to a folder"
        )
    if entry is not None and entry.single:
        files = (Wanted(entry.file, entry.bytes, entry.sha256),)
        return FetchPlan(name, entry.source, entry.revision, entry.licence, files, root / own)
    return _ask_hub(name, entry, root / own)


def download(plan: FetchPlan, progress: Progress = silent) -> Path:
    """Bring the files of ``plan`` to its target; the folder, or the file of a single checkpoint.

    Raises WeightsError if the source fails or sends something else, DeviceError if the disk is
    full or refuses. Nothing appears at the target before all of it is there and checked.
    """
    part = plan.target.parent / ".partial" / plan.target.name
    try:
        make_folder(part)
        with alone(plan.target, plan.name):
            _check_room(plan, part)
            with watched(part, plan.bytes, progress):
                _bring(plan, part)
            for file in plan.files:
                _check(plan, part / file.name, file)
            record.write(part, plan.source, plan.revision, plan.licence)
            replace_folder(part, plan.target)
    except CospalError:
        raise
    except Exception as error:  # the hub's own are of many kinds, and not all OSErrors
        raise refusal(plan.source, plan.target.parent, error) from error
    return plan.target / plan.files[0].name if plan.single else plan.target


def choose(names: Iterable[str]) -> list[str]:
    """Those of a repository's files that are worth downloading: one set of weights, then what
    describes it. Empty if there are no weights."""
    top = [name for name in names if "/" not in name]
    matches = ([n for n in top if fnmatchcase(n, pattern)] for pattern in WEIGHT_FILES)
    weights = next(filter(None, matches), [])
    side = [name for name in top if any(fnmatchcase(name, pattern) for pattern in SIDE_FILES)]
    return [*weights, *side] if weights else []


def _ask_hub(name: str, entry: Known | None, target: Path) -> FetchPlan:
    """The plan for a repository of the hub, at the pinned revision or its main branch."""
    hub = require("huggingface_hub", "torch")
    source = entry.source if entry else name
    try:
        info = hub.HfApi().model_info(
            source, revision=entry.revision if entry else None, files_metadata=True
        )
    except Exception as error:  # not all of the hub's errors are OSErrors
        raise refusal(source, target.parent, error) from error
    files = {file.rfilename: file for file in info.siblings or ()}
    wanted = tuple(_wanted(files[name], entry) for name in choose(files))
    if not wanted:
        raise WeightsError(f"{source}: no weights in this repository", "name another hub id")
    card = getattr(info, "card_data", None)
    licence = entry.licence if entry else str(getattr(card, "license", None) or "not stated")
    return FetchPlan(name, source, info.sha, licence, wanted, target)


def _wanted(file: Any, entry: Known | None) -> Wanted:
    """One file of the hub's answer; what ``known.json`` says of it comes first."""
    if entry and entry.sha256 and file.rfilename == entry.file:
        return Wanted(file.rfilename, entry.bytes, entry.sha256)
    stated = getattr(file, "lfs", None)
    return Wanted(file.rfilename, file.size, stated.sha256 if stated else None)


def _bring(plan: FetchPlan, part: Path) -> None:
    """Download every file of ``plan`` into ``part``."""
    if plan.single:
        file = plan.files[0]
        download_url(plan.source, part / file.name, file.bytes)
        return
    hub = require("huggingface_hub", "torch")
    hub.utils.disable_progress_bars()  # ours is shown
    names = [file.name for file in plan.files]
    hub.snapshot_download(plan.source, revision=plan.revision, local_dir=part, allow_patterns=names)
    shutil.rmtree(part / ".cache", ignore_errors=True)  # the hub's notes for resuming


def _check(plan: FetchPlan, path: Path, wanted: Wanted) -> None:
    """WeightsError, and the file removed, unless it is the one that was meant."""
    if not path.is_file():
        raise WeightsError(f"{plan.source}: {wanted.name} was not downloaded", AGAIN)
    size = path.stat().st_size
    if wanted.bytes is not None and size != wanted.bytes:
        path.unlink()
        raise WeightsError(
            f"{plan.source}: {wanted.name} has {size:,} bytes, expected {wanted.bytes:,}", AGAIN
        )
    if wanted.sha256 and (found := record.sha256(path)) != wanted.sha256:
        path.unlink()
        raise WeightsError(
            f"{plan.source}: {wanted.name} has sha256 {found}, expected {wanted.sha256}",
            "it was removed; if this happens again, do not trust the source",
        )


def _check_room(plan: FetchPlan, part: Path) -> None:
    """DeviceError if the disk cannot take what is still to come."""
    free = shutil.disk_usage(part).free
    missing = plan.bytes - bytes_in(part)
    if missing > free:
        raise DeviceError(
            f"{plan.name} needs {missing / MB:,.0f} MB more; {str(plan.target.parent)!r} has "
            f"{free / MB:,.0f} MB left",
            "free some space, or set COSPAL_MODELS to a folder on another disk",
        )

"""Trained heads as a folder: ``model.safetensors`` and ``config.json``, the metadata."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cospal_cli.backbones.state import read_state
from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.core.files import make_folder, replacing, write_text
from cospal_cli.core.reading import read_bytes
from cospal_cli.core.registry import require
from cospal_cli.model.metadata import HeadsMetadata

if TYPE_CHECKING:
    from cospal_cli.model.heads import TrainedHeads

WEIGHTS, CONFIG = "model.safetensors", "config.json"


def save(folder: Path, model: TrainedHeads, metadata: HeadsMetadata) -> None:
    """Write both files into ``folder``, which is created; each is whole or missing.

    A folder that must change at once is written beside its place and renamed by the caller.
    """
    library = require("safetensors.torch", "torch")
    make_folder(folder)
    state = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    with replacing(folder / WEIGHTS) as part:
        part.write_bytes(library.save(state))  # errors of the disk are then Python's own
    write_text(folder / CONFIG, metadata.dumps() + "\n")


def load_metadata(folder: Path) -> HeadsMetadata:
    """The metadata alone, without torch. UsageError where there is none, WeightsError if bad."""
    path = folder / CONFIG
    hint = "name a folder that 'cospal train' wrote, such as runs/NAME/best"
    if not os.path.exists(path):  # False, too, for a name that the system refuses
        raise UsageError(
            f"{str(folder)!r} is not a checkpoint of the heads: it has no {CONFIG}", hint
        )
    return HeadsMetadata.loads(read_bytes(path, WeightsError, hint), str(path))


def load(folder: Path, device: str = "cpu") -> tuple[TrainedHeads, HeadsMetadata]:
    """The heads in eval mode on ``device``. WeightsError names what does not fit."""
    metadata = load_metadata(folder)
    torch = require("torch", "torch")
    from cospal_cli.model.heads import build

    state, where = read_state(folder / WEIGHTS), str(folder / WEIGHTS)
    with torch.device("meta"):  # sizes that the weights do not have must not take memory
        _compare(build(metadata), state, where)
    model = build(metadata)
    model.load_state_dict(state)
    return model.to(device).eval(), metadata


def fill(model: TrainedHeads, state: dict[str, Any], where: str) -> None:
    """Load every tensor of ``state``; WeightsError unless all fit and none is left."""
    _compare(model, state, where)
    model.load_state_dict(state)


def _compare(model: TrainedHeads, state: dict[str, Any], where: str) -> None:
    """WeightsError unless ``state`` has the tensors of ``model``, no more and no less."""
    own = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in state.items()}
    for name in sorted(own.keys() | found.keys()):
        if own.get(name) != found.get(name):
            raise WeightsError(
                f"{where}: {name}: expected {own.get(name, 'nothing')}, "
                f"found {found.get(name, 'nothing')}",
                "config.json and the weights come from different trainings; train or export again",
            )

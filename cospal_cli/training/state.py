"""What a training needs to continue as if it had never stopped, kept beside the heads' weights.

A checkpoint folder holds ``model.safetensors`` and ``config.json`` (see ``model.checkpoint``) and

    trainer.safetensors  the optimiser's state by parameter; with averaged weights (EMA), which are
                         the model's then, also the plain ones: "plain.NAME"
    trainer.json         updates done, the best so far, the settings that weights depend on

There is no state of random generators: every update seeds its own. Nothing here is a pickle.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.backbones.state import read_state
from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.core.files import replacing, write_text
from cospal_cli.core.fitting import as_table, filled
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.core.reading import read_table
from cospal_cli.core.registry import require
from cospal_cli.settings import Config, flatten
from cospal_cli.settings.stored import BEFORE, modern, today

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer
    from torch.optim.swa_utils import AveragedModel

    from cospal_cli.model.heads import TrainedHeads

FORMAT = "cospal/trainer@1"
STATE, STANDING = "trainer.safetensors", "trainer.json"
PLAIN = "plain."
SLOTS = ("exp_avg", "exp_avg_sq", "step")  # what Adam keeps of each weight
_SECTIONS = ("model", "temporal", "loss", "curriculum", "train")
# Where and how quickly the same weights come about; these may change when a training continues.
_FREE = {"train.device", "train.threads", "train.max_unreadable", "train.save_every"}


@dataclass
class Standing:
    """How far a training is. ``scaler``: that of fp16, {} for other precisions."""

    update: int = 0  # done
    judged: int = 0  # epochs with a validation
    best: float | None = None  # the greatest value of what is selected by
    best_update: int = 0
    validation: Mapping[str, float] = field(default_factory=dict)  # the last one
    scaler: Json = field(default_factory=dict)


def settings_of(config: Config, facts: Json) -> JsonDict:
    """Everything that the weights depend on, by dotted name; ``facts``: the data's, nested."""
    own = {key: value for key, value in flatten(config).items() if key.split(".")[0] in _SECTIONS}
    kept = {key: value for key, value in own.items() if key not in _FREE}
    return kept | _flat("", facts)


def differences(kept: Json, now: Json) -> list[str]:
    """A line for every setting in which two trainings differ."""
    return [
        f"{name}: {kept.get(name, 'not there')} before, {now.get(name, 'not there')} now"
        for name in [*kept, *(name for name in now if name not in kept)]
        if name not in kept or name not in now or kept[name] != now[name]
    ]


def save_trainer(
    folder: Path,
    model: TrainedHeads,
    optimizer: Optimizer,
    plain: Mapping[str, Tensor],
    standing: Standing,
    settings: Json,
) -> None:
    """Write both files into ``folder``. ``plain``: the plain weights where others are kept."""
    library = require("safetensors.torch", "torch")
    tensors = _optimizer_tensors(model, optimizer)
    tensors |= {f"{PLAIN}{name}": value for name, value in plain.items()}
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    with replacing(folder / STATE) as part:
        part.write_bytes(library.save(tensors))  # errors of the disk are then Python's own
    document = {"format": FORMAT, **asdict(standing), "settings": dict(settings)}
    write_text(folder / STANDING, json.dumps(document, indent=1) + "\n")


def load_standing(folder: Path, settings: Json) -> Standing:
    """Where the training in ``folder`` stopped.

    Raises WeightsError if that cannot be read, UsageError with every difference if it was begun
    with other ``settings``.
    """
    path = folder / STANDING
    hint = "train anew into another folder; --init-from takes over weights alone"
    document = today(read_table(path, WeightsError, hint))
    with errors_as(WeightsError, f"{path}: not the state of a training", hint):
        if document.pop("format") != FORMAT:
            raise ValueError(f"not {FORMAT}")
        kept = modern(as_table(document.pop("settings")))
        standing = filled(Standing, document)
        if min(standing.update, standing.judged, standing.best_update) < 0:
            raise ValueError(f"update {standing.update}, epochs {standing.judged}")
    started = {key: value for key, value in settings_of(Config(), {}).items() if key in settings}
    started |= {key: value for key, value in BEFORE.items() if key in settings}
    kept = started | kept  # what is asked for today and was no setting then
    changed = differences(*(json.loads(json.dumps(dict(one))) for one in (kept, modern(settings))))
    if changed:
        raise UsageError(
            f"{folder} was trained with other settings: {'; '.join(changed)}",
            "give the same settings to continue, or train into another folder with --init-from",
        )
    return standing


def restore(
    folder: Path,
    model: TrainedHeads,
    optimizer: Optimizer,
    average: AveragedModel | None,
    updates: int,
) -> None:
    """Put weights, averaged weights and the optimiser's state back as they were saved after so
    many ``updates``.

    WeightsError unless every tensor is there, has its shape and is finite.
    """
    from cospal_cli.model import checkpoint
    from cospal_cli.training import optimise

    kept = read_state(folder / checkpoint.WEIGHTS)
    tensors = read_state(folder / STATE)
    names = [name for name in _names(model, optimizer) if f"{SLOTS[0]}.{name}" in tensors]
    own = model.state_dict()
    wanted = {f"{PLAIN}{name}": value.shape for name, value in own.items() if average is not None}
    for name in names:
        wanted |= {f"{slot}.{name}": () if slot == "step" else own[name].shape for slot in SLOTS}
    _check_shapes(folder / STATE, wanted, tensors)

    checkpoint.fill(optimise.kept(model, average), kept, str(folder / checkpoint.WEIGHTS))
    if average is not None:
        model.load_state_dict({name: tensors[f"{PLAIN}{name}"] for name in own})
        average.n_averaged.fill_(updates + 1)
    slots = {
        at: {slot: tensors[f"{slot}.{name}"] for slot in SLOTS}
        for at, name in enumerate(_names(model, optimizer))
        if name in names
    }
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": slots, "param_groups": groups})


def _optimizer_tensors(model: TrainedHeads, optimizer: Optimizer) -> dict[str, Tensor]:
    slots = optimizer.state_dict()["state"]
    return {
        f"{slot}.{name}": slots[at][slot]
        for at, name in enumerate(_names(model, optimizer))
        if at in slots
        for slot in SLOTS
    }


def _names(model: TrainedHeads, optimizer: Optimizer) -> list[str]:
    """The weights' names in the order in which the optimiser counts them."""
    names = {id(weight): name for name, weight in model.named_parameters()}
    return [names[id(one)] for group in optimizer.param_groups for one in group["params"]]


def _check_shapes(path: Path, wanted: Json, tensors: Mapping[str, Tensor]) -> None:
    for name in sorted(wanted.keys() | tensors.keys()):
        there = tuple(tensors[name].shape) if name in tensors else "nothing"
        expected = tuple(wanted[name]) if name in wanted else "nothing"
        if there != expected:
            raise WeightsError(
                f"{path}: {name}: expected {expected}, found {there}",
                "train anew into another folder; --init-from takes over weights alone",
            )


def recover(target: Path) -> None:
    """Put back a checkpoint that a killed run of version 0.1 had moved aside; clear the rest."""
    part, old = (target.with_name(f"{target.name}.{ending}") for ending in ("part", "old"))
    for folder in (old, part):
        if (folder / STANDING).is_file():
            if target.exists():
                shutil.rmtree(folder, ignore_errors=True)
            elif folder is old:
                os.rename(old, target)


def _flat(prefix: str, values: Json) -> JsonDict:
    flat: JsonDict = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        flat |= _flat(f"{name}.", value) if isinstance(value, Mapping) else {name: value}
    return flat

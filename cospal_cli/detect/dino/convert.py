"""Original Grounding DINO checkpoints to folders of transformers, and back; whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli import weights
from cospal_cli.backbones import models
from cospal_cli.backbones.pretrained import open_model
from cospal_cli.backbones.state import PICKLES, naming, read_state
from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.core.files import check_outputs, claimed, replacing, replacing_folder, write_text
from cospal_cli.core.json_types import Json
from cospal_cli.core.reading import read_table
from cospal_cli.core.registry import require
from cospal_cli.detect.dino.config import Dino, from_state
from cospal_cli.detect.dino.keys import convert
from cospal_cli.devices.torch_device import choose

if TYPE_CHECKING:
    from torch import Tensor

KIND = "AutoModelForZeroShotObjectDetection"
TOKENIZER = {
    "tokenizer_class": "BertTokenizer",
    "do_lower_case": True,
    "model_max_length": 512,
    "tokenize_chinese_chars": True,
}
IMAGES = {
    "image_processor_type": "GroundingDinoImageProcessor",
    "do_resize": True,
    "size": {"shortest_edge": 800, "longest_edge": 1333},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
    "do_pad": True,
}


def convert_checkpoint(source: Path, target: Path) -> None:
    """A checkpoint file to a folder of transformers, or such a folder to a checkpoint file.

    ``source`` may also be the name of a known model. Raises UsageError if ``target`` exists or
    cannot be written, WeightsError if ``source`` is damaged or another kind of model.
    """
    located = models.locate(str(source))
    inputs = {located: "the model"}
    check_outputs([target], inputs, overwrite=False)
    with claimed([target]):
        check_outputs([target], inputs, overwrite=False)  # no other run has written it meanwhile
        if located.is_dir():
            _to_file(located, target)
        else:
            _to_folder(located, target)


def _to_folder(source: Path, target: Path) -> None:
    """What was written is loaded once before it gets its name."""
    safetensors = require("safetensors.torch", "torch")
    state = read_state(source)
    with naming(source):
        dino = from_state(state)
        named = convert(state, "transformers")
    apart = {name: value.clone().contiguous() for name, value in named.items()}
    with replacing_folder(target) as folder:
        with replacing(folder / "model.safetensors") as part:
            safetensors.save_file(apart, part, metadata={"format": "pt"})
        files = {
            "config.json": dino.transformers(),
            "tokenizer_config.json": TOKENIZER,
            "preprocessor_config.json": IMAGES,
        }
        for name, content in files.items():
            write_text(folder / name, json.dumps(content, indent=2) + "\n")
        write_text(folder / "vocab.txt", weights.path("bert_vocab").read_text(encoding="utf-8"))
        try:
            open_model(KIND, str(folder), choose("cpu", "fp32"))
        except WeightsError as error:  # what is wrong was so in the source
            raise WeightsError(
                error.message.replace(str(folder), str(source)), error.hint
            ) from error


def _to_file(source: Path, target: Path) -> None:
    torch = require("torch", "torch")
    if target.suffix not in PICKLES:
        raise UsageError(
            f"{target}: not the name of a checkpoint", f"known endings: {', '.join(PICKLES)}"
        )
    open_model(KIND, str(source), choose("cpu", "fp32"))  # says what is missing or damaged
    with naming(source):
        state = convert(_read_folder(source), "original")
        _check_config(source, from_state(state))
    with replacing(target) as part:
        torch.save({"model": state}, part)


def _read_folder(folder: Path) -> dict[str, Tensor]:
    """The tensors of all weights in a folder."""
    files = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))
    return {name: value for path in files for name, value in read_state(path).items()}


def _check_config(folder: Path, dino: Dino) -> None:
    """WeightsError where the folder's model is built otherwise than the original."""
    given = read_table(folder / "config.json", WeightsError)
    for name, own, wanted in _differences(given, dino.transformers()):
        raise WeightsError(
            f"{name} is {own!r}, in the original {wanted!r}",
            "this model cannot be written as an original checkpoint",
        )


def _differences(given: Json, wanted: Json) -> Iterator[tuple[object, ...]]:
    """(name, value in ``given``, value in ``wanted``) of settings that ``given`` has otherwise."""
    for name, value in wanted.items():
        own = given.get(name, value)
        if isinstance(value, dict) and isinstance(own, dict):
            yield from _differences(own, value)
        elif name not in ("image_size", "architectures") and _plain(own) != _plain(value):
            yield name, own, value


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value

"""Opens transformers models from local folders: never the network, never a pickle's code."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cospal_cli.backbones import models
from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.core.foreign import shortage
from cospal_cli.core.json_types import Json
from cospal_cli.core.reading import read_table
from cospal_cli.core.registry import require
from cospal_cli.weights.headers import check_safetensors

if TYPE_CHECKING:
    from torch import Tensor

    from cospal_cli.devices.torch_device import Placement

_LONGEST = 200  # characters of another library's message that are passed on
_LOCK = threading.RLock()  # what ``offline`` changes belongs to the whole process


def open_model(kind: str, name: str, place: Placement, spare: tuple[str, ...] = ()) -> Any:
    """The transformers class ``kind`` (such as "AutoModel") with the weights of ``name``, in eval
    mode, without gradients, at ``place``.

    ``name`` is what ``models.locate`` takes. Weights whose names begin with one of ``spare`` may be
    missing: the caller does not use them. Raises WeightsError if weights are missing, damaged,
    incomplete, of other shapes or not finite, or if the folder holds another kind of model.
    """
    folder = models.locate(name)
    held = model_type(folder)
    _check_files(folder)
    with offline() as transformers:
        model_class = getattr(transformers, kind)
        wanted = getattr(getattr(model_class, "config_class", None), "model_type", held)
        if wanted != held:
            raise WeightsError(
                f"{folder}: holds a {held!r} model, but {wanted!r} is needed", "name another folder"
            )
        try:
            model, report = model_class.from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                ignore_mismatched_sizes=True,  # they are in the report, and refused below
                dtype=place.dtype,
                output_loading_info=True,
            )
        except ImportError as error:
            raise shortage(error, str(folder)) or UsageError(
                f"transformers has no {held!r} model here: {_root(error)}",
                "a torchvision built for another torch stops it: pip uninstall torchvision",
            ) from error
        except Exception as error:  # whatever a strange folder makes of the libraries below
            lack = shortage(error, str(folder))
            raise lack or _refusal(folder, name, held, kind, error) from error
    _check_report(f"{folder}: ", report, spare)
    _check_finite(folder, name, model)
    return model.eval().requires_grad_(False).to(place.device)


def open_state(sizes: Json, state: Mapping[str, Tensor], place: Placement) -> Any:
    """A model of transformers built as ``sizes`` (the content of a config.json) say, with the
    weights ``state``; else as ``open_model``."""
    with offline() as transformers:
        config = transformers.AutoConfig.for_model(**sizes)
        try:
            model, report = getattr(transformers, sizes["architectures"][0]).from_pretrained(
                None,
                config=config,
                state_dict=dict(state),
                ignore_mismatched_sizes=True,
                dtype=place.dtype,
                output_loading_info=True,
            )
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            raise WeightsError(_root(error), "the file holds another kind of model") from error
    _check_report("", report, ())
    return model.eval().requires_grad_(False).to(place.device)


def model_type(folder: Path) -> str:
    """The kind of model ("bert") that the folder's config.json says it holds.

    Raises WeightsError if there is no such file, or it does not say.
    """
    path = folder / "config.json"
    hint = "name the folder of a transformers model, with config.json and model.safetensors"
    config = read_table(path, WeightsError, hint)
    if not isinstance(config.get("model_type"), str):
        raise WeightsError(f"{path}: it names no model_type", hint)
    return str(config["model_type"])


@contextmanager
def offline() -> Iterator[Any]:
    """While open, the transformers package that it yields is silent and never uses the network."""
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformers = require("transformers", "torch")
        constants: Any = require("huggingface_hub.constants", "torch")
        was_offline, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
        log = transformers.utils.logging
        level, bars = log.get_verbosity(), log.is_progress_bar_enabled()
        log.set_verbosity(log.CRITICAL)
        log.disable_progress_bar()
        try:
            yield transformers
        finally:
            log.set_verbosity(level)
            if bars:
                log.enable_progress_bar()
            constants.HF_HUB_OFFLINE = was_offline


def _root(error: BaseException) -> str:
    """What was first wrong, in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _check_files(folder: Path) -> None:
    """WeightsError unless the folder has weights, and its safetensors files are whole."""
    files = sorted(folder.glob("*.safetensors"))
    for path in files:
        check_safetensors(path)
    if not files and not any(folder.glob("pytorch_model*.bin")):
        raise WeightsError(
            f"{folder}: it holds no weights: neither model.safetensors nor pytorch_model.bin",
            "'cospal models fetch' brings all files of a model",
        )


def _check_report(where: str, report: Json, spare: tuple[str, ...]) -> None:
    """WeightsError for weights that were not in the files, or had another shape there."""
    hint = "the files hold another kind or size of model than config.json says"
    missing = sorted(key for key in report["missing_keys"] if not key.startswith(spare))
    if missing:
        more = f" and {len(missing) - 2} more" if len(missing) > 2 else ""
        raise WeightsError(f"{where}no weights for {', '.join(missing[:2])}{more}", hint)
    for key, found, wanted in sorted(report["mismatched_keys"]):
        raise WeightsError(
            f"{where}{key} has the shape {tuple(found)}, the model needs {tuple(wanted)}", hint
        )


def _check_finite(folder: Path, name: str, model: Any) -> None:
    """WeightsError if a weight is NaN or infinite."""
    for key, weight in model.state_dict().items():
        if not weight.isfinite().all():
            raise WeightsError(
                f"{folder}: {key} holds values that are not finite (NaN or infinity)",
                f"run: cospal models verify {name}",
            )


def _refusal(folder: Path, name: str, held: str, kind: str, error: Exception) -> WeightsError:
    """``error`` of transformers in one line."""
    text = " ".join(str(error).split())
    if "Unrecognized configuration class" in text:
        return WeightsError(
            f"{folder}: holds a {held!r} model, which cannot be used for {kind}",
            "name another folder",
        )
    if "weights_only" in text or "Weights only" in text:
        text = "its pickle holds more than weights; it was not loaded"
    elif "custom code" in text:
        text = f"a {held!r} model needs code of its own, which is never run"
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return WeightsError(
        f"{folder}: {cut or type(error).__name__}", f"run: cospal models verify {name}"
    )

"""Opens transformers models from local folders: never the network, never a pickle's code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cospal_cli.errors import WeightsError
from cospal_cli.registry import require
from cospal_cli.weights import models

if TYPE_CHECKING:
    from cospal_cli.torch_device import Place


def open_model(kind: str, name: str, place: Place) -> Any:
    """The transformers class ``kind`` (such as "AutoModel") with the weights of ``name``, in eval
    mode, without gradients, at ``place``.

    ``name`` is what ``models.locate`` takes. Raises WeightsError if weights are missing, damaged,
    incomplete or not numbers.
    """
    folder = models.locate(name)
    transformers: Any = require("transformers", "torch")
    torch: Any = require("torch", "torch")
    try:
        model, report = getattr(transformers, kind).from_pretrained(
            folder, local_files_only=True, dtype=place.dtype, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{folder}: {error}", f"cospal models verify {name}") from error
    if report["missing_keys"]:
        raise WeightsError(
            f"{folder}: no weights for {', '.join(sorted(report['missing_keys'])[:3])} ...",
            "the folder holds another kind of model",
        )
    if not all(torch.isfinite(weight).all() for weight in model.parameters()):
        raise WeightsError(
            f"{folder}: some weights are not numbers", f"cospal models verify {name}"
        )
    return model.eval().requires_grad_(False).to(place.device)

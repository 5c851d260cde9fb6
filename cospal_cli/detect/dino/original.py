"""Original Grounding DINO checkpoints (.pth), run by transformers: renamed while they are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cospal_cli import weights
from cospal_cli.backbones.pretrained import offline, open_state
from cospal_cli.backbones.state import naming, read_state
from cospal_cli.detect.dino.config import MAX_TOKENS, from_state, read_settings
from cospal_cli.detect.dino.keys import convert

if TYPE_CHECKING:
    from cospal_cli.devices.torch_device import Placement


def open_original(path: Path, settings: str | None, place: Placement) -> Any:
    """The network with the weights of the file ``path`` at ``place``, in eval mode.

    Its sizes are read from the weights; ``settings`` is a configuration file that came with them,
    if need be. WeightsError unless every weight has its place, and every place its weight.
    """
    given = read_settings(Path(settings)) if settings else {}
    state = read_state(path)
    with naming(path):
        sizes = from_state(state, given).transformers()
        return open_state(sizes, convert(state, "transformers"), place)


def tokenizer() -> Any:
    """BERT's own, uncased, from the vocabulary that comes with cospal."""
    with offline() as transformers:
        return transformers.BertTokenizer(
            vocab=str(weights.path("bert_vocab")), do_lower_case=True, model_max_length=MAX_TOKENS
        )

"""The original Grounding DINO checkpoints, through the package groundingdino-py.

Prompts, images and boxes are those of ``GroundingDino``; only the network is another.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cospal_cli import weights
from cospal_cli.backbones import models
from cospal_cli.backbones.pretrained import offline
from cospal_cli.backbones.state import naming, read_state
from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.detect.dino.config import MAX_TOKENS, from_state, read_settings
from cospal_cli.detect.dino.grounding_dino import GroundingDino, Opened
from cospal_cli.detect.dino.pixels import Pixels
from cospal_cli.detect.dino.stubs import network_modules
from cospal_cli.devices.torch_device import Place
from cospal_cli.settings import DetectorConfig


class OriginalGroundingDino(GroundingDino):
    """``config.model`` is the checkpoint; ``grounding_dino.config_file`` its configuration."""

    _text_encoder = "model.bert"

    def _open(self, config: DetectorConfig) -> Opened:
        """Raises UsageError without a checkpoint or the package, and as ``GroundingDino``."""
        if not config.model:
            raise UsageError(
                "detector 'groundingdino-py' needs a checkpoint", "--checkpoint FILE.pth"
            )
        path = models.locate(config.model)
        if path.is_dir():
            raise WeightsError(
                f"{path}: a folder, not an original checkpoint",
                "name the .pth file; folders are for --detector grounding-dino",
            )
        network_modules()  # what is missing is said before a large file is read
        network = _network(path, config, self.place)
        return Opened(
            config.model, path, Pixels().scaled(config.grounding_dino.side), _tokenizer(), network
        )


def _network(path: Path, config: DetectorConfig, place: Place) -> Any:
    """The network with the weights of ``path``, built as these and the configuration say."""
    from cospal_cli.detect.dino.original import open_network

    file = config.grounding_dino.config_file
    settings = read_settings(Path(file)) if file else {}
    state = read_state(path)
    with naming(path):
        network = open_network(from_state(state, settings), state, place)
    if (
        config.grounding_dino.compile
    ):  # not as one: the decoder depends on the text, and is compiled anew for each
        for part in (network.model.backbone, network.model.transformer.encoder):
            part.compile()
    return network


def _tokenizer() -> Any:
    """BERT's own, uncased, from the vocabulary that comes with cospal."""
    with offline() as transformers:
        return transformers.BertTokenizer(
            vocab=str(weights.path("bert_vocab")), do_lower_case=True, model_max_length=MAX_TOKENS
        )

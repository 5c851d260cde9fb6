"""The trained heads of either objective, built from what a checkpoint says of itself."""

from __future__ import annotations

from cospal_cli.model.contrast import ContrastHeads
from cospal_cli.model.cospal import CoSPaL
from cospal_cli.model.metadata import HeadsMetadata

TrainedHeads = CoSPaL | ContrastHeads


def build(metadata: HeadsMetadata) -> TrainedHeads:
    """The heads with weights as torch draws them."""
    kind = ContrastHeads if metadata.temporal.objective == "contrast" else CoSPaL
    return kind(metadata.sizes, metadata.model)

"""The trained heads of either objective, built from what a checkpoint says of itself."""

from __future__ import annotations

from cospal_cli.model.contrast import ContrastHeads
from cospal_cli.model.cospal import CoSPaL
from cospal_cli.model.metadata import HeadsMetadata

TrainedHeads = CoSPaL | ContrastHeads


def build(metadata: HeadsMetadata) -> TrainedHeads:
    """The heads with weights as torch draws them."""
    if metadata.temporal.objective == "contrast":
        return ContrastHeads(metadata.sizes, metadata.model)
    return CoSPaL(metadata.sizes, metadata.model, metadata.temporal.hidden)

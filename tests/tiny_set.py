"""A synthetic data set of a few short videos, prepared, and heads of that size without training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from cospal_cli.datasets.synthetic.recipe import Recipe
from cospal_cli.datasets.synthetic.write import write_set
from cospal_cli.model.checkpoint import save
from cospal_cli.model.cospal import CoSPaL
from cospal_cli.model.metadata import HeadsMetadata, Sizes
from cospal_cli.prepared.folder import Prepared
from cospal_cli.preparing.prepare import prepare
from cospal_cli.settings import (
    ClipsConfig,
    Config,
    FeaturesConfig,
    ModelConfig,
    TemporalConfig,
    as_dict,
)

RECIPE = Recipe(seed=5, size=(160, 96), fps=6, seconds=(4, 5), actors=(2, 4), test=0.5)
VIDEOS = 4
CONFIG = replace(
    Config(),
    clips=ClipsConfig(fps=2, frames=1, stride=1, threads=1),
    features=FeaturesConfig(frames=8, max_tubelets=5),
)
MODEL = ModelConfig(dim=16, ffn=16, heads=2, temporal_layers=1, proposals=3)


def make_set(root: Path) -> Path:
    """The data set in ``root``, its features in ``root``/prepared."""
    assert write_set(RECIPE, root, VIDEOS) is not None
    assert prepare(root, root / "prepared", CONFIG) is not None
    return root


def make_heads(folder: Path, prepared: Path) -> Path:
    """A checkpoint whose heads answer somehow, but always the same."""
    features = Prepared.open(prepared)
    words = tuple(sorted(features.words("fit")))
    tubelets, clips, text = features.sizes
    sizes = Sizes(tubelets, clips, text, len(words) + 1)
    settings = {"features": as_dict(features.config.features)}
    torch.manual_seed(3)
    trained, temporal = {"settings": settings}, TemporalConfig(hidden="words")
    metadata = HeadsMetadata(sizes, MODEL, features.identity, words, trained, temporal=temporal)
    save(folder, CoSPaL(sizes, MODEL), metadata)
    return folder

"""Tubelets and a query in, ranked tubes out: every method by name, all with one signature."""

from __future__ import annotations

METHODS = {
    "zero-shot": "cospal_cli.ground.zero_shot:ground",
    "w-gdino": "cospal_cli.ground.w_gdino:ground",
    "cospal": "cospal_cli.ground.cospal:ground",
    "largest": "cospal_cli.ground.baselines:largest",
    "random": "cospal_cli.ground.baselines:random",
    "random-segment": "cospal_cli.ground.baselines:random_segment",
}
TRAINED = frozenset({"cospal"})  # those that need a checkpoint

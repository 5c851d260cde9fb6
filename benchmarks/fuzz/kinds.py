"""Every kind of input: how one is made in a folder of its own, and the command line that reads it.

``build(rng, seeds, here)`` writes files to ``here``, the working folder, and returns arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from benchmarks.fuzz import models, sets, videos, words
from benchmarks.fuzz.media import CONTAINERS
from benchmarks.fuzz.seeds import Seeds

Build = Callable[[Random, Seeds, Path], list[str]]
TORCH = ("torch",)


@dataclass(frozen=True)
class Kind:
    """``weight``: its share among the kinds of its ``group``. ``needs``: parts of ``Seeds``;
    ``imports``: what takes long to import and is no part of the time measured."""

    group: str
    weight: int
    build: Build
    needs: tuple[str, ...] = ("clip",)
    imports: tuple[str, ...] = ()


KINDS: dict[str, Kind] = {
    name: Kind("media", 1 if name in ("dnxhd", "fits", "picture", "sound", "gxf", "wtv") else 4,
               partial(videos.container, name), ("clip", "media"))
    for name in CONTAINERS
}  # fmt: skip
KINDS |= {
    "pictures": Kind("media", 4, videos.pictures, ("clip", "media")),
    "sentence": Kind("others", 24, words.sentence),
    "queries": Kind("others", 6, words.queries),
    "arguments": Kind("others", 8, words.arguments),
    "config": Kind("others", 20, words.config),
    "set": Kind("others", 8, words.setting),
    "detections": Kind("others", 18, sets.detections),
    "hcstvg": Kind("others", 12, partial(sets.annotations, "hcstvg"), ("clip", "sets")),
    "hcstvg-v2": Kind("others", 8, partial(sets.annotations, "hcstvg-v2"), ("clip", "sets")),
    "vidstg": Kind("others", 14, partial(sets.annotations, "vidstg"), ("clip", "sets")),
    "predictions": Kind("others", 10, sets.predictions, ("clip", "sets")),
    "tube": Kind("others", 4, sets.tube, ("clip", "sets")),
    "results": Kind("others", 4, sets.results),
    "parses": Kind("others", 3, sets.parses, ("synthetic",)),
    "prepared": Kind("others", 5, partial(sets.prepared, "set"), ("synthetic",)),
    "prepared-old": Kind("others", 6, partial(sets.prepared, "old/set"), ("sets",)),
    "library": Kind("others", 8, sets.library, ("library",)),
    "heads": Kind("others", 10, models.heads, ("synthetic", "heads"), TORCH),
    "onnx": Kind("others", 7, models.exported, ("synthetic", "heads", "onnx"), ("onnx",)),
    "pickle": Kind("others", 3, models.pickles, ("clip", "synthetic", "heads", "dino"),
                   ("torch", "transformers")),
    "resume": Kind("others", 1, models.resumed, ("synthetic", "heads"), ("torch", "accelerate")),
    "dino": Kind("others", 2, models.dino, ("clip", "dino"), ("torch", "transformers")),
    "store": Kind("others", 3, models.store, ("synthetic", "heads")),
}  # fmt: skip


def chosen(names: list[str]) -> list[str]:
    """The kinds that ``names`` (kinds or groups) mean; SystemExit names one that is neither."""
    found: list[str] = []
    for name in names:
        group = [kind for kind, about in KINDS.items() if about.group == name]
        if not group and name not in KINDS:
            raise SystemExit(f"unknown kind {name!r}; known: media, others, {', '.join(KINDS)}")
        found += group or [name]
    return list(dict.fromkeys(found))

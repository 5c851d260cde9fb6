"""Every kind of input: how one is made in a folder of its own, and the command line that reads it.

``build(rng, seeds, here)`` writes files to ``here``, the working folder, and returns arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from benchmarks.fuzz import chunks, models, raw, sets, words
from benchmarks.fuzz.media import CONTAINERS
from benchmarks.fuzz.seeds import Seeds, files

Build = Callable[[Random, Seeds, Path], list[str]]
TORCH = ("torch",)
SENTENCES = ("the person in red", "the car that moves to the right", "the man with the helmet")
RANGES = (["--start", "3"], ["--start", "0.4s", "--end", "0.8s"], ["--duration", "2"])
RANGES += (["--fps", "3"], ["--end", "00:00:00.5"], ["--strict"])


@dataclass(frozen=True)
class Kind:
    """``weight``: its share among the kinds of its ``group``. ``needs``: parts of ``Seeds``;
    ``imports``: what takes long to import and is no part of the time measured."""

    group: str
    weight: int
    build: Build
    needs: tuple[str, ...] = ("clip",)
    imports: tuple[str, ...] = ()


def _media(kind: str, rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """A damaged video; most with boxes from a file, some with the embedded detector."""
    folder = seeds.folder / "media"
    source = rng.choice(files(folder / kind))
    data = source.read_bytes()
    changed = chunks.mutated(data, rng) if rng.random() < 0.4 else None
    if changed is None or rng.random() < 0.1:
        other = rng.choice(files(folder)).read_bytes() if rng.random() < 0.1 else b""
        changed = raw.mutated(changed or data, rng, [other] if other else ())
    suffix = source.suffix if rng.random() < 0.9 else rng.choice((".mp4", ".mkv", ".avi", ""))
    name = f"input{suffix}"
    (here / name).write_bytes(changed)
    args = ["ground", name, rng.choice(SENTENCES[:2]), "-o", "out"]
    if rng.random() < 0.985:
        args += ["--detections", str(seeds.folder / "boxes.jsonl")]
    elif rng.random() < 0.5:
        args[2] = SENTENCES[2]  # the helmet is looked for in pictures of the person
    args += ["--no-video"] if rng.random() < 0.75 else []
    args += ["--json"] if rng.random() < 0.1 else []
    return args + (rng.choice(RANGES) if rng.random() < 0.2 else [])


KINDS: dict[str, Kind] = {
    name: Kind("media", 1 if name in ("dnxhd", "fits", "picture", "sound", "gxf", "wtv") else 4,
               partial(_media, name), ("clip", "media"))
    for name in CONTAINERS
}  # fmt: skip
KINDS |= {
    "sentence": Kind("others", 24, words.sentence),
    "queries": Kind("others", 6, words.queries),
    "arguments": Kind("others", 8, words.arguments),
    "config": Kind("others", 14, words.config),
    "set": Kind("others", 6, words.setting),
    "detections": Kind("others", 14, sets.detections),
    "hcstvg": Kind("others", 8, partial(sets.annotations, "hcstvg"), ("clip", "sets")),
    "hcstvg-v2": Kind("others", 6, partial(sets.annotations, "hcstvg-v2"), ("clip", "sets")),
    "vidstg": Kind("others", 10, partial(sets.annotations, "vidstg"), ("clip", "sets")),
    "predictions": Kind("others", 6, sets.predictions, ("clip", "sets")),
    "tube": Kind("others", 3, sets.tube, ("clip", "sets")),
    "parses": Kind("others", 3, sets.parses, ("synthetic",)),
    "prepared": Kind("others", 10, sets.prepared, ("synthetic",)),
    "heads": Kind("others", 10, models.heads, ("synthetic", "heads"), TORCH),
    "onnx": Kind("others", 10, models.exported, ("synthetic", "heads", "onnx"), ("onnx",)),
    "pickle": Kind("others", 5, models.pickles, ("clip", "synthetic", "heads", "dino"),
                   ("torch", "transformers")),
    "resume": Kind("others", 2, models.resumed, ("synthetic", "heads"), ("torch", "accelerate")),
    "dino": Kind("others", 3, models.dino, ("clip", "dino"), ("torch", "transformers")),
    "store": Kind("others", 2, models.store, ("synthetic", "heads")),
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

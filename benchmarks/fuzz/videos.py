"""Inputs that are videos: damaged containers, and folders of pictures."""

from __future__ import annotations

from pathlib import Path
from random import Random

from benchmarks.fuzz import chunks, raw, text
from benchmarks.fuzz.seeds import Seeds, borrow, files

SENTENCES = ("the person in red", "the car that moves to the right", "the man with the helmet")
RANGES = (["--start", "3"], ["--start", "0.4s", "--end", "0.8s"], ["--duration", "2"])
RANGES += (["--fps", "3"], ["--end", "00:00:00.5"], ["--strict"])


def container(kind: str, rng: Random, seeds: Seeds, here: Path) -> list[str]:
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


def pictures(rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """A folder of pictures with one or two of them damaged, renamed or of another kind."""
    kinds = seeds.folder / "media" / "pictures"
    folder = borrow(rng.choice(sorted(kinds.iterdir())), here / "frames")
    found = sorted(folder.iterdir())
    if rng.random() < 0.1:
        other = rng.choice(files(kinds))
        borrow(other, folder / f"other{other.suffix}")
    for path in rng.sample(found, rng.choice((1, 1, 2))):
        data = raw.mutated(path.read_bytes(), rng)
        path.unlink()
        stem = text.mutated(path.stem, rng) if rng.random() < 0.1 else path.stem
        plain = stem[:50].replace("/", "_").replace("\0", "_").encode("utf-8", "replace").decode()
        path.with_name(f"{plain}{path.suffix}").write_bytes(data)
    args = ["ground", rng.choice(("frames", f"frames/%d{found[0].suffix}")), SENTENCES[0]]
    args += ["-o", "out", "--detections", str(seeds.folder / "boxes.jsonl")]
    return args + (["--no-video"] if rng.random() < 0.7 else [])

"""Inputs about many videos: detections, annotations, predictions, parses, prepared features."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from benchmarks.fuzz import raw, text
from benchmarks.fuzz.seeds import Seeds, borrow, listed
from benchmarks.fuzz.tensors import safetensors

BOX = [10, 8, 30, 40]
PREDICTION = {"st_frame": 5, "ed_frame": 10, "bbox": {str(n): BOX for n in range(5, 11)}}
TUBE = {
    "schema": "cospal/tube@1",
    "video": {"path": "clip.mp4", "width": 64, "height": 48, "frames": 20},
    "query": {"id": "1", "text": "the person"},
    "status": "complete",
    "tubes": [{"score": 0.5, "start_frame": 4, "end_frame": 10, "boxes": [BOX] * 6}],
}
PARSE = {"id": "00000_s0n0", "text": "x", "global": "the man", "local": ["a man"],
         "referral": ["man"], "verbs": 2}  # fmt: skip


def detections(rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """A file of boxes for a whole video."""
    lines = (seeds.folder / "boxes.jsonl").read_text().splitlines()[:25]
    _lines(here / "boxes.jsonl", [json.loads(line) for line in lines], rng)
    return ["ground", str(seeds.folder / "clip.mp4"), "the person in red", "-o", "out.json",
            "--detections", "boxes.jsonl"]  # fmt: skip


def annotations(form: str, rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """A data set with one file of annotations changed, rarely a video."""
    root = borrow(seeds.folder / form, here / "set")
    kind = "*.json" if rng.random() < 0.97 else "*.mp4"
    path = rng.choice(sorted(root.rglob(kind)))
    data = path.read_bytes()
    if kind == "*.json" and rng.random() < 0.9:
        data = text.dumped(text.changed(json.loads(data), rng), rng)
    else:
        data = raw.mutated(data, rng)
    _put(path, data)
    if rng.random() < 0.8:
        return ["data", "check", "set", "--jobs", "0", *(["--json"] if rng.random() < 0.5 else [])]
    _put(here / "answers.json", b"{}")
    return ["evaluate", "--data", "set", "--predictions", "answers.json", "--split",
            rng.choice(("train", "test", "val")), "--resamples", "0"]  # fmt: skip


def predictions(rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """A file of predictions in HC-STVG's form."""
    ids = list(json.loads((seeds.folder / "hcstvg" / "train.json").read_bytes()))
    rows = dict.fromkeys(ids, PREDICTION)
    _put(here / "answers.json", text.dumped(text.changed(rows, rng), rng))
    return _evaluated(seeds, "answers.json")


def tube(rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """A tube as ``ground`` writes it, or something like it, as predictions."""
    _put(here / "answers.tube.json", text.dumped(text.changed(TUBE, rng), rng))
    return _evaluated(seeds, "answers.tube.json")


def results(rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """What a run stored, for a page: a file, or lines of several."""
    box = {"frame": 4, "pts": 4, "time": 0.4, "bbox": BOX, "score": 0.9, "interpolated": False}
    why = {"class": 0.5, "colour": -1.0}
    tube = {"id": 1, "label": "man", "score": 0.5, "confidence": 0.5, "why": why, "start_time": 0.4,
            "end_time": 0.5, "start_frame": 4, "end_frame": 5, "boxes": [box]}  # fmt: skip
    words = {"subject": "man", "referral": "the man", "unresolved": ["tall"], "warnings": ["so"]}
    curve = {"text": "walks", "times": [0.1, 0.4], "log_odds": [None, 1.5]}
    proposal = {"start_time": 0.1, "end_time": 0.9, "score": 0.5}
    whole = TUBE | {
        "generator": {"name": "cospal", "version": "1", "config": {"video": {"stream": None}}},
        "video": {"path": str(seeds.folder / "clip.mp4"), "width": 64, "height": 48, "bytes": None,
                  "avg_fps": "10/1", "duration": 2.0, "warnings": []},
        "query": {"id": "1", "text": "the man"} | words,
        "tubes": [tube, tube],
        "heads": {"curves": [curve], "proposals": [proposal]},
    }  # fmt: skip
    if rng.random() < 0.5:
        _put(here / "answers.tube.json", text.dumped(text.changed(whole, rng), rng))
        return ["report", "answers.tube.json", "-o", "page.html"]
    _lines(here / "results.jsonl", [whole] * 3, rng)
    return ["report", ".", "-o", "page.html"]


def parses(rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """Parses made elsewhere."""
    borrow(seeds.folder / "set", here / "set")
    rows = (here / "set" / "prepared" / "splits" / "train.jsonl").read_text().splitlines()
    texts = [json.loads(row) for row in rows]
    given = [PARSE | {key: row[key] for key in ("id", "text") if key in row} for row in texts]
    _lines(here / "parses.jsonl", given, rng)
    return ["data", "prepare", "set", "--parses", "parses.jsonl", "--jobs", "0", "--quiet"]


def prepared(name: str, rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """Prepared features of the set ``name`` with one file changed."""
    root = borrow(seeds.folder / name / "prepared", here / "prepared")
    args = _methods(seeds.folder / name, rng)
    path = rng.choice(listed(root))
    if path.suffix == ".safetensors" and rng.random() < 0.7:
        data = safetensors(path.read_bytes(), rng)
    elif path.suffix == ".json" and rng.random() < 0.85:
        data = text.dumped(text.changed(json.loads(path.read_bytes()), rng), rng)
    elif path.suffix == ".jsonl" and rng.random() < 0.85:
        _lines(path, [json.loads(line) for line in path.read_bytes().splitlines()], rng)
        return args
    else:
        data = raw.mutated(path.read_bytes(), rng)
    _put(path, data)
    return args


def library(rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """A library with one file changed: an observation's, the catalogue, or its mark."""
    root = borrow(seeds.folder / "lib", here / "lib")
    path = rng.choice(listed(root))
    if path.suffix == ".safetensors" and rng.random() < 0.7:
        data = safetensors(path.read_bytes(), rng)
    elif path.suffix == ".json" and rng.random() < 0.8:
        data = text.dumped(text.changed(json.loads(path.read_bytes()), rng), rng)
    else:
        data = raw.mutated(path.read_bytes(), rng)
    _put(path, data)
    asked = ["search", rng.choice(("the man in red walks", "the dog", "someone with a hat"))]
    does = rng.choice(("verify", "repair", "list", "info"))
    return [*rng.choice((asked, asked, ["library", does])), "--library", "lib"]


def _methods(data: Path, rng: Random) -> list[str]:
    split = rng.choice(("train", "train", "test"))
    return ["evaluate", "--data", str(data), "--prepared", "prepared", "--split",
            split, "--resamples", "0"]  # fmt: skip


def _evaluated(seeds: Seeds, name: str) -> list[str]:
    return ["evaluate", "--data", str(seeds.folder / "hcstvg"), "--predictions", name, "--split",
            "train", "--resamples", "0"]  # fmt: skip


def _lines(path: Path, rows: list[object], rng: Random) -> None:
    """JSON lines with one to three of them changed."""
    done = [json.dumps(row).encode() for row in rows]
    for _ in range(rng.choice((1, 1, 2, 3)) if rows else 0):
        at = rng.randrange(len(rows))
        done[at] = text.dumped(text.changed(rows[at], rng), rng)
    data = rng.choice((b"\n", b"\n", b"\n", b"\r\n", b"\n\n")).join(done)
    _put(path, raw.mutated(data, rng) if rng.random() < 0.1 else data)


def _put(path: Path, data: bytes) -> None:
    """Replace a file that may be a link to one of the whole inputs."""
    path.unlink(missing_ok=True)
    path.write_bytes(data)

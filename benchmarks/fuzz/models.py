"""Inputs that are models: checkpoints of heads, exported graphs, backbones, and traps."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from benchmarks.fuzz import payloads, raw, text
from benchmarks.fuzz.seeds import Seeds, borrow, listed
from benchmarks.fuzz.tensors import graph, safetensors

ENCODERS = ("text.name=bert", "text.model=text"), ("clips.name=i3d", "clips.model=clips.pt")
REMOTE = '__import__("os").mkdir("canary")\n'


def heads(rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """A checkpoint with one file changed."""
    root = borrow(seeds.folder / "run" / "last", here / "heads")
    _spoil(root / rng.choice(("config.json", "model.safetensors")), rng)
    return [*_evaluate(seeds, "heads"), "--runtime", "torch", "--device", "cpu"]


def exported(rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """Exported heads with one file changed."""
    root = borrow(seeds.folder / "run" / "last-onnx", here / "heads")
    _spoil(rng.choice(listed(root)), rng)
    return [*_evaluate(seeds, "heads"), "--runtime", "onnx"]


def resumed(rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """A training that is gone on with from damaged files."""
    root = borrow(seeds.folder / "run", here / "run")
    _spoil(rng.choice([*listed(root / "last"), root / "metrics.jsonl"]), rng)
    start = ["train", "--data", str(seeds.folder / "set"), "--quiet", "--device", "cpu"]
    start += ["--epochs", "2", "--batch", "2"]
    start += [part for one in ("dim", "ffn") for part in ("--set", f"model.{one}=16")]
    start += ["--set", "model.heads=2"]
    if rng.random() < 0.5:
        return [*start, "--out", "run", "--resume"]
    return [*start, "--out", "new", "--init-from", "run/last", "--epochs", "1"]


def dino(rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """A tiny Grounding DINO with one file changed; sometimes one that brings its own code."""
    root = borrow(seeds.folder / "dino", here / "dino")
    if rng.random() < 0.15:
        config = json.loads((root / "config.json").read_bytes())
        auto = rng.choice(("AutoConfig", "AutoModelForZeroShotObjectDetection", "AutoTokenizer"))
        config["auto_map"] = {auto: "trap.Trap"}
        if rng.random() < 0.5:
            config["model_type"] = "trap"
        _put(root / "config.json", json.dumps(config).encode())
        _put(root / "trap.py", REMOTE.encode())
    else:
        _spoil(rng.choice(listed(root)), rng)
    return ["ground", str(seeds.folder / "clip.mp4"), "the person in red", "-o", "out.json",
            "--detector", "grounding-dino", "--detector-model", "dino", "--device", "cpu", "--fps",
            "2"]  # fmt: skip


def pickles(rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """A trap, or a damaged checkpoint, wherever a file of weights is read."""
    data = payloads.pickled(rng)
    if rng.random() < 0.25:
        data = raw.mutated((seeds.folder / "dino.pth").read_bytes(), rng)
    elif rng.random() < 0.25:
        data = raw.mutated(data, rng)
    elif rng.random() < 0.05:
        data = rng.choice((b"", b".", b"\x80\x02.", b"\x80\x04N.", b"PK\x03\x04", b"(" * 100_000))
    clip, sentence = str(seeds.folder / "clip.mp4"), "the person in red"
    boxes = ["--detections", str(seeds.folder / "boxes.jsonl")]
    match rng.choice(("original", "convert", "heads", "dino", "text", "clips", "first")):
        case "original":
            _put(here / "model.pth", data)
            return ["ground", clip, sentence, "--checkpoint", "model.pth", "--device", "cpu"]
        case "convert":
            _put(here / "model.pth", data)
            return ["models", "convert", "model.pth", "converted"]
        case "dino":
            root = borrow(seeds.folder / "dino", here / "dino")
            (root / "model.safetensors").unlink()
            _put(root / rng.choice(("pytorch_model.bin", "model.safetensors")), data)
            return ["ground", clip, sentence, "--detector", "grounding-dino", "--detector-model",
                    "dino", "--device", "cpu"]  # fmt: skip
        case "text":
            root = borrow(seeds.folder / "dino", here / "text")
            (root / "model.safetensors").unlink()
            _put(root / "pytorch_model.bin", data)
            _put(root / "config.json", b'{"model_type": "bert", "hidden_size": 64}')
            return _encoded(seeds, ENCODERS[0])
        case "clips":
            _put(here / "clips.pt", data)
            return _encoded(seeds, ENCODERS[1])
    root = borrow(seeds.folder / "run" / "last", here / "heads")
    _put(root / rng.choice(("model.safetensors", "trainer.safetensors", "config.json")), data)
    return ["ground", clip, sentence, "--checkpoint", "heads", *boxes, "--no-video", "-o", "out"]


def store(rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """A fetched model whose record is changed."""
    root = borrow(seeds.folder / "run" / "last", here / "model")
    entry = {"bytes": 10, "sha256": "0" * 64, "mtime_ns": 1}
    names = ("config.json", "../../etc/passwd", "/etc/passwd", "model.safetensors", "missing", "")
    record = {"schema": "cospal/model@1", "source": "https://example.org", "revision": None,
              "licence": "x", "files": dict.fromkeys(rng.sample(names, 3), entry)}  # fmt: skip
    if rng.random() < 0.8:
        record = text.changed(record, rng)
    _put(root / "cospal.json", text.dumped(record, rng))
    return ["models", rng.choice(("verify", "verify", "path")), "./model"]


def _encoded(seeds: Seeds, sets: tuple[str, ...]) -> list[str]:
    """Trained heads with other encoders than theirs, which are opened before that is noticed."""
    given = [part for one in sets for part in ("--set", one)]
    return ["ground", str(seeds.folder / "clip.mp4"), "the person in red", "--detections",
            str(seeds.folder / "boxes.jsonl"), "--checkpoint", str(seeds.folder / "run" / "last"),
            *given]  # fmt: skip


def _evaluate(seeds: Seeds, checkpoint: str) -> list[str]:
    return ["evaluate", "--data", str(seeds.folder / "set"), "--checkpoint", checkpoint,
            "--resamples", "0"]  # fmt: skip


def _spoil(path: Path, rng: Random) -> None:
    """Change one file as befits its kind; sometimes it is a trap, empty, or gone."""
    data = path.read_bytes()
    path.unlink()
    how = rng.random()
    if how < 0.02:
        return
    if how < 0.06:
        data = rng.choice((payloads.pickled(rng), b"", b"[" * 50_000, b"null", b"\0" * 100))
    elif path.suffix == ".safetensors":
        data = safetensors(data, rng)
    elif path.suffix == ".onnx":
        data = graph(data, rng)
    elif path.suffix == ".json" and how < 0.9:
        data = text.dumped(text.changed(json.loads(data), rng), rng)
    else:
        data = raw.mutated(data, rng)
    path.write_bytes(data)


def _put(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(data)

"""Inputs that are words: sentences, files of them, settings, arguments."""

from __future__ import annotations

from pathlib import Path
from random import Random

from benchmarks.fuzz import payloads, text
from benchmarks.fuzz.seeds import Seeds

SENTENCES = (
    "the cyclist with the helmet",
    "The man in the gray sweater walks to the left and sits down.",
    "the woman who is not wearing a hat",
    "who is next to the red toy in the playground?",
    "what does the child in black watch?",
    "the second car from the left that turns right",
    "a tall person with glasses, holding the dog's leash, turns around and hugs the other one",
    "two people on bikes, one of them without a helmet",
    'the man in the "Lakers" jersey',
    "when does the cat jump onto the table",
    "die Frau mit dem Hut",
    "person",
)
YAML = (
    "video:\n  fps: 5\n  work_side: 320\n  start: 1s\n",
    "detector:\n  name: nanodet\n  threshold: 0.3\n  device: cpu\n  batch: 4\n",
    "ground: {top_k: 3, min_score: 0.1}\noutput:\n  video: false\n  overwrite: true\n",
    "tracker:\n  name: botsort\n# a comment\nappearance:\n  enabled: no\n",
    "train:\n  lr: 1e-4\n  batch: 32\ncurriculum:\n  epochs: [3, 3, 4]\n",
)
SETTINGS = (
    "video.fps=5", "video.start=00:00:01.5", "detector.threshold=0.3", "detector.device=cpu",
    "ground.top_k=3", "output.video=false", "tracker.name=bytetrack", "curriculum.epochs=3,3,4",
    "clips.frames=8", "features.max_words=20", "train.lr=1e-4", "detector.file.path=boxes.jsonl",
)  # fmt: skip
FLAGS = (
    ("--start", "1"), ("--start", "0.5s"), ("--end", "00:00:01.5"), ("--duration", "10"),
    ("--fps", "5"), ("--top-k", "2"), ("--max-pixels", "100000"), ("--batch", "auto"),
    ("--device", "cpu"), ("--precision", "fp32"), ("--tracker", "botsort"), ("--tiles", "2"),
    ("--method", "zero-shot"), ("--detector", "file"), ("--runtime", "onnx"), ("--threads", "1"),
)  # fmt: skip


def sentence(rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """One sentence about a whole video."""
    said = text.mutated(rng.choice(SENTENCES), rng, SENTENCES)
    given = ["-q", said] if rng.random() < 0.5 else ["--", _clip(seeds), said]
    head = ["ground", *_boxes(seeds), "-o", "out.json", "--no-video", *_plain(rng)]
    return [*head, _clip(seeds), *given] if given[0] == "-q" else [*head, *given]


def queries(rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """A file of sentences."""
    chosen = [text.mutated(rng.choice(SENTENCES), rng) for _ in range(rng.randint(0, 4))]
    (here / "queries.txt").write_bytes(text.encoded("\n".join(chosen), rng))
    return ["ground", _clip(seeds), "--query-file", "queries.txt", *_boxes(seeds), "-o", "out",
            "--no-video", *_plain(rng)]  # fmt: skip


def arguments(rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """Flags with odd values."""
    args = ["ground", _clip(seeds), "the person", "-o", "out", "--no-video"]
    args += _boxes(seeds) if rng.random() < 0.9 else ["--dry-run"]
    for name, value in rng.sample(FLAGS, rng.choice((1, 1, 2, 3))):
        odd = rng.choice((text.mutated(value, rng), str(rng.choice(text.VALUES)), value))
        args += [f"{name}={odd}"] if rng.random() < 0.5 else [name, odd]
    return args


def config(rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """A YAML file of settings."""
    (here / "settings.yaml").write_bytes(text.encoded(_yaml(rng), rng))
    if rng.random() < 0.9:
        return ["config", "show", "--config", "settings.yaml"]
    return ["ground", _clip(seeds), "the person", "--config", "settings.yaml", *_boxes(seeds),
            "--no-video", "-o", "out"]  # fmt: skip


def setting(rng: Random, seeds: Seeds, here: Path) -> list[str]:
    """Settings on the command line."""
    sets = [text.mutated(rng.choice(SETTINGS), rng) for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.3:
        name = rng.choice(SETTINGS).partition("=")[0]
        sets.append(f"{name}={rng.choice(text.VALUES)}")
    given = [part for one in sets for part in ("--set", one)]
    return ["config", "show", *given]


def _yaml(rng: Random) -> str:
    plain = rng.choice(YAML)
    match rng.choices(
        ("tokens", "payload", "bomb", "deep", "twice", "values"), (60, 8, 4, 4, 4, 20)
    ):
        case ["payload"]:
            return (
                text.mutated(rng.choice(payloads.YAML), rng)
                if rng.random() < 0.5
                else (rng.choice(payloads.YAML))
            )
        case ["bomb"]:
            rows = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 25)]
            return "a0: &a0 [x]\n" + "\n".join(rows) + f"\nvideo: *a{rng.randint(1, 24)}\n"
        case ["deep"]:
            depth = rng.choice((30, 900, 20_000))
            return rng.choice(("{a: " * depth, "[" * depth, "- " * depth, "? " * depth))
        case ["twice"]:
            return plain + plain
        case ["values"]:
            key = rng.choice([line for line in plain.splitlines() if ": " in line] or ["x: 1"])
            value = rng.choice((".nan", ".inf", "2020-01-01", "0x10", "1_000", "~", "!!binary aGk=",
                                "!!set {a}", "!!float x", "0o17", "1:30", "[]", "{}", "|\n    x",
                                "9" * 5000, "&x [*x]", "!!timestamp 2020-99-99"))  # fmt: skip
            return plain.replace(key, key.partition(":")[0] + ": " + value, 1)
    return text.mutated(plain, rng, YAML)


def _plain(rng: Random) -> list[str]:
    """As a rule without the pictures of what words mean, which take most of the time."""
    return ["--set", "appearance.enabled=false"] if rng.random() < 0.8 else []


def _clip(seeds: Seeds) -> str:
    return str(seeds.folder / "clip.mp4")


def _boxes(seeds: Seeds) -> list[str]:
    return ["--detections", str(seeds.folder / "boxes.jsonl")]

"""A prepared folder of random features in given shapes, written as real ones are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import numpy as np

from cospal_cli import settings
from cospal_cli.core.clips import Clips
from cospal_cli.core.files import write_text
from cospal_cli.core.frames import Timeline, VideoInfo
from cospal_cli.core.observation import Observation
from cospal_cli.core.phrases import WordVectors
from cospal_cli.datasets.splits import VALIDATION, validation_sources
from cospal_cli.language.phrases import Refined, texts_of, words_alone
from cospal_cli.prepared import texts as texts
from cospal_cli.prepared import videos as cache
from cospal_cli.prepared.folder import FORMAT, NAME, SPLITS, TEXTS, VIDEOS
from cospal_cli.settings import Config


@dataclass(frozen=True)
class Shape:
    """Sizes of the heads' inputs; the defaults are those of Grounding DINO, I3D and BERT."""

    videos: int = 256
    sentences: int = 4500
    tubelets: int = 10
    times: int = 32
    tubelet_dim: int = 256
    clips: int = 200
    clip_dim: int = 1024
    words: int = 20
    word_dim: int = 768
    vocabulary: int = 3000


class _Encoder:
    """A random vector for every word, seeded by its letters."""

    model_id, model_sha256 = "random", ""

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def words(self, text: str) -> WordVectors:
        """The words between spaces."""
        return self.words_of([text])[0]

    def words_of(self, many: Sequence[str]) -> list[WordVectors]:
        """Likewise of many texts."""
        vectors = []
        for text in many:
            ends = np.cumsum([len(word) + 1 for word in text.split()])
            starts = [0, *ends.tolist()]
            spans = tuple(zip(starts, (ends - 1).tolist(), strict=False))
            rows = [
                np.random.default_rng(list(word.encode())).normal(size=self.dim)
                for word in text.split()
            ]
            vectors.append(WordVectors(spans, np.array(rows, np.float32)))
        return vectors


def build(folder: Path, shape: Shape, seed: int = 0) -> None:
    """Write a data set that has a split train alone, a tenth of it for validation."""
    rng = np.random.default_rng(seed)
    for name in (VIDEOS, SPLITS, TEXTS):
        (folder / name).mkdir(parents=True)
    names = [f"video{number:05d}.safetensors" for number in range(shape.videos)]
    for name in names:
        _video(folder / VIDEOS / name, shape, rng)
    parses = [_parse(shape, rng) for _ in range(shape.sentences)]
    owners = [names[number % shape.videos] for number in range(shape.sentences)]
    taken = validation_sources(owners)
    rows = [
        {
            "id": f"s{number}", "video": owner, "source": owner, "text": parse.text,
            "form": "declarative", "tubelets": shape.tubelets, VALIDATION: owner in taken,
        }
        for number, (owner, parse) in enumerate(zip(owners, parses, strict=True))
    ]  # fmt: skip
    lines = [{"id": row["id"]} | parse.as_dict() for row, parse in zip(rows, parses, strict=True)]
    write_text(folder / SPLITS / "train.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    write_text(folder / TEXTS / "train.jsonl", "".join(json.dumps(row) + "\n" for row in lines))
    key = {"parses": sha256((folder / TEXTS / "train.jsonl").read_bytes()).hexdigest()}
    every = list(
        dict.fromkeys(text for parse in parses for text in (*texts_of(parse), *words_alone(parse)))
    )
    texts.write(folder / TEXTS / "train.safetensors", every, _Encoder(shape.word_dim), key)
    write_text(folder / NAME, json.dumps(_about(shape, folder), indent=1) + "\n")


def _video(path: Path, shape: Shape, rng: np.random.Generator) -> None:
    info = VideoInfo("random.mp4", 640, 360, 0, Fraction(1, 1000), Fraction(10))
    frames = np.arange(10)
    line = Timeline(frames, frames * 100, frames / 10, 1.0)
    size = (shape.tubelets, shape.times, shape.tubelet_dim)
    view = cache.Searched(
        "", None, rng.normal(size=size).astype(np.float32), np.ones(size[:2], bool)
    )
    starts = np.arange(shape.clips) / shape.clips
    clips = Clips(
        rng.normal(size=(shape.clips, shape.clip_dim)).astype(np.float32),
        np.stack([starts, starts + 1 / shape.clips], axis=1),
    )
    cache.write(path, {"": Observation(info, line, (), ())}, [view], clips, {})


def _parse(shape: Shape, rng: np.random.Generator) -> Refined:
    """A sentence of random words, of which the first three are the referral."""
    words = [f"word{number}" for number in rng.integers(shape.vocabulary, size=shape.words)]
    text, who = " ".join(words), words[:3]
    return Refined(text, " ".join(words[: shape.words // 2]), (text,), tuple(who), 1, " ".join(who))


def _about(shape: Shape, folder: Path) -> dict[str, object]:
    features = replace(Config().features, max_clips=max(shape.clips, 1), frames=shape.times)
    dims = {"tubelets": shape.tubelet_dim, "clips": shape.clip_dim, "text": shape.word_dim}
    return {
        "format": FORMAT,
        "complete": True,
        "root": str(folder),
        "data_format": "hcstvg",
        "synthetic": False,
        "made_with": {"features": asdict(features)},
        "settings": settings.as_dict(replace(Config(), features=features)),
        "identity": {part: {"name": "random", "dim": dim} for part, dim in dims.items()},
        "splits": {"train": {"records": shape.sentences}},
    }

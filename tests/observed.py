"""Made-up observations: walking people and dogs with colours, crops and a camera, as a pass leaves
them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from cospal_cli.core.colours import NAMES, REGIONS
from cospal_cli.core.frames import Timeline, TimeRule, VideoInfo
from cospal_cli.core.observation import Observation
from cospal_cli.core.tubelets import BoxColours, Tubelet
from cospal_cli.core.vocabulary import COCO

SIZE = (640, 360)
FPS, SAMPLED = 20, 10


@dataclass(frozen=True)
class Someone:
    """A tubelet to be made: what it is, in which colour, and how it goes through the picture."""

    kind: str = "person"
    colour: str = "red"
    start: tuple[float, float] = (100, 100)
    end: tuple[float, float] = (400, 100)
    time: tuple[float, float] = (0.0, 1.0)  # shares of the video


def observation(
    path: Path | str, people: Sequence[Someone], seconds: float = 4.0, seed: int = 0
) -> Observation:
    """What a pass over a video of ``people`` would leave."""
    rng = np.random.default_rng(seed)
    frames = round(seconds * FPS)
    info = VideoInfo(
        str(path), *SIZE, 0, Fraction(1, 1000), Fraction(FPS), 0, frames, seconds, 99, codec="h264"
    )
    at = np.arange(frames, dtype=np.int64)
    rules = (TimeRule("estimated", 2, 0.5),)
    line = Timeline(at, at * 50, at / FPS, seconds, False, ("a remark",), False, rules)
    tubelets = tuple(_tubelet(n, one, frames, rng) for n, one in enumerate(people, 1))
    crops = {10 * t.id: tuple((float(s), _jpeg(rng)) for s in t.times_s[:3]) for t in tubelets}
    model = {"id": "nanodet_g_coco", "sha256": "0" * 64}
    return Observation(info, line, tubelets, COCO, model, crops)


def _tubelet(number: int, one: Someone, frames: int, rng: np.random.Generator) -> Tubelet:
    first, last = (round(share * (frames - 1)) for share in one.time)
    at = np.arange(first, last + 1, FPS // SAMPLED, dtype=np.int64)
    part = np.linspace(0, 1, len(at))[:, None]
    place = np.array(one.start) * (1 - part) + np.array(one.end) * part
    boxes = np.concatenate([place, place + np.array([50, 120])], axis=1).astype(np.float32)
    labels = rng.uniform(0, 0.02, len(COCO)).astype(np.float32)
    labels[COCO.index(one.kind)] = 0.8
    observed = np.ones(len(at), bool)
    observed[1:-1:5] = False
    seen = int(observed.sum())
    shares = np.zeros((seen, len(REGIONS), len(NAMES)), np.uint8)
    shares[:, :, NAMES.index(one.colour)] = 200
    shares[:, :, NAMES.index("gray")] = rng.integers(0, 50, (seen, len(REGIONS)))
    return Tubelet(
        number, at, at / FPS, boxes, rng.uniform(0.5, 0.9, len(at)).astype(np.float32), observed,
        labels, BoxColours(shares, rng.integers(0, 255, (seen, 12, 12), np.uint8)),
        np.cumsum(rng.normal(0, 0.2, (len(at), 2)), axis=0).astype(np.float32), (10 * number,),
    )  # fmt: skip


def _jpeg(rng: np.random.Generator) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (24, 16, 3), np.uint8)).save(file, "JPEG")
    return file.getvalue()

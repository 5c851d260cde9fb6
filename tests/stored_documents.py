"""Stored tube documents of every kind, with boxes at hundredths of a pixel, and no video."""

from __future__ import annotations

import copy
from fractions import Fraction
from importlib.util import find_spec
from typing import Any

import numpy as np

from cospal_cli.core.backends import OUTPUTS
from cospal_cli.core.frames import Timeline, VideoInfo
from cospal_cli.core.observation import Observation
from cospal_cli.core.query import Query
from cospal_cli.core.tube import Tube
from cospal_cli.outputs import tube_json
from cospal_cli.outputs.stored import TubeDocument

EXTRA = all(map(find_spec, ("opentimelineio", "otio_cmx3600_adapter")))
NAMES = [name for name in OUTPUTS if EXTRA or name not in ("otio", "edl")]  # those that open here

STRANGE = (
    "  naïve <b>café</b> & 走る --> \"x\"\n\tالرجل ☕ 'y', {\\an8}; -- ",
    "a\x00b\x1b[31m\ud800c",
    "=1+1",
    "true",
    "a" * 3000,
)


def path_of(frames: int, seed: int = 0, size: tuple[int, int] = (640, 360)) -> np.ndarray:
    """Boxes (frames, 4) that wander through a frame of ``size``, at hundredths of a pixel."""
    steps, rng = np.arange(frames), np.random.default_rng(seed)
    x = 60 + 200 * (1 + np.sin(steps / 30 + seed)) + rng.normal(0, 0.3, frames)
    y = 40 + 80 * (1 + np.cos(steps / 17)) + rng.normal(0, 0.3, frames)
    boxes = np.stack([x, y, x + 40.37 + 5 * np.sin(steps / 9), y + 90.11], axis=1)
    return np.clip(np.round(boxes, 2), 0, [*size, *size])


def tube(
    number: int,
    start: int,
    times_s: np.ndarray,
    boxes: np.ndarray,
    label: str = "man",
    score: float = 0.7,
) -> Tube:
    """``times_s``: of every frame of the video, and its end."""
    count = len(boxes)
    return Tube(
        id=number,
        frame_indices=np.arange(start, start + count),
        pts=np.round(times_s[start : start + count] * 1000).astype(np.int64),
        times_s=times_s[start : start + count],
        boxes_xyxy=boxes.astype(np.float32),
        box_scores=np.linspace(0.5, 0.9, count).astype(np.float32),
        interpolated=np.arange(count) % 2 == 1,
        span_s=(float(times_s[start]), float(times_s[start + count])),
        score=score,
        match=0.2,
        label=label,
    )


def document(
    tubes: list[Tube],
    times_s: np.ndarray,
    text: str = "the man in the red coat walks left",
    path: str = "dir/clip.mp4",
    query_id: str = "1",
    size: tuple[int, int] = (640, 360),
    **config: Any,
) -> dict[str, Any]:
    """The JSON of a video whose frames have ``times_s``, which end with its end."""
    count = len(times_s) - 1
    fps = Fraction(count / float(times_s[-1])).limit_denominator(1001)
    info = VideoInfo(path, *size, 0, Fraction(1, 1000), fps, 0, None, duration_s=float(times_s[-1]))
    uneven = bool(np.ptp(np.diff(times_s)) > 1e-6)
    timeline = Timeline(
        np.arange(count), np.arange(count), times_s[:-1], float(times_s[-1]), uneven
    )
    made = tube_json.document(
        Observation(info, timeline, (), (), {"id": "x", "sha256": ""}),
        Query(text=text, referral=text, subject="man", classes={"person": 1.0}),
        query_id,
        tubes,
        config={"video": {"start": None, "end": None, "duration": None} | config},
        status="complete",
    )
    return made


EVEN = np.arange(121) / 25
VFR = np.cumsum(np.concatenate([[0], np.random.default_rng(5).uniform(0.01, 0.09, 120)])).round(6)
FIRST = [tube(1, 7, EVEN, path_of(60))]
TWO = [*FIRST, tube(2, 50, EVEN, path_of(70, 3), "dog", 0.2)]


def gapped() -> dict[str, Any]:
    """A tube without boxes at some frames, which only others than cospal write."""
    made = copy.deepcopy(document(FIRST, EVEN))
    del made["tubes"][0]["boxes"][20:31]
    return made


JSON: dict[str, list[dict[str, Any]]] = {
    "one tube": [document(FIRST, EVEN)],
    "to the end": [document([tube(1, 20, EVEN, path_of(100))], EVEN)],
    "several tubes": [document(TWO, EVEN)],
    "several sentences": [
        document(TWO, EVEN),
        document([], EVEN, "a horse", query_id="2"),
        document(FIRST, EVEN, "a dog", query_id="3"),
    ],
    "no match": [document([], EVEN)],
    "one frame": [
        document([tube(1, 0, EVEN, path_of(1))], EVEN),
    ],
    "uneven frames": [document([tube(1, 3, VFR, path_of(90))], VFR)],
    "4K": [document([tube(1, 3, EVEN, path_of(90, 1, (3840, 2160)) * 5)], EVEN, size=(3840, 2160))],
    "a part of the video": [document(FIRST, EVEN, start="5", frames=None)],
    "gaps": [gapped()],
    **{f"text {at}": [document(TWO, EVEN, text)] for at, text in enumerate(STRANGE)},
    "several videos": [
        document(FIRST, EVEN, path="a/clip.mp4"),
        document(TWO, VFR, path="b\\clip.mp4", query_id="mine-7"),
        document([], EVEN, path=".."),
        document(FIRST, EVEN, path="c/other.mkv"),
    ],
}
KINDS = {name: [TubeDocument.parse(one) for one in some] for name, some in JSON.items()}

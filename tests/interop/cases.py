"""Clips that are hard to time and to turn, and their tubes in every form, by ``cospal ground``.

The folder gets one folder a case with what one run wrote, and ``expected.json``: the tubes as their
own JSON has them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from cospal_cli.cli import run
from tests import media
from tests.stored_documents import NAMES

SIZE = (320, 240)
FRAMES = 160
TICK = Fraction(1, 1000)
QUERIES = (
    "the person walks to the right",
    'a <b>naïve</b> person & another --> 走る, "left"',
    "the elephant",  # no match
)


def stamps() -> list[int]:
    """Milliseconds of frames that come every 15 to 90 of them."""
    return np.cumsum(np.random.default_rng(3).integers(15, 90, FRAMES)).tolist()


CASES: dict[str, tuple[dict[str, Any], list[str]]] = {  # how the clip is made, words for ground
    "even": ({"fps": 25}, []),
    "uneven": ({"fps": 25, "pts": stamps(), "time_base": TICK}, []),
    "rotated": ({"fps": Fraction(30000, 1001), "turn": (90, False, False)}, []),
    "late": ({"fps": 25, "pts": [5000 + 40 * n for n in range(FRAMES)], "time_base": TICK}, []),
    "from-5s": ({"fps": 25}, ["--start", "5s"]),
    "wide-pixels": ({"fps": 25, "aspect": Fraction(16, 11)}, []),
}


def make(folder: Path) -> dict[str, Any]:
    """Write all cases; what ``expected.json`` holds."""
    expected = {name: _case(folder / name, *case) for name, case in CASES.items()}
    (folder / "expected.json").write_text(json.dumps(expected), encoding="utf-8")
    return expected


def _case(folder: Path, made: dict[str, Any], words: Sequence[str]) -> dict[str, Any]:
    folder.mkdir(parents=True)
    clip = media.make(folder / "clip.mp4", FRAMES, size=SIZE, lossless=False, **made)
    size = SIZE[::-1] if "turn" in made else SIZE
    boxes = folder / "boxes.jsonl"
    boxes.write_text("\n".join(map(json.dumps, _detections(size))), encoding="utf-8")
    queries = [word for query in QUERIES for word in ("-q", query)]
    formats = [word for name in NAMES for word in ("--format", name)]
    code = run([
        "ground", str(clip), *queries, "--detections", str(boxes), "--top-k", "2",
        "--min-match", "0", "--no-video", "-o", str(folder), *formats, "--quiet", *words,
    ])  # fmt: skip
    assert code == 0, f"ground exited with {code}"
    documents = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.tube.json"))
    ]
    video = documents[0]["video"]
    assert (video["width"], video["height"]) == size
    return {
        "size": size,
        "fps": float(Fraction(video["avg_fps"])),
        "texts": [doc["query"]["text"] for doc in documents],
        "tubes": [_plain(doc, tube) for doc in documents for tube in doc["tubes"]],
    }


def _detections(size: tuple[int, int]) -> list[dict[str, Any]]:
    """Two people who wander, at fractions of a pixel, and one stands still."""
    width, height = size
    rows = []
    for frame in range(FRAMES):
        share = frame / FRAMES
        x, y = 0.1 * width + 0.5 * width * share, 0.3 * height + 20 * np.sin(frame / 9)
        other = 0.8 * width - 0.4 * width * share
        boxes = [
            [x, y, x + 40.3, y + 81.7],
            [other, 0.1 * height, other + 33.1, 0.1 * height + 60.9],
        ]
        rows.append({
            "frame": frame, "boxes": np.round(boxes, 3).tolist(),
            "scores": [0.9, 0.8], "labels": ["person", "person"],
        })  # fmt: skip
    return rows


def _plain(doc: dict[str, Any], tube: dict[str, Any]) -> dict[str, Any]:
    return {
        "text": doc["query"]["text"],
        "label": tube["label"],
        "start": tube["start_time"],
        "end": tube["end_time"],
        "boxes": {str(box["frame"]): box["bbox"] for box in tube["boxes"]},
    }

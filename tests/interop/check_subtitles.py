"""webvtt-py and pysubs2: the cues are the tubes' spans, and what they show is the sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pysubs2
import webvtt
from common import run


def check(folder: Path, case: dict[str, Any]) -> dict[str, float]:
    """Seconds by which a cue is longer than its tube: less than a millisecond at each end."""
    found = {
        "vtt by webvtt-py": [
            (one.start_in_seconds, one.end_in_seconds, one.text, one.start, one.end)
            for one in webvtt.read(str(folder / "clip.vtt"))
        ]
    }
    late = {}
    for name, rows in found.items():
        late[name] = _compare([(_seconds(a), _seconds(b), text) for *_, text, a, b in rows], case)
    for name in ("vtt", "srt"):
        cues = pysubs2.load(str(folder / f"clip.{name}"), encoding="utf-8")
        rows = [(one.start / 1000, one.end / 1000, one.plaintext) for one in cues]
        late[f"{name} by pysubs2"] = _compare(rows, case)
    return late


def _seconds(clock: str) -> float:
    hours, minutes, rest = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def _compare(rows: list[tuple[float, float, str]], case: dict[str, Any]) -> float:
    tubes = sorted(case["tubes"], key=lambda one: (one["start"], one["end"]))
    assert len(rows) == len(tubes), f"{len(rows)} cues, expected {len(tubes)}"
    worst = 0.0
    for (start, end, text), tube in zip(rows, tubes, strict=True):
        assert -1e-9 <= tube["start"] - start < 0.001, (start, tube["start"])
        assert -1e-9 <= end - tube["end"] < 0.001, (end, tube["end"])
        worst = max(worst, tube["start"] - start, end - tube["end"])
        assert _letters(text).startswith(_letters(tube["text"])), (text, tube["text"])
    return worst


def _letters(text: str) -> str:
    """Without what subtitles may have to write otherwise."""
    for code, sign in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(code, sign)
    return "".join(sign for sign in text if sign.isalnum())


run(check)

"""OpenTimelineIO: markers at the tubes' times, in its own JSON and in an EDL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import opentimelineio as otio
from common import run

RATES = (24000 / 1001, 24, 25, 30000 / 1001, 30)  # an EDL does not say its own


def check(folder: Path, case: dict[str, Any]) -> dict[str, float]:
    """Seconds by which a marker is off: a hundredth of a frame, or an EDL's whole one."""
    late = {}
    for name, frames in (("otio", 0.012), ("edl", 1.0)):
        rate = min(RATES, key=lambda one: abs(one - case["fps"]))
        more = {"rate": round(rate)} if name == "edl" else {}
        timeline = otio.adapters.read_from_file(str(folder / f"clip.{name}"), **more)
        (clip,) = timeline.find_clips()
        tubes = sorted(case["tubes"], key=lambda one: (one["start"], one["end"]))
        assert len(clip.markers) == len(tubes), f"{len(clip.markers)} markers"
        pairs = []
        for marker, tube in zip(clip.markers, tubes, strict=True):
            span = marker.marked_range
            pairs.append((span.start_time, tube["start"]))
            if name == "otio":
                assert marker.metadata["cospal"]["query"] == tube["text"]
                pairs.append((span.end_time_exclusive(), tube["end"]))
        off = [
            abs(time.value - seconds * (rate if name == "edl" else time.rate))
            for time, seconds in pairs
        ]
        assert max(off) <= frames, f"{name}: off by {max(off)} frames"
        late[f"{name} by opentimelineio"] = max(off)
    return late


run(check)

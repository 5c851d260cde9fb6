"""A scene, what one pass over a video left, as flat arrays and plain values for a file.

Ragged arrays lie end to end; the plain values hold their lengths. Crops, clips and the model are
not part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.frames import Timeline, TimeRule, VideoInfo
from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.core.observation import Observation
from cospal_cli.core.tubelets import BoxColours, Tubelet


def pack(observation: Observation) -> tuple[dict[str, NDArray], JsonDict]:
    """A scene as flat arrays and plain values."""
    info, line, tubelets = observation.info, observation.timeline, observation.tubelets
    arrays: dict[str, NDArray] = {"pts": line.pts, "times_s": line.times_s}
    every = {
        name: [getattr(t, name) for t in tubelets]
        for name in ("frame_indices", "times_s", "boxes_xyxy", "scores", "observed", "label_scores")
    }
    every |= {
        name: [getattr(t, name) for t in tubelets]
        for name in ("camera_xy", "referral", "features")
        if tubelets and all(getattr(t, name) is not None for t in tubelets)
    }
    if tubelets and all(t.colours is not None for t in tubelets):
        every["colours"] = [t.colours.shares for t in tubelets if t.colours is not None]
        every["thumbs"] = [t.colours.thumbs for t in tubelets if t.colours is not None]
    if tubelets:
        arrays |= {f"tubelet.{name}": np.concatenate(parts) for name, parts in every.items()}
    scene = {
        "path": info.path,
        "info": {
            "width": info.width, "height": info.height, "rotation": info.rotation,
            "time_base": str(info.time_base), "avg_fps": str(info.avg_fps),
            "start_pts": info.start_pts, "frames_declared": info.frames_declared,
            "duration_s": info.duration_s, "bytes": info.bytes,
            "sample_aspect": str(info.sample_aspect), "codec": info.codec,
            **({} if info.assumed_fps is None else {"assumed_fps": info.assumed_fps}),
        },
        "first": int(line.indices[0]) if len(line.indices) else 0,
        "end_s": line.end_s, "vfr": line.vfr, "damaged": line.damaged,
        "warnings": list(line.warnings),
        "rules": [[rule.rule, rule.count, rule.first_s] for rule in line.rules],
        "classes": list(observation.classes),
        "ids": [t.id for t in tubelets],
        "lengths": [len(t) for t in tubelets],
        "seen": [int(t.observed.sum()) for t in tubelets],
        "labels": [len(t.label_scores) for t in tubelets],
        "track_ids": [list(t.track_ids) for t in tubelets],
    }  # fmt: skip
    return arrays, scene


def unpack(arrays: Mapping[str, NDArray], scene: Json) -> Observation:
    """What ``pack`` packed."""
    fractions = {k: Fraction(scene["info"][k]) for k in ("time_base", "avg_fps", "sample_aspect")}
    info = VideoInfo(path=scene["path"], **(scene["info"] | fractions))
    times = arrays["times_s"]
    line = Timeline(
        np.arange(scene["first"], scene["first"] + len(times), dtype=np.int64),
        arrays["pts"], times, scene["end_s"], scene["vfr"], tuple(scene["warnings"]),
        scene["damaged"], tuple(TimeRule(*rule) for rule in scene.get("rules", ())),
    )  # fmt: skip
    seen = ("referral", "features", "colours", "thumbs")
    counts: JsonDict = {"label_scores": scene["labels"]} | dict.fromkeys(seen, scene["seen"])
    parts: dict[str, list[NDArray]] = {}
    for name, array in arrays.items():
        if name.startswith("tubelet."):
            field = name.removeprefix("tubelet.")
            lengths = counts[field] if field in counts else scene["lengths"]
            parts[field] = np.split(array, np.cumsum(lengths)[:-1])
    tubelets = []
    for at, number in enumerate(scene["ids"]):
        own: dict[str, Any] = {field: rows[at] for field, rows in parts.items()}
        if "colours" in own:
            own["colours"] = BoxColours(own.pop("colours"), own.pop("thumbs"))
        tubelets.append(Tubelet(id=number, track_ids=tuple(scene["track_ids"][at]), **own))
    return Observation(info, line, tuple(tubelets), tuple(scene["classes"]))

"""The native output: one ``cospal/tube@1`` JSON document per video and query."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from cospal_cli import __version__
from cospal_cli.core import files
from cospal_cli.core.errors import InputError
from cospal_cli.core.escaping import plain_json
from cospal_cli.core.foreign import errors_as, short
from cospal_cli.core.frames import Timeline, VideoInfo
from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.core.observation import Observation
from cospal_cli.core.query import Query
from cospal_cli.core.reading import LARGE, read_table
from cospal_cli.core.tube import Tube

SCHEMA = "cospal/tube@1"
STATUSES = ("complete", "partial", "interrupted")
_LINE = 200  # characters; a box with its numbers fits


def schema() -> JsonDict:
    """The JSON Schema (draft 2020-12) that every document satisfies."""
    text = resources.files("cospal_cli.outputs").joinpath("tube-1.schema.json").read_text("utf-8")
    loaded: JsonDict = json.loads(text)
    return loaded


def document(
    seen: Observation,
    query: Query,
    query_id: str,
    tubes: Sequence[Tube],
    *,
    config: Json,
    status: str,
    heads: Json | None = None,
    closest: Tube | None = None,
) -> JsonDict:
    """The document for one query: plain JSON values only, numbers finite or null.

    ``config`` is the resolved configuration, ``status`` one of ``STATUSES``, ``tubes`` best
    first, ``heads`` the outputs of trained heads, if there were any, ``closest`` the best tube
    where none fits. ValueError for another status.
    """
    if status not in STATUSES:
        raise ValueError(f"status: expected one of {', '.join(STATUSES)}, found {status!r}")
    cleaned: JsonDict = plain(
        {
            "schema": SCHEMA,
            "generator": {
                "name": "cospal",
                "version": __version__,
                "model": {name: seen.model.get(name, "") for name in ("id", "sha256")},
                "config": config,
            },
            "video": _video(seen.info, seen.timeline),
            "query": {"id": query_id, **_query(query)},
            "tubes": [_tube(tube) for tube in tubes],
            **({} if closest is None else {"closest": _closest(closest)}),
            **({} if heads is None else {"heads": heads}),
            "status": status,
        }
    )
    return cleaned


def dumps(doc: Json) -> str:
    """``doc`` as JSON text for people and programs: short values and boxes on a line each.

    The text can always be encoded and shown: lone surrogates and what a terminal may interpret are
    written as escapes, so that even a broken query comes back unchanged. ValueError for NaN or
    infinity.
    """
    return plain_json(_pretty(doc, "") + "\n")


def write(path: Path, doc: Json, instead_of: Sequence[Path] = ()) -> None:
    """Write ``doc`` to ``path``, whole or not at all. DeviceError when the disk is full.

    ``instead_of``: files of an earlier document that go with it, as in ``files.replacing``.
    """
    files.write_text(path, dumps(doc), instead_of)


def fingerprint(doc: Json) -> str:
    """The mark of an MP4 that shows the tubes of ``doc``: a hash of its video, query and tubes.

    Every annotated MP4 carries it in its metadata, as ``comment``.
    """
    shown = {name: doc[name] for name in ("schema", "video", "query", "tubes")}
    text = json.dumps(shown, sort_keys=True, allow_nan=False)
    return f"{SCHEMA} {hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"


def load_tubes(source: Path | str | Json) -> list[Tube]:
    """The tubes of a document or of the file that holds one. InputError for anything else."""
    doc: Any = source
    name = "the document"
    if not isinstance(source, Mapping):
        name = repr(str(source))
        doc = read_table(Path(source), InputError, "give a .tube.json", LARGE)
    if doc.get("schema") != SCHEMA:
        other = short(doc.get("schema"))
        raise InputError(f"{name} is not a {SCHEMA} document, found {other}", "give a .tube.json")
    with errors_as(InputError, f"{name} holds a damaged tube", "write it again"):
        return [_read_tube(tube) for tube in doc["tubes"]]


def _video(info: VideoInfo, timeline: Timeline) -> JsonDict:
    return {
        "path": info.path,
        "bytes": info.bytes,
        "width": info.width,
        "height": info.height,
        "rotation_applied": info.rotation,
        "sample_aspect": str(info.sample_aspect),
        "codec": info.codec,
        "time_base": f"{info.time_base.numerator}/{info.time_base.denominator}",
        "start_pts": info.start_pts,
        "avg_fps": f"{info.avg_fps.numerator}/{info.avg_fps.denominator}",
        "assumed_fps": info.assumed_fps,
        "vfr": timeline.vfr,
        "frames_decoded": len(timeline.pts),
        "frames_declared": info.frames_declared,
        "duration": _seconds(info.duration_s),
        "warnings": timeline.warnings,
        "timeline": [
            {"rule": rule.rule, "count": rule.count, "first_time": _seconds(rule.first_s)}
            for rule in timeline.rules
        ],
    }


def _query(query: Query) -> JsonDict:
    return {
        "text": query.text,
        "subject": query.subject,
        "referral": query.referral,
        "attributes": [dataclasses.asdict(one) for one in query.attributes],
        "actions": [dataclasses.asdict(one) for one in query.actions],
        "positions": query.positions,
        "classes": query.classes,
        "global_words": query.global_words,
        "local_phrases": query.local_phrases,
        "excluded": query.excluded.words(),
        "unresolved": query.unresolved,
        "warnings": query.warnings,
    }


def _tube(tube: Tube) -> JsonDict:
    rows = zip(
        tube.frame_indices.tolist(),
        tube.pts.tolist(),
        tube.times_s.tolist(),
        np.round(tube.boxes_xyxy.astype(np.float64), 2).tolist(),
        np.round(tube.box_scores.astype(np.float64), 4).tolist(),
        tube.interpolated.tolist(),
        strict=True,
    )
    return {
        "id": tube.id,
        "label": tube.label,
        "detected": tube.detected,
        "score": _short(tube.score),
        "match": _short(tube.match),
        "confidence": _short(tube.match),  # its former name, for one version
        "why": {term: _short(value) for term, value in tube.why.items()},
        "start_time": _seconds(tube.span_s[0]),
        "end_time": _seconds(tube.span_s[1]),
        "start_frame": int(tube.frame_indices[0]),
        "end_frame": int(tube.frame_indices[-1]) + 1,  # half-open, as the times are
        "boxes": [
            {
                "frame": frame,
                "pts": pts,
                "time": _seconds(time_s),
                "bbox": box,
                "score": score,
                "interpolated": filled,
            }
            for frame, pts, time_s, box, score, filled in rows
        ],
    }


def _closest(tube: Tube) -> JsonDict:
    named = ("id", "label", "detected", "match", "why", "start_time", "end_time")
    whole = _tube(tube)
    return {name: whole[name] for name in named}


def _read_tube(tube: Json) -> Tube:
    boxes = tube["boxes"]

    def column(key: str, dtype: type) -> np.ndarray:
        return np.array([box[key] for box in boxes], dtype)

    return Tube(
        id=tube["id"],
        frame_indices=column("frame", np.int64),
        pts=column("pts", np.int64),
        times_s=column("time", np.float64),
        boxes_xyxy=column("bbox", np.float32).reshape(-1, 4),
        box_scores=column("score", np.float32),
        interpolated=column("interpolated", np.bool_),
        span_s=(tube["start_time"], tube["end_time"]),
        score=tube["score"] or 0.0,
        match=tube.get("match", tube.get("confidence")) or 0.0,
        label=tube["label"],
        why={term: value for term, value in tube["why"].items() if value is not None},
        detected=tube.get("detected", ""),
    )


def _short(value: float) -> float:
    return round(float(value), 4)


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(float(value), 6)


def plain(value: Any) -> Any:
    """``value`` with NumPy scalars, tuples, mappings and paths made plain, NaN and infinity null.

    Null says "not a number" where a made-up figure would be believed.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    return str(value)


def _pretty(value: object, margin: str) -> str:
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if (len(line) + len(margin) <= _LINE and margin) or not isinstance(value, Mapping | list):
        return line
    inner = margin + "  "
    if isinstance(value, Mapping):
        parts = [
            f"{json.dumps(key, ensure_ascii=False)}: {_pretty(item, inner)}"
            for key, item in value.items()
        ]
        opening, closing = "{", "}"
    else:
        parts = [_pretty(item, inner) for item in value]
        opening, closing = "[", "]"
    body = ",\n".join(inner + part for part in parts)
    return f"{opening}\n{body}\n{margin}{closing}"

"""A ``cospal/tube@1`` document as what a page shows of it: light, checked, ready to draw."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PureWindowsPath
from typing import Any, get_type_hints

from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.core.fitting import as_table, fitting
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.json_types import JsonDict
from cospal_cli.evaluation.tube_files import SCHEMA
from cospal_cli.report.drawing import Bar, DrawnCurve, TimeLine, bars, curve, seconds, time_line
from cospal_cli.report.sheets import CELLS, PageShot, SheetOrder, spread
from cospal_cli.settings import VideoConfig

Number = float | None
_LEAST = 0.005  # nats; a smaller term of ``why`` changed nothing


@dataclass(frozen=True)
class ShownTube:
    """One tube of a document."""

    rank: int
    label: str
    start_s: float
    end_s: float
    score: Number
    match: Number
    confidence: Number

    @property
    def when(self) -> str:
        """From when to when, for people."""
        return f"{seconds(self.start_s)} to {seconds(self.end_s)}"


@dataclass(frozen=True)
class Answer:
    """The result of one sentence about one video."""

    text: str
    video: str  # as the document names it
    name: str  # of the video's file
    status: str
    candidates: tuple[ShownTube, ...]  # best first; empty: no match
    closest: ShownTube | None  # what came nearest where there is no match
    bars: tuple[Bar, ...]  # ``why`` of the best, or of the closest
    line: TimeLine
    curves: tuple[DrawnCurve, ...]  # of trained heads, one a sub-phrase
    unresolved: tuple[str, ...]
    warnings: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    config: str  # every setting, as JSON
    order: SheetOrder | None  # None: there is nothing to show
    place: Path | None = None  # of the document
    made: tuple[tuple[str, Path], ...] = field(default=())  # other files of the same result

    @property
    def best(self) -> ShownTube | None:
        """The first candidate."""
        return self.candidates[0] if self.candidates else None


def answer_of(document: object, name: str, place: Path | None = None) -> Answer:
    """What a page shows of a document. InputError, naming ``name``, for anything else.

    ``place``: the file that the document is in, beside which its other files lie.
    """
    hint = "give what 'cospal ground' writes: .tube.json files, their folder, or results.jsonl"
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise InputError(f"{name} is not a {SCHEMA} document", hint)
    with errors_as(InputError, f"{name} is damaged", "make it again"):
        return _answer(document, place)


def _answer(document: JsonDict, place: Path | None) -> Answer:
    video, query = as_table(document["video"]), as_table(document["query"])
    tubes = [as_table(one) for one in _list(document, "tubes")]
    candidates = tuple(_tube(rank, tube) for rank, tube in enumerate(tubes, 1))
    near = as_table(document.get("closest") or {})
    closest = _tube(1, near) if near and not tubes else None
    heads = as_table(document.get("heads") or {})
    path = _get(video, "path", str)
    length_s = _get(video, "duration", Number) or max((one.end_s for one in candidates), default=0)
    spans = [(f"{one.rank}. {one.label}", one.start_s, one.end_s) for one in candidates]
    if closest is not None:
        spans = [(f"closest: {closest.label}", closest.start_s, closest.end_s)]
    generator = as_table(document["generator"])
    return Answer(
        text=_get(query, "text", str),
        video=path,
        name=PureWindowsPath(path).name or path,  # knows / and \
        status=_get(document, "status", str),
        candidates=candidates,
        closest=closest,
        bars=_bars(tubes or ([near] if near else [])),
        line=time_line(length_s, spans, _segments(heads), kinds=["best"] if tubes else []),
        curves=tuple(_curve(as_table(one), length_s) for one in heads.get("curves") or ()),
        unresolved=_get(query, "unresolved", tuple[str, ...]),
        warnings=_get(query, "warnings", tuple[str, ...])
        + _get(video, "warnings", tuple[str, ...]),
        facts=_facts(video, query, generator),
        config=json.dumps(generator.get("config") or {}, sort_keys=True),
        order=_order(video, tubes[0], generator) if tubes else None,
        place=place,
    )


def _tube(rank: int, tube: JsonDict) -> ShownTube:
    return ShownTube(
        rank=rank,
        label=_get(tube, "label", str),
        start_s=_get(tube, "start_time", float),
        end_s=_get(tube, "end_time", float),
        score=_get(tube, "score", Number),
        match=_get(tube, "match", Number),
        confidence=_get(tube, "confidence", Number),
    )


def _bars(tubes: Sequence[JsonDict]) -> tuple[Bar, ...]:
    """The terms of the best tube beside those of the next, the weightiest first."""
    if not tubes:
        return ()
    whys = [_get(tube, "why", dict[str, Number]) for tube in tubes[:2]]
    rows = [(term, *(why.get(term) for why in whys)) for term in whys[0]]
    kept = [row for row in rows if max(abs(value or 0) for value in row[1:]) >= _LEAST]
    return bars(kept)


def _segments(heads: JsonDict) -> list[tuple[str, float, float]]:
    """The heads' best proposals."""
    rows = [as_table(one) for one in (heads.get("proposals") or ())[:3]]
    return [
        (
            f"proposal, score {_get(one, 'score', Number) or 0:.2f}",
            _get(one, "start_time", float),
            _get(one, "end_time", float),
        )
        for one in rows
    ]


def _curve(row: JsonDict, length_s: float) -> DrawnCurve:
    return curve(
        _get(row, "text", str),
        _get(row, "times", tuple[float, ...]),
        _get(row, "log_odds", tuple[Number, ...]),
        length_s,
    )


def _order(video: JsonDict, tube: JsonDict, generator: JsonDict) -> SheetOrder:
    """Some frames along the tube, with their boxes."""
    boxes = [as_table(one) for one in _list(tube, "boxes")]
    if not boxes:
        raise ValueError("boxes: expected at least one")
    chosen = [boxes[at] for at in spread(len(boxes), CELLS)]
    return SheetOrder(
        video=_get(video, "path", str),
        bytes=_get(video, "bytes", int | None),
        size=(_get(video, "width", int), _get(video, "height", int)),
        shots=tuple(
            PageShot(
                _get(one, "frame", int),
                _get(one, "time", float),
                (_get(one, "bbox", tuple[float, float, float, float]),),
                _get(one, "pts", int | None),
            )
            for one in chosen
        ),
        config=_reading(as_table(generator.get("config") or {})),
        straight=video.get("timeline") == [],
    )


def _reading(config: JsonDict) -> VideoConfig:
    """How the document's video was read, as far as it matters to its frames."""
    kinds, given = get_type_hints(VideoConfig), as_table(config.get("video") or {})
    names = [name for name in ("stream", "image_fps", "max_pixels") if name in given]
    try:
        return replace(VideoConfig(), **{name: _get(given, name, kinds[name]) for name in names})
    except UsageError as error:
        raise ValueError(error.message) from error


def _facts(video: JsonDict, query: JsonDict, generator: JsonDict) -> tuple[tuple[str, str], ...]:
    """How the sentence was understood, and what was used."""

    def words(key: str) -> str:
        rows = query.get(key) or ()
        return ", ".join(str(one["word"] if isinstance(one, dict) else one) for one in rows)

    model = as_table(generator.get("model") or {})
    rate = _get(video, "avg_fps", str | None) or ""
    size = f"{_get(video, 'width', int)} × {_get(video, 'height', int)}"
    facts = [
        ("subject", str(query.get("subject", ""))),
        ("referred to as", str(query.get("referral", ""))),
        ("attributes", words("attributes")),
        ("actions", words("actions")),
        ("positions", words("positions")),
        ("counts against", words("excluded")),
        ("video", f"{size}, {rate.removesuffix('/1')} frames a second"),
        ("detector", str(model.get("id", ""))),
        ("made by", f"{generator.get('name', '')} {generator.get('version', '')}"),
    ]
    return tuple((name, value) for name, value in facts if value.strip())


def _get(row: JsonDict, key: str, hint: Any) -> Any:
    return fitting(row.get(key), hint, key)


def _list(row: JsonDict, key: str) -> list[Any]:
    found: list[Any] = fitting(row[key], list, key)
    return found

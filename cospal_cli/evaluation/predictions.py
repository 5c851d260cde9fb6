"""Predictions from elsewhere, or of an earlier run: what ``evaluate --predictions`` takes.

- HC-STVG's own form, which its evaluation script reads: one JSON object, record id ->
  ``{"st_frame", "ed_frame", "bbox": {"<frame>": [x1, y1, x2, y2]}}``. Frames count from 1 and
  ``ed_frame`` is the last one. null: nothing found. This is what ``write_predictions`` writes.
- Tube files: a ``.tube.json``, or a folder of them, or one document per line, or a batch's lines.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cospal_cli.core import files
from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.observation import FrameSpan
from cospal_cli.evaluation.checked import Malformed, box, documents, table, whole
from cospal_cli.evaluation.tube_files import (
    RESULTS,
    SUFFIX,
    ExpectedTube,
    Matcher,
    is_tube_file,
    prediction,
)
from cospal_cli.evaluation.tubes import Prediction, Track

FORMS = (
    "give a .tube.json of 'cospal ground', a folder of such files, or a JSON object "
    "{record id: {st_frame, ed_frame, bbox}}"
)


@dataclass
class GivenPredictions:
    """What was read. ``by_id``: of each record, None where nothing was found in the video."""

    by_id: dict[str, Prediction | None] = field(default_factory=dict)
    bad: list[str] = field(default_factory=list)  # a sentence on each one that is left out
    strangers: list[str] = field(default_factory=list)  # on each that belongs to no sample


def write_predictions(path: Path, predictions: Mapping[str, Prediction | None]) -> None:
    """Write the tubes of ``predictions`` by id, whole or not at all."""
    rows = {
        one: row_of(prediction.tube) if prediction else None
        for one, prediction in predictions.items()
    }
    files.write_text(path, json.dumps(rows, allow_nan=False) + "\n")


def read_predictions(path: Path, samples: Sequence[ExpectedTube]) -> GivenPredictions:
    """The predictions in a file or a folder, for ``samples``.

    InputError where it cannot be read, or belongs to none of the samples; UsageError where it holds
    no prediction of a known form.
    """
    given = GivenPredictions()
    if path.is_dir():
        _read_folder(path, samples, given)
    else:
        try:
            rows = documents(path)
        except Malformed as error:
            raise UsageError(f"no predictions in {str(path)!r}: {error}", FORMS) from error
        if len(rows) > 1 or is_tube_file(rows[0]) or isinstance(rows[0], Malformed):
            places = (
                [path.name]
                if len(rows) == 1
                else [f"{path.name}:{at + 1}" for at in range(len(rows))]
            )
            matcher = Matcher(samples)
            for place, document in zip(places, rows, strict=True):
                _add_tube(place, document, matcher, given)
        else:
            _add_rows(path, rows[0], given)
    _refuse_nothing(path, samples, given)
    return given


def _read_folder(folder: Path, samples: Sequence[ExpectedTube], given: GivenPredictions) -> None:
    names = sorted(folder.rglob(f"*{SUFFIX}")) or sorted(folder.rglob(RESULTS))
    if not names:
        raise UsageError(f"no *{SUFFIX} in the folder {str(folder)!r}", FORMS)
    matcher = Matcher(samples)
    for path in names:
        place = str(path.relative_to(folder))
        try:
            rows = documents(path)
        except (Malformed, InputError) as error:
            given.bad.append(f"{place} is left out: {error}")
            continue
        for document in rows:
            _add_tube(place, document, matcher, given)


def _add_tube(place: str, document: Any, matcher: Matcher, given: GivenPredictions) -> None:
    """Give a tube file to the samples that it belongs to."""
    try:
        tube = prediction(table(document, "the document"))
        ids = matcher.ids(document, tube)
    except Malformed as error:
        given.bad.append(f"{place} is left out: {error}")
        return
    if not ids:
        name, words = document["video"]["path"], document["query"]["text"]
        given.strangers.append(
            f"{place}: no sample has the video {name!r} and the sentence {words!r}"
        )
    for one in ids:
        if one in given.by_id:
            given.bad.append(f"{place} is left out: sample {one!r} has a prediction already")
        else:
            given.by_id[one] = tube


def _add_rows(path: Path, rows: object, given: GivenPredictions) -> None:
    """Predictions in HC-STVG's form."""
    if not isinstance(rows, dict):
        raise UsageError(f"no predictions in {str(path)!r}: found {rows!r:.60}", FORMS)
    for one, row in rows.items():
        try:
            given.by_id[one] = None if row is None else _prediction(row)
        except Malformed as error:
            given.bad.append(f"{one!r} is left out: {error}")


def _refuse_nothing(path: Path, samples: Sequence[ExpectedTube], given: GivenPredictions) -> None:
    """A table of zeros would look like scores."""
    if not given.by_id and not given.strangers:
        why = given.bad[0] if given.bad else "it is empty"
        raise UsageError(f"no predictions in {str(path)!r}: {why}", FORMS)
    ids = {one.id for one in samples}
    if not ids & given.by_id.keys():
        first = given.strangers[0] if given.strangers else repr(next(iter(given.by_id)))
        raise InputError(
            f"nothing in {str(path)!r} belongs to a sample of the split: {first}",
            f"name another --split; a sample of this one is {next(iter(ids), '')!r}",
        )


def row_of(tube: Track) -> JsonDict | None:
    """A tube in HC-STVG's own form; None where it is empty."""
    if not len(tube):
        return None
    start, end = tube.span
    boxes = zip(tube.frames.tolist(), tube.boxes_xyxy.tolist(), strict=True)
    return {
        "st_frame": start + 1,
        "ed_frame": end,
        "bbox": {str(frame + 1): box for frame, box in boxes},
    }


def _prediction(row: object) -> Prediction:
    row = table(row, "the prediction")
    start = whole(row.get("st_frame"), "st_frame", 1)
    end = whole(row.get("ed_frame"), "ed_frame", start)
    boxes = {}
    for frame, sides in table(row.get("bbox"), "bbox").items():
        if not (frame.isascii() and frame.isdigit() and len(frame) < 10 and int(frame)):
            raise Malformed(f"bbox: expected frame numbers from 1 on, found {frame!r:.60}")
        boxes[int(frame) - 1] = box(sides, f"bbox[{frame}]")
    frames = sorted(boxes)
    values = np.array([boxes[frame] for frame in frames], np.float64).reshape(-1, 4)
    return Prediction(Track(np.array(frames, np.int64), values), FrameSpan(start - 1, end))

"""The native JSON: the schema, the round trip, numbers and text that must not break it."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from cospal_cli.core.errors import InputError
from cospal_cli.core.frames import Timeline, VideoInfo
from cospal_cli.core.observation import Observation
from cospal_cli.core.query import Action, Attribute, Query
from cospal_cli.core.tube import Tube
from cospal_cli.outputs import tube_json

INFO = VideoInfo("dir/clip.mp4", 640, 360, 90, Fraction(1, 30000), Fraction(30000, 1001), 5, 300)
QUERY = Query(
    text="The man in a red coat walks left",
    referral="the man in a red coat",
    subject="man",
    classes={"person": 1.0},
    attributes=(Attribute("red", "colour", "upper", "coat", {"red": 1.0}),),
    actions=(Action("walks", "move", ("left",)),),
    global_words=("man", "coat", "red", "walks"),
    local_phrases=("the man in a red coat walks left",),
    unresolved=("coat",),
)


def make_tube(frames: int = 4, **changes: Any) -> Tube:
    at = np.arange(frames) + 7
    fields: dict[str, Any] = {
        "id": 3,
        "frame_indices": at,
        "pts": at * 1001 + 5,
        "times_s": at * 1001 / 30000,
        "boxes_xyxy": np.array([[1.25, 2.5, 30.75, 40.0]] * frames, np.float32),
        "box_scores": np.linspace(0.5, 0.75, frames).astype(np.float32),
        "interpolated": at % 2 == 0,
        "span_s": (float(at[0] * 1001 / 30000), float((at[-1] + 1) * 1001 / 30000)),
        "score": 0.75,
        "match": 0.5,
        "label": "person",
        "why": {"class": -0.25, "colour": 0.0},
    }
    return Tube(**(fields | changes))


def make(
    tubes: list[Tube], query: Query = QUERY, status: str = "complete", heads: Any = None
) -> dict[str, Any]:
    count = 300
    timeline = Timeline(
        np.arange(count), np.arange(count) * 1001, np.arange(count) / 29.97, 10.01, False, ("hm",)
    )
    return tube_json.document(
        Observation(INFO, timeline, (), (), {"id": "nanodet", "sha256": "00"}),
        query,
        "1",
        tubes,
        config={"video": {"fps": np.float32(10), "start": None}, "path": Path("x")},
        status=status,
        heads=heads,
    )


def check(doc: dict[str, Any]) -> dict[str, Any]:
    """The document as a consumer sees it, valid against the schema that ships."""
    text = tube_json.dumps(doc)
    text.encode("utf-8")
    parsed: dict[str, Any] = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    jsonschema.Draft202012Validator(tube_json.schema()).validate(parsed)
    return parsed


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(tube_json.schema())


def test_what_heads_said_is_kept_and_checked() -> None:
    span = {"start_time": 0.5, "end_time": 2.0, "score": np.float32(1)}
    heads = {
        "features": {"clips": {"fps": 8}},
        "read": {"text": "a", "global": "b", "local": ["c"], "referral": [], "verbs": 1},
        "tubelets": [{"id": 3, "score": 1.0}],
        "proposals": [span],
        "parts": [[span], [span]],
        "unknown": ["b"],
    }
    doc = check(make([make_tube()], heads=heads))
    assert doc["heads"]["proposals"] == [{"start_time": 0.5, "end_time": 2.0, "score": 1.0}]
    assert "heads" not in check(make([make_tube()]))
    for wrong in ({"tubelets": [{"id": "3"}]}, {"proposals": [{}]}, {"parts": [span]}):
        with pytest.raises(jsonschema.ValidationError):
            check(make([], heads=heads | wrong))


def test_document() -> None:
    doc = check(make([make_tube(), make_tube(id=4, score=0.2)]))
    assert doc["schema"] == "cospal/tube@1"
    assert doc["generator"]["model"] == {"id": "nanodet", "sha256": "00"}
    assert doc["generator"]["config"] == {"video": {"fps": 10.0, "start": None}, "path": "x"}
    video = doc["video"]
    assert (video["time_base"], video["avg_fps"], video["start_pts"]) == (
        "1/30000",
        "30000/1001",
        5,
    )
    assert (video["rotation_applied"], video["frames_decoded"], video["warnings"]) == (
        90,
        300,
        ["hm"],
    )
    assert doc["query"]["text"] == QUERY.text
    assert doc["query"]["attributes"][0]["garment"] == "coat"
    assert [tube["id"] for tube in doc["tubes"]] == [3, 4]
    tube = doc["tubes"][0]
    assert (tube["start_frame"], tube["end_frame"]) == (7, 11)
    assert tube["boxes"][0] == {
        "frame": 7,
        "pts": 7012,
        "time": 0.233567,
        "bbox": [1.25, 2.5, 30.75, 40.0],
        "score": 0.5,
        "interpolated": False,
    }


def test_no_match_and_every_status() -> None:
    for status in ("complete", "partial", "interrupted"):
        doc = check(make([], status=status))
        assert (doc["tubes"], doc["status"]) == ([], status)
    with pytest.raises(ValueError, match="done"):
        make([], status="done")


def test_a_wrong_document_is_told_from_a_right_one() -> None:
    doc = make([make_tube()])
    del doc["tubes"][0]["boxes"][0]["pts"]
    with pytest.raises(jsonschema.ValidationError, match="pts"):
        check(doc)


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "a.tube.json"
    tubes = [make_tube(), make_tube(1, id=9)]
    tube_json.write(path, make(tubes))
    for source in (path, make(tubes)):
        loaded = tube_json.load_tubes(source)
        for have, want in zip(loaded, tubes, strict=True):
            for name in ("frame_indices", "pts", "interpolated", "boxes_xyxy"):
                np.testing.assert_array_equal(getattr(have, name), getattr(want, name))
            np.testing.assert_allclose(have.times_s, want.times_s, atol=1e-6)
            np.testing.assert_allclose(have.box_scores, want.box_scores, atol=1e-4)
            assert have.span_s == pytest.approx(want.span_s, abs=1e-6)
            assert (have.id, have.label, have.score) == (want.id, want.label, want.score)
            assert dict(have.why) == dict(want.why)


def test_never_nan() -> None:
    tube = make_tube(
        box_scores=np.array([0.5, np.nan, np.inf, 0.1], np.float32),
        match=math.nan,
        why={"colour": -math.inf, "class": 1.0},
    )
    doc = check(make([tube]))
    assert doc["tubes"][0]["match"] is None
    assert doc["tubes"][0]["confidence"] is None
    assert doc["tubes"][0]["why"] == {"colour": None, "class": 1.0}
    assert [box["score"] for box in doc["tubes"][0]["boxes"]] == [0.5, None, None, 0.1]
    assert tube_json.load_tubes(doc)[0].why == {"class": 1.0}


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000,
        "👩‍🚒 runs 🏃",
        "امرأة تمشي إلى اليمين",
        "a\x00b\nc\u2028d",
        "<script>alert(1)</script> & --> ]]>",
        "--overwrite",
        "broken \ud83d half, \udcff byte",
        '"quoted" \\ud800 \\',
    ],
)
def test_query_is_verbatim(tmp_path: Path, text: str) -> None:
    query = Query(text=text, referral=text, subject="man", classes={})
    assert check(make([], query))["query"]["text"] == text
    path = tmp_path / "q.json"
    tube_json.write(path, make([], query))
    assert json.loads(path.read_text("utf-8"))["query"]["text"] == text


def test_one_box_a_line() -> None:
    lines = tube_json.dumps(make([make_tube(50)])).splitlines()
    boxes = [line for line in lines if '"bbox"' in line]
    assert len(boxes) == 50
    assert json.loads(boxes[3].strip().rstrip(","))["frame"] == 10
    assert len(lines) < 50 + 60


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"schema": "other"}', '{"schema": "cospal/tube@1", "tubes": [{}]}']
)
def test_files_that_hold_no_tubes(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"x\.json"):
        tube_json.load_tubes(path)
    with pytest.raises(InputError, match="nothing"):
        tube_json.load_tubes(tmp_path / "nothing.json")

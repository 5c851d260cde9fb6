"""VidSTG: ranges, boxes from VidOR, forms of sentences, and every fault named and counted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cospal_cli import datasets
from cospal_cli.core.errors import InputError
from cospal_cli.datasets.records import Dataset
from tests.data_folders import relation, vidor, vidstg, write

VID = "10712559773"


def read(root: Path, truth: bool = True) -> Dataset:
    return datasets.read(root, "test", truth=truth)


def test_sentences_questions_and_boxes(tmp_path: Path) -> None:
    found = read(vidstg(tmp_path))
    assert (found.format, found.problems) == ("vidstg", ())
    said, asked = found.records
    assert (said.form, asked.form) == ("declarative", "interrogative")
    assert said.id == f"{VID}.0.c0"
    assert asked.id == f"{VID}.0.q0"
    assert said.text == "the child watches the ball."
    assert said.video == tmp_path / "video" / "1025" / f"{VID}.mp4"
    assert (said.size, said.frames, said.segment) == ((64, 48), 20, (2, 18))  # its end is a frame
    truth = found.truths[asked.id]
    assert truth.span == (6, 14)  # its end is none
    assert truth.track.frames.tolist() == list(range(6, 14))
    assert truth.track.boxes_xyxy[0].tolist() == [5, 6, 25, 46]
    assert (truth.segment, truth.fps) == ((2, 18), 10.0)
    assert (truth.form, truth.video) == ("interrogative", VID)


def test_training_needs_no_boxes(tmp_path: Path) -> None:
    root = vidstg(tmp_path, [relation(temporal_gt=None)])
    (tmp_path / "annotation" / "validation" / "1025" / f"{VID}.json").unlink()
    found = read(root, truth=False)
    assert len(found.records) == 2
    assert (found.truths, found.problems) == ({}, ())


def test_gaps_are_told_and_left_out(tmp_path: Path) -> None:
    found = read(vidstg(tmp_path, boxes=vidor(gaps=(7, 13))))
    truth = found.truths[f"{VID}.0.c0"]
    assert truth.span == (6, 14)
    assert truth.track.frames.tolist() == [6, 8, 9, 10, 11, 12]
    assert [(one.kind, one.detail) for one in found.problems] == [("gap", "2 of 8 frames")] * 2


BAD: dict[str, tuple[dict[str, Any], str, int]] = {  # changes, kind, how many records it costs
    "vid up": ({"vid": "../../etc/passwd"}, "unsafe-path", 1),
    "vid gone": ({"vid": "404"}, "missing-video", 1),
    "vid number": ({"vid": 404}, "bad-record", 1),
    "no fps": ({"fps": None}, "bad-record", 2),
    "fps 0": ({"fps": 0}, "bad-record", 2),
    "no width": ({"width": None}, "bad-record", 1),
    "no segment": ({"used_segment": None}, "bad-record", 1),
    "segment turned": ({"used_segment": {"begin_fid": 9, "end_fid": 8}}, "bad-span", 1),
    "no truth": ({"temporal_gt": None}, "missing-truth", 2),
    "truth turned": ({"temporal_gt": {"begin_fid": 9, "end_fid": 9}}, "bad-span", 2),
    "truth elsewhere": ({"temporal_gt": {"begin_fid": 18, "end_fid": 19}}, "truth-past-end", 2),
    "no sentence": ({"captions": [], "questions": None}, "no-sentence", 1),
    "blank": (
        {"captions": [{"description": "\u00a0", "target_id": 2}], "questions": []},
        "no-sentence",
        1,
    ),
    "other target": (
        {"captions": [{"description": "a", "target_id": 5}], "questions": []},
        "missing-truth",
        1,
    ),
    "no target": ({"captions": [{"description": "a"}], "questions": []}, "missing-truth", 1),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_item_is_named_and_skipped(tmp_path: Path, name: str) -> None:
    changes, kind, cost = BAD[name]
    found = read(vidstg(tmp_path, [relation(), relation(**changes), relation()]))
    assert [record.id.split(".")[1] for record in found.records] == ["0", "0", "2", "2"]
    assert [problem.kind for problem in found.problems] == [kind] * cost
    assert all("1" in problem.record for problem in found.problems)
    assert found.skipped == cost


def test_an_item_that_is_no_object(tmp_path: Path) -> None:
    found = read(vidstg(tmp_path, [7, relation()]))
    assert [(one.kind, one.record) for one in found.problems] == [("bad-record", "item 0")]
    assert len(found.records) == 2


def test_ranges_that_do_not_fit_are_told(tmp_path: Path) -> None:
    late = relation(temporal_gt={"begin_fid": 6, "end_fid": 22})
    wide = relation(temporal_gt={"begin_fid": 6, "end_fid": 19}, questions=[])
    found = read(vidstg(tmp_path, [late, wide]))
    assert len(found.records) == 3
    kinds = sorted({problem.kind for problem in found.problems})
    assert kinds == ["gap", "late-truth", "outside-segment"]


def _malformed(boxes: dict[str, Any]) -> None:
    boxes["trajectories"][8] = [{"tid": 2}]


def _nan(boxes: dict[str, Any]) -> None:
    boxes["trajectories"][8][1]["bbox"] = {"xmin": 1, "ymin": 1, "xmax": None, "ymax": 9}


def _turned(boxes: dict[str, Any]) -> None:
    boxes["trajectories"][8][1]["bbox"] = {"xmin": 9, "ymin": 1, "xmax": 1, "ymax": 9}


@pytest.mark.parametrize("spoil", [_malformed, _nan, _turned])
def test_bad_boxes(tmp_path: Path, spoil: Callable[[dict[str, Any]], None]) -> None:
    boxes = vidor()
    spoil(boxes)
    found = read(vidstg(tmp_path, boxes=boxes))
    assert [one.kind for one in found.problems] == ["bad-box"] * 2
    assert "frame 8" in found.problems[0].detail
    assert found.records == ()


def test_boxes_are_cut_to_the_frame(tmp_path: Path) -> None:
    wide = {"xmin": -3, "ymin": 6, "xmax": 70, "ymax": 46}
    found = read(vidstg(tmp_path, boxes=vidor(box=wide)))
    assert found.truths[f"{VID}.0.c0"].track.boxes_xyxy[0].tolist() == [0, 6, 64, 46]
    assert {one.kind for one in found.problems} == {"clamped-box"}


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"trajectories": 3}'])
def test_a_bad_vidor_file_costs_its_video(tmp_path: Path, content: bytes) -> None:
    root = vidstg(tmp_path)
    write(tmp_path / "annotation" / "validation" / "1025" / f"{VID}.json", content)
    found = read(root)
    assert [one.kind for one in found.problems] == ["bad-file"]
    assert found.records == ()


@pytest.mark.parametrize("content", [b"", b"{}", b"3", b"\xff"])
def test_a_file_that_is_no_annotation(tmp_path: Path, content: bytes) -> None:
    root = vidstg(tmp_path)
    write(tmp_path / "annotations" / "test_annotations.json", content)
    with pytest.raises(InputError, match=r"test_annotations\.json"):
        read(root)

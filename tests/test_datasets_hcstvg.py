"""HC-STVG: what records and truths become, and every fault named, skipped and counted."""

import json
import math
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cospal_cli import datasets
from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.datasets.hcstvg import source
from cospal_cli.datasets.records import KINDS, Dataset, Record
from cospal_cli.datasets.tree import Tree
from cospal_cli.evaluation.tubes import Track, Truth
from tests.data_folders import NAMES, hcstvg, v1, v2, write

FIRST = NAMES[0]


def read(root: Path, split: str = "train", truth: bool = True, **options: Any) -> Dataset:
    return datasets.read(root, split, truth=truth, **options)


def test_v1(tmp_path: Path) -> None:
    found = read(hcstvg(tmp_path))
    assert (found.format, found.split, found.problems) == ("hcstvg", "train", ())
    assert [record.id for record in found.records] == list(NAMES)
    record = found.records[0]
    assert record.text == "The man in the hat points to the front."
    assert record.video == tmp_path / "videos" / "part1" / FIRST
    assert (record.size, record.frames, record.segment) == ((64, 48), 20, None)
    truth = found.truths[FIRST]
    assert truth.span == (4, 10)  # st_frame 5 counts from 1; ed_time is not the end
    assert truth.track.frames.tolist() == [4, 5, 6, 7, 8, 9]
    assert truth.track.boxes_xyxy[1].tolist() == [11, 8, 31, 38]
    assert (truth.segment, truth.fps) == ((0, 20), 1.0)


@pytest.mark.parametrize("file", ["train_v2.json", "trainv2.json", "HCVG_train.json"])
def test_v2(tmp_path: Path, file: str) -> None:
    found = read(hcstvg(tmp_path, {FIRST: v2()}, file))
    assert (found.format, found.problems) == ("hcstvg-v2", ())
    assert found.records[0].text == "The man stands up."
    assert found.records[0].size == (64, 48)
    assert found.truths[FIRST].span == (4, 10)


def test_own_frame_rate(tmp_path: Path) -> None:
    found = read(hcstvg(tmp_path, {FIRST: v1(fps=12.5)}))
    assert found.truths[FIRST].fps == 12.5


def test_queries_without_boxes(tmp_path: Path) -> None:
    rows = {NAMES[0]: {"English": "A man walks."}, NAMES[1]: "A woman sits down."}
    found = read(hcstvg(tmp_path, rows, "query_v2.json"), "test")
    assert [record.text for record in found.records] == ["A man walks.", "A woman sits down."]
    assert found.truths == {}
    assert [problem.kind for problem in found.problems] == ["no-truth"]
    assert found.skipped == 0


def test_records_know_nothing_of_the_truth() -> None:
    kinds = " ".join(str(field.type) for field in fields(Record))
    assert "Truth" not in kinds
    assert "Track" not in kinds


def test_training_reads_the_same_whatever_boxes_and_times_are(tmp_path: Path) -> None:
    whole = read(hcstvg(tmp_path), truth=False)
    nan = math.nan
    spoiled = v1(bbox=[[nan] * 4] * 6, st_frame=nan, st_time=nan, ed_time=nan)
    write(tmp_path / "train.json", dict.fromkeys(NAMES, spoiled))
    found = read(tmp_path, truth=False)
    assert found.records == whole.records
    assert found.truths == {}
    assert found.problems == ()
    for part in ("fit", "validation"):
        assert {record.id for record in read(tmp_path, part, truth=False).records} <= set(NAMES)
    assert read(tmp_path).records == ()


BAD = {
    "../../etc/passwd": (v1(), "unsafe-path"),
    "/etc/passwd.mp4": (v1(), "unsafe-path"),
    "C:\\videos\\a.mp4": (v1(), "unsafe-path"),
    "..\\a.mp4": (v1(), "unsafe-path"),
    "": (v1(), "unsafe-path"),
    "a\0b.mp4": (v1(), "unsafe-path"),
    "9_missing.mp4": (v1(), "missing-video"),
    "\ud800.mp4": (v1(), "missing-video"),
    "nan": (v1(bbox=[[1, 2, math.nan, 4]]), "bad-box"),
    "infinite": (v1(bbox=[[1, 2, math.inf, 4]]), "bad-box"),
    "negative": (v1(bbox=[[1, 2, 3, 4], [9, 9, -3, 4]]), "bad-box"),
    "no area": (v1(bbox=[[1, 2, 0, 4]]), "bad-box"),
    "outside": (v1(bbox=[[100, 2, 9, 4]]), "bad-box"),
    "huge": (v1(bbox=[[10**400, 2, 9, 4]]), "bad-box"),
    "ragged": (v1(bbox=[[1, 2, 3, 4], [1, 2]]), "bad-box"),
    "words": (v1(bbox=["left"]), "bad-box"),
    "no boxes": (v1(bbox=[]), "missing-truth"),
    "unboxed": (v1(bbox=...), "missing-truth"),
    "unsized": (v1(width=..., height=...), "missing-truth"),
    "start 0": (v1(st_frame=0), "bad-span"),
    "start text": (v1(st_frame="5"), "bad-span"),
    "start half": (v1(st_frame=5.5), "bad-span"),
    "after its end": (v2(st_frame=18), "bad-span"),
    "after the video": (v1(st_frame=21), "truth-past-end"),
    "blank": (v1(caption=" \u00a0 "), "no-sentence"),
    "Chinese": (v2(English=...), "no-sentence"),
    "list": ([], "bad-record"),
    "none": (None, "bad-record"),
    "width": (v1(width=True), "bad-record"),
    "frames": (v1(img_num=-1), "bad-record"),
    "rate": (v1(fps=0), "bad-record"),
    "size": (v2(img_size="48x64"), "bad-record"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_record_is_named_and_skipped(tmp_path: Path, name: str) -> None:
    row, kind = BAD[name]
    alone = "_" in name or not name.isprintable() or "." in name or not name
    key = name if alone else NAMES[1]  # a fault of the record needs a video that exists
    found = read(hcstvg(tmp_path, {NAMES[0]: v1(), key: row, NAMES[2]: v1()}))
    assert [record.id for record in found.records] == [NAMES[0], NAMES[2]]
    assert set(found.truths) == {NAMES[0], NAMES[2]}
    (problem,) = found.problems
    assert (problem.kind, problem.record, problem.split) == (kind, key, "train")
    assert problem.skipped
    assert problem.detail
    assert found.skipped == 1
    assert f"1 x {kind}" in found.remarks()[0]


def test_boxes_are_cut_to_the_frame_and_counted(tmp_path: Path) -> None:
    found = read(
        hcstvg(tmp_path, {FIRST: v1(bbox=[[-5, 8, 20, 30], [50, 8, 20, 30], [1, 1, 9, 9]])})
    )
    assert found.truths[FIRST].track.boxes_xyxy.tolist() == [
        [0, 8, 15, 38], [50, 8, 64, 38], [1, 1, 10, 10],
    ]  # fmt: skip
    (problem,) = found.problems
    assert (problem.kind, problem.detail, problem.skipped) == ("clamped-box", "2 of 3 boxes", False)


def test_what_is_odd_but_usable_is_told(tmp_path: Path) -> None:
    root = hcstvg(tmp_path, {"65_xp67EC-Hvwk.mkv": v1(), NAMES[1]: v1(st_frame=17), NAMES[2]: v1()})
    (root / "copies").mkdir()
    (root / "copies" / NAMES[2]).write_bytes((root / "videos" / "part1" / NAMES[2]).read_bytes())
    found = read(root)
    assert len(found.records) == 3
    kinds = [problem.kind for problem in found.problems]
    assert kinds == ["other-extension", "late-truth", "several-videos"]
    assert found.records[2].video == root / "copies" / NAMES[2]


def test_folders_in_names_choose_among_videos(tmp_path: Path) -> None:
    root = hcstvg(tmp_path, {f"part1/{FIRST}": v1()})
    (root / "copies").mkdir()
    (root / "copies" / FIRST).write_bytes(b"another")
    assert read(root).records[0].video == root / "videos" / "part1" / FIRST


def test_an_empty_video_is_skipped(tmp_path: Path) -> None:
    root = hcstvg(tmp_path)
    (root / "videos" / "part1" / FIRST).write_bytes(b"")
    assert [problem.kind for problem in read(root).problems] == ["empty-video"]


def test_repeated_keys_keep_the_first(tmp_path: Path) -> None:
    rows = [(FIRST, v1(caption=f"Man {at} walks.")) for at in range(3)] + [(NAMES[1], v1())]
    text = ", ".join(f"{json.dumps(key)}: {json.dumps(row)}" for key, row in rows)
    found = read(hcstvg(tmp_path, "{" + text + "}"))
    assert [record.text[:5] for record in found.records] == ["Man 0", "The m"]
    assert [(one.kind, one.record) for one in found.problems] == [("duplicate-id", FIRST)] * 2
    assert found.skipped == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfe{", "not UTF-8"),
        (b'{"a": ', "not JSON"),
        (b"[" * 100_000, "nested"),
        (b"[]", "instead of an object"),
        (b'"a"', "instead of an object"),
    ],
)
def test_a_file_that_is_no_annotation(tmp_path: Path, content: bytes, told: str) -> None:
    hcstvg(tmp_path, content, "train_v2.json")
    with pytest.raises(InputError, match=told) as error:
        read(tmp_path, truth=True)
    assert "train_v2.json" in error.value.message


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    hcstvg(tmp_path, b"\xef\xbb\xbf" + json.dumps({FIRST: v1()}).encode())
    assert len(read(tmp_path).records) == 1


def test_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read(tmp_path / "none")
    with pytest.raises(InputError, match="no annotation file"):
        read(tmp_path)
    write(tmp_path / "train.json", {"videos": [], "trajectories": {}})
    with pytest.raises(InputError, match="no annotation file"):
        read(tmp_path)
    hcstvg(tmp_path)
    with pytest.raises(InputError, match="no split 'test'"):
        read(tmp_path, "test")
    with pytest.raises(UsageError, match="unknown split"):
        read(tmp_path, "tset")
    with pytest.raises(UsageError, match="unknown data format"):
        read(tmp_path, format="coco")
    write(tmp_path / "v2" / "train_v2.json", {FIRST: v2()})
    with pytest.raises(UsageError, match="2 data sets"):
        read(tmp_path)
    assert read(tmp_path, format="hcstvg-v2").format == "hcstvg-v2"
    write(tmp_path / "other" / "train.json", {FIRST: v1()})
    with pytest.raises(UsageError, match="several files"):
        read(tmp_path, format="hcstvg")


def test_links_of_the_user_are_followed_once(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    root = tmp_path / "data"
    hcstvg(disk)
    root.mkdir()
    (root / "train.json").write_bytes((disk / "train.json").read_bytes())
    (root / "videos").symlink_to(disk / "videos")
    (disk / "videos" / "loop").symlink_to(root)
    assert len(read(root).records) == 3
    assert Tree(root).videos == 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    root = hcstvg(tmp_path)
    os.mkfifo(root / "test.json")
    (root / "videos" / "part1" / NAMES[1]).unlink()
    os.mkfifo(root / "videos" / "part1" / NAMES[1])
    found = read(root)
    assert [(one.kind, one.record) for one in found.problems] == [("missing-video", NAMES[1])]
    with pytest.raises(InputError, match="no split 'test'"):
        read(root, "test")


def test_source_is_the_film() -> None:
    assert source("65_xp67EC-Hvwk.mp4") == source("66_xp67EC-Hvwk.mkv") == "xp67EC-Hvwk"
    assert source("12_-vfjywN5CN0.mp4") == "-vfjywN5CN0"
    assert source("10__Gvp-cj3bmI.mp4") == "_Gvp-cj3bmI"
    assert source("clip7.mp4") == "clip7"
    assert source("3_short.mkv") == "3_short"


def test_every_kind_says_what_is_done() -> None:
    assert all(len(told) > 20 for told in KINDS.values())


def test_truths_are_checked() -> None:
    truth: dict[str, Any] = {"span": (0, 2), "segment": (0, 9), "fps": 5.0}
    track = Track(np.arange(2), np.ones((2, 4)))
    assert Truth(track=track, **truth).frames.tolist() == [0, 1]
    for wrong in ({"span": (2, 2)}, {"span": (0, 1)}, {"fps": math.nan}, {"segment": (3, 3)}):
        with pytest.raises(ValueError, match="expected"):
            Truth(track=track, **(truth | wrong))
    with pytest.raises(ValueError, match="increasing"):
        Track(np.array([1, 1]), np.ones((2, 4)))
    with pytest.raises(ValueError, match="one per frame"):
        Track(np.arange(3), np.ones((2, 4)))
    with pytest.raises(ValueError, match="finite"):
        Track(np.arange(1), np.full((1, 4), np.nan))

"""Detections from JSON Lines: what is read, what is refused and where."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.tubelets import Detections
from cospal_cli.detect import BACKENDS, detect, open_detector
from cospal_cli.detect.from_file import FromFile, write
from cospal_cli.settings import DetectorConfig, FileConfig

BOX = [1, 2, 3, 4]


def batch(*indices: int, size: tuple[int, int] = (64, 48)) -> FrameBatch:
    """Black frames at half the displayed ``size``."""
    images = np.zeros((len(indices), size[1] // 2, size[0] // 2, 3), np.uint8)
    return FrameBatch(images, np.array(indices), np.array(indices) / 10, size)


def reader(tmp_path: Path, *lines: str, **options: float) -> FromFile:
    path = tmp_path / "boxes.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return FromFile(DetectorConfig(name="file", file=FileConfig(str(path)), **options))


def line(frame: int, boxes: list, scores: list, labels: list, **more: object) -> str:
    return json.dumps({"frame": frame, "boxes": boxes, "scores": scores, "labels": labels, **more})


def test_frames_in_any_order_and_frames_without_a_line(tmp_path: Path) -> None:
    detector = reader(
        tmp_path,
        line(7, [BOX, [10, 10, 20, 20]], [0.4, 0.9], ["dog", "person"]),
        "",
        line(2, [[5, 5, 9, 9]], [0.5], ["person"]),
    )
    assert detector.classes == ("dog", "person")
    first, empty, last = detect(detector, batch(2, 3, 7))
    assert first.boxes_xyxy.tolist() == [[5, 5, 9, 9]]
    assert len(empty) == 0
    assert empty.label_scores.shape == (0, 2)
    assert [detector.classes[label] for label in last.labels] == ["person", "dog"]
    np.testing.assert_allclose(last.label_scores, [[0, 0.9], [0.4, 0]], atol=1e-6)


def test_boxes_are_cut_to_the_displayed_frame_and_weak_ones_dropped(tmp_path: Path) -> None:
    boxes = [[-5, -5, 30, 100], [70, 0, 80, 10], [0, 0, 5, 5]]
    detector = reader(tmp_path, line(0, boxes, [0.9, 0.9, 0.1], ["car"] * 3))
    (found,) = detect(detector, batch(0))
    assert found.boxes_xyxy.tolist() == [[0, 0, 30, 48]]


def test_limit_keeps_the_best(tmp_path: Path) -> None:
    text = line(0, [BOX] * 3, [0.3, 0.9, 0.5], ["a", "b", "c"])
    (found,) = detect(reader(tmp_path, text, max_per_frame=2), batch(0))
    np.testing.assert_allclose(found.scores, [0.9, 0.5], atol=1e-6)


def test_written_file_reads_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    corners = rng.uniform(0, 20, (3, 2))
    boxes = np.concatenate([corners, corners + 5], axis=1).astype(np.float32)
    scores = np.array([0.9, 0.6, 0.3], np.float32)
    labels = np.array([1, 0, 1])
    features = rng.normal(size=(3, 4)).astype(np.float32)
    made = Detections(4, boxes, scores, labels, np.eye(2, dtype=np.float32)[labels], features)
    path = tmp_path / "out.jsonl"
    write(path, [made], ["cat", "dog"])
    detector = FromFile(DetectorConfig(name="file", file=FileConfig(str(path))))
    (back,) = detect(detector, batch(4))
    np.testing.assert_allclose(back.boxes_xyxy, boxes, atol=0.006)
    np.testing.assert_allclose(back.scores, scores, atol=1e-4)
    np.testing.assert_allclose(back.features, features, atol=1e-6)
    assert [detector.classes[i] for i in back.labels] == ["dog", "cat", "dog"]
    assert [file.name for file in tmp_path.iterdir()] == ["out.jsonl"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expecting property name"),
        ("[1, 2]", "expected an object"),
        ('{"frame": 1}', "'labels' is missing"),
        (line(-1, [], [], []), "found -1"),
        (line(True, [], [], []), "found True"),
        (line(1, [[1, 2, 3]], [0.5], ["a"]), "rows of 4 numbers"),
        (line(1, [BOX], [0.5, 0.5], ["a"]), "1 boxes, 2 scores, 1 labels"),
        (line(1, [BOX], [1.5], ["a"]), r"scores \[1.5\]"),
        (line(1, [BOX], [0.5], ["a"], features=[[1], [2]]), "2 rows of features"),
        (line(1, [BOX], [0.5], "a"), "found 'a'"),
        (line(1, [[3, 2, 1, 4]], [0.5], ["a"]), "right or lower edge"),
        (line(1, [[0, 0, float("nan"), 4]], [0.5], ["a"]), "not finite"),
        (line(1, [[0, 0, 10**400, 4]], [0.5], ["a"]), "too large|int too"),
        ("[" * 100_000, "nested"),
        (line(3, [], [], []), "a second line for frame 3"),
    ],
)
def test_errors_name_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"boxes\.jsonl:2: .*({message})"):
        reader(tmp_path, line(3, [], [], []), text)


def test_missing_file_and_missing_path(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl: No such file"):
        FromFile(DetectorConfig(name="file", file=FileConfig(str(tmp_path / "none.jsonl"))))
    with pytest.raises(UsageError, match=r"detector\.file\.path"):
        FromFile(DetectorConfig(name="file"))


def test_unknown_detector_lists_the_known() -> None:
    with pytest.raises(UsageError, match="unknown value 'nanodett'") as caught:
        open_detector(DetectorConfig(name="nanodett"))
    assert all(name in caught.value.hint for name in BACKENDS)

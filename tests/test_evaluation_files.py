"""Predictions in HC-STVG's own form, and reports as tables."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.evaluation.predictions import GivenPredictions, read_predictions, write_predictions
from cospal_cli.evaluation.summary import evaluate
from cospal_cli.evaluation.table import table
from cospal_cli.evaluation.tubes import Prediction, Track, Truth


@dataclass(frozen=True)
class Sample:
    """What predictions may belong to."""

    id: str
    name: str = "v.mp4"
    text: str = "A man walks."
    size: tuple[int, int] | None = (64, 48)
    segment: tuple[int, int] | None = None

    @property
    def video(self) -> Path:
        return Path("videos") / self.name


def track(start: int, end: int) -> Track:
    frames = np.arange(start, end)
    return Track(frames, np.stack([frames, frames, frames + 20, frames + 9], axis=1) / 3)


def test_round_trip(tmp_path: Path) -> None:
    file = tmp_path / "predictions.json"
    told = {
        "a": Prediction(track(0, 30), (5, 12)),
        "b": None,
        "c": Prediction(track(0, 3), (9, 12)),
    }
    write_predictions(file, told)
    row = json.loads(file.read_text())["a"]
    assert (row["st_frame"], row["ed_frame"]) == (6, 12)  # from 1, the last one included
    assert list(row["bbox"])[::6] == ["6", "12"]
    read = read_predictions(file, [Sample(one) for one in told])
    assert read.bad == []
    found = read.by_id
    assert found["a"] is not None
    assert found["a"].span == (5, 12)
    assert found["a"].tube.frames.tolist() == list(range(5, 12))
    np.testing.assert_array_equal(found["a"].tube.boxes_xyxy, told["a"].tube.boxes_xyxy)  # type: ignore[union-attr]
    assert found["b"] is found["c"] is None


GOOD: dict[str, Any] = {"st_frame": 1, "ed_frame": 1, "bbox": {"1": [0, 0, 1, 1]}}
BAD_ROWS: dict[str, Any] = {
    "no box": {"st_frame": 1, "ed_frame": 1},
    "nan": GOOD | {"bbox": {"1": [0, 0, float("nan"), 1]}},
    "short": GOOD | {"bbox": {"1": [0, 0, 1]}},
    "endless": GOOD | {"bbox": {"1": [0, 0, 1e308, 1e308]}},
    "words": GOOD | {"bbox": {"one": [0, 0, 1, 1]}},
    "digits": GOOD | {"bbox": {"1" * 5000: [0, 0, 1, 1]}},
    "zero": GOOD | {"bbox": {"0": [0, 0, 1, 1]}},
    "width": GOOD | {"bbox": {"1": [10, 10, 5, 5]}},  # x, y, w, h
    "texts": GOOD | {"bbox": {"1": ["0", "0", "1", "1"]}},
    "nested": GOOD | {"bbox": {"1": [[0, 0], [1, 1]]}},
    "rows": GOOD | {"bbox": [[0, 0, 1, 1]]},
    "text": GOOD | {"st_frame": "1"},
    "half": GOOD | {"st_frame": 1.5},
    "true": GOOD | {"ed_frame": True},
    "turned": GOOD | {"st_frame": 5},
    "huge": GOOD | {"ed_frame": 10**30},
    "list": [1],
    "number": 0,
    "false": False,
    "blank": "",
}


def test_bad_predictions_are_named_and_left_out(tmp_path: Path) -> None:
    file = tmp_path / "predictions.json"
    file.write_text(json.dumps({"good": GOOD} | BAD_ROWS))
    read = read_predictions(file, [Sample("good")])
    assert list(read.by_id) == ["good"]
    assert [text.split("'")[1] for text in read.bad] == list(BAD_ROWS)


@pytest.mark.parametrize("name", BAD_ROWS)
def test_nothing_but_bad_predictions_is_another_form(tmp_path: Path, name: str) -> None:
    file = tmp_path / "predictions.json"
    file.write_text(json.dumps({name: BAD_ROWS[name]}))
    with pytest.raises(UsageError, match="no predictions") as error:
        read_predictions(file, [Sample(name)])
    assert ".tube.json" in error.value.hint
    assert "st_frame" in error.value.hint


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"\xff", b"{", b"{}", b"3", b"null", b"[" * 100_000, b"a,b\n1,2\n",
        b'{"schema": "cospal/evaluation@1", "split": "test"}', b'{"schema": "cospal/tube@2"}',
        b'{"schema": "cospal/tube@1"}', b'[{"schema": "cospal/tube@1"}]',
    ],
)  # fmt: skip
def test_files_of_another_form(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "predictions.json"
    file.write_bytes(content)
    with pytest.raises(UsageError, match="no predictions") as error:
        read_predictions(file, [Sample("a")])
    assert ".tube.json" in error.value.hint


def test_files_that_are_not_there_and_answers_to_other_samples(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read predictions"):
        read_predictions(tmp_path / "none.json", [Sample("a")])
    file = tmp_path / "predictions.json"
    file.write_text(json.dumps({"b": GOOD, "c": None}))
    with pytest.raises(InputError, match="belongs to a sample of the split: 'b'") as error:
        read_predictions(file, [Sample("a")])
    assert "'a'" in error.value.hint


# --- tube files ---


def tube(video: str = "v.mp4", text: str = "A man walks.", **changed: Any) -> dict[str, Any]:
    """What is read of a tube file: boxes at frames 3 to 5."""
    boxes = [{"frame": at, "bbox": [at, 1, at + 5.5, 9]} for at in range(3, 6)]
    best = {"start_frame": 3, "end_frame": 6, "boxes": boxes} | changed.pop("tube", {})
    document = {
        "schema": "cospal/tube@1",
        "video": {"path": video, "width": 64, "height": 48},
        "query": {"id": "1", "text": text},
        "tubes": [best, {"start_frame": "worse"}],
    }
    return document | changed


def read_tubes(folder: Path, *documents: Any, samples: Any) -> GivenPredictions:
    for number, document in enumerate(documents):
        path = folder / f"{number}.tube.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
    return read_predictions(folder, samples)


def test_a_tube_file_finds_its_sample_by_video_and_sentence(tmp_path: Path) -> None:
    samples = [Sample("a", "v.mp4"), Sample("b", "v.mp4", "A dog."), Sample("c", "w.mp4")]
    file = tmp_path / "x.json"  # any name, when it is named itself
    file.write_text(json.dumps(tube("/data/part 1/v.mp4", " a man  walks. ")))
    read = read_predictions(file, samples)
    assert (list(read.by_id), read.bad, read.strangers) == (["a"], [], [])
    found = read.by_id["a"]
    assert found is not None
    assert found.span == (3, 6)
    assert found.tube.frames.tolist() == [3, 4, 5]
    assert found.tube.boxes_xyxy[0].tolist() == [3, 1, 8.5, 9]


@pytest.mark.parametrize("path", ["v.mp4", "C:\\videos\\v.mp4", "../v.mp4"])
def test_only_the_name_of_its_video_counts(tmp_path: Path, path: str) -> None:
    assert list(read_tubes(tmp_path, tube(path), samples=[Sample("a")]).by_id) == ["a"]


def batch_lines(*names: str) -> str:
    """What a batch says of itself, as a killed run leaves it: the last line is cut short."""
    row = {"video": "v.mp4", "query": "x", "status": "complete"}
    rows = [{**row, "id": name, "json": f"elsewhere/{name}.tube.json"} for name in names]
    rows.append({**row, "id": "z", "status": "failed", "reason": "it is damaged"})
    return "\n".join(map(json.dumps, rows)) + '\n{"video": "v'


def test_lines_of_a_batch_stand_for_their_documents(tmp_path: Path) -> None:
    samples = [Sample("a"), Sample("b", "w.mp4")]
    (tmp_path / "a.tube.json").write_text(json.dumps(tube()))
    (tmp_path / "b.tube.json").write_text(json.dumps(tube("w.mp4", tubes=[])))
    file = tmp_path / "results.jsonl"
    file.write_text(batch_lines("a", "b", "gone"))
    read = read_predictions(file, samples)
    assert list(read.by_id) == ["a", "b"]
    assert read.by_id["b"] is None
    gone, failed, cut = read.bad
    assert "gone.tube.json" in gone
    assert "results.jsonl:4 is left out: v.mp4: failed: it is damaged" in failed
    assert "not JSON" in cut
    assert set(read_predictions(tmp_path, samples).by_id) == {"a", "b"}  # of the folder: the files


@pytest.mark.parametrize("name", ["results.jsonl", "results.2-of-3.jsonl"])
def test_a_folder_with_lines_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / name).write_text(json.dumps(tube()) + "\n" + json.dumps(tube("w.mp4")))
    read = read_predictions(tmp_path, [Sample("a"), Sample("b", "w.mp4")])
    assert set(read.by_id) == {"a", "b"}
    (tmp_path / "sub" / name).write_text(batch_lines())
    with pytest.raises(UsageError, match="it is damaged"):
        read_predictions(tmp_path, [Sample("a")])


def test_a_query_id_that_is_a_records_serves_too(tmp_path: Path) -> None:
    samples = [Sample("a"), Sample("b", "w.mp4", "A dog.")]
    by_id = tube("renamed.mp4", "another sentence", query={"id": "b", "text": "another"})
    read = read_tubes(
        tmp_path, by_id, tube(query={"id": "b", "text": "A man walks."}), samples=samples
    )
    assert set(read.by_id) == {"a", "b"}  # the id counts only where video and sentence do not tell


def test_a_folder_of_tube_files(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "z.tube.json").write_text(json.dumps(tube("w.mp4", tubes=[])))
    (tmp_path / "notes.json").write_text("no tube file")
    stranger, broken = tube("other.mp4"), "{"
    again = tube(tubes=[])
    samples = [Sample("a"), Sample("c", "w.mp4"), Sample("d", "u.mp4")]
    read = read_tubes(tmp_path, tube(), stranger, broken, again, samples=samples)
    assert set(read.by_id) == {"a", "c"}
    assert read.by_id["a"] is not None
    assert read.by_id["c"] is None  # nothing found, which is an answer
    assert read.strangers == [
        "1.tube.json: no sample has the video 'other.mp4' and the sentence 'A man walks.'"
    ]
    assert [text.split(" ")[0] for text in read.bad] == ["2.tube.json", "3.tube.json"]
    assert "'a' has a prediction already" in read.bad[1]


def test_a_folder_without_tube_files(tmp_path: Path) -> None:
    (tmp_path / "predictions.json").write_text(json.dumps({"a": GOOD}))
    with pytest.raises(UsageError, match=r"no \*.tube.json in the folder"):
        read_predictions(tmp_path, [Sample("a")])


def test_one_document_a_line(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_text("\n".join(json.dumps(tube(name)) for name in ("v.mp4", "w.mp4")))
    read = read_predictions(file, [Sample("a"), Sample("b", "w.mp4")])
    assert list(read.by_id) == ["a", "b"]


def test_samples_that_share_video_and_sentence_are_told_apart_by_segment(tmp_path: Path) -> None:
    samples = [Sample("early", segment=(0, 5)), Sample("late", segment=(50, 90))]
    assert list(read_tubes(tmp_path, tube(), samples=samples).by_id) == ["early"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"tubes": None}, {"tubes": {}}, {"tubes": ["a"]}, {"tubes": "none"},
        {"video": None}, {"video": {"path": 3}}, {"query": None}, {"query": {"text": ["a"]}},
        {"tube": {"start_frame": "3"}}, {"tube": {"start_frame": True}},
        {"tube": {"start_frame": 3.0}}, {"tube": {"end_frame": None}}, {"tube": {"end_frame": 3}},
        {"tube": {"end_frame": 5}}, {"tube": {"boxes": []}}, {"tube": {"boxes": [[1, 2, 3, 4]]}},
        {"tube": {"boxes": [{"frame": "3", "bbox": [1, 2, 3, 4]}]}},
        {"tube": {"boxes": [{"frame": 3, "bbox": [1, 2, "3", 4]}]}},
        {"tube": {"boxes": [{"frame": 3, "bbox": [1, 2, None, 4]}]}},
        {"tube": {"boxes": [{"frame": 3, "bbox": [9, 9, 3, 4]}]}},
        {"tube": {"boxes": [{"frame": 3, "bbox": [1, 2, 3, 4]}] * 2}},
        {"video": {"path": "v.mp4", "width": 640, "height": 480}},
    ],
)  # fmt: skip
def test_wrong_fields_are_no_answer(tmp_path: Path, wrong: dict[str, Any]) -> None:
    good = tube("w.mp4")
    samples = [Sample("a"), Sample("b", "w.mp4")]
    read = read_tubes(tmp_path, tube(**wrong), good, samples=samples)
    assert list(read.by_id) == ["b"]
    assert read.bad[0].startswith("0.tube.json is left out: ")
    (tmp_path / "1.tube.json").unlink()
    with pytest.raises(UsageError, match="no predictions"):
        read_predictions(tmp_path, samples)


def test_table() -> None:
    truths = {"a": Truth((5, 12), track(5, 12), (0, 40), 5.0)}
    truths["b"] = Truth((5, 12), track(5, 12), (0, 40), 5.0, form="interrogative")
    tubelets = (track(0, 30), track(8, 30))
    right = evaluate({"a": Prediction(tubelets[0], (5, 12), tubelets)}, truths)
    lines = table({"cospal": right, "nothing": evaluate({}, truths, resamples=0)}, width=200)
    assert lines[0] == "cospal: 1 of 2 predictions are missing and count 0 (b)"
    assert lines[1] == "nothing: 2 of 2 predictions are missing and count 0 (a, b)"
    assert lines[2].split()[:4] == ["2", "samples,", "plain", "m_tIoU"]
    assert lines[3].startswith("cospal")
    assert lines[3].split()[1:4] == ["50.0", "[0.0,", "100.0]"]
    assert lines[4].split() == ["nothing"] + ["0.0"] * 5
    assert lines[5] == ""
    assert lines[6].split()[:2] == ["cospal", "m_tIoU"]
    assert any(line.startswith("  oracle tubelet and time") for line in lines[7:])
    assert any(line.startswith("  form declarative (1)") for line in lines[7:])
    assert any(line.startswith("nothing ") for line in lines[7:])
    short = table({"cospal": right}, details=False, width=200)
    assert [line.split() for line in short] == [lines[at].split() for at in (0, 2, 3)]

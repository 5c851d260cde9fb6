"""Every output format: what is written is what the tube says, by a reader of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from cospal_cli import datasets
from cospal_cli.core.errors import UsageError
from cospal_cli.core.observation import FrameSpan
from cospal_cli.evaluation.predictions import read_predictions
from cospal_cli.outputs import open_output
from cospal_cli.outputs.hcstvg import record_ids
from cospal_cli.outputs.keyframes import FARTHEST, key_rows
from cospal_cli.outputs.stored import TubeDocument, by_video, distinct
from cospal_cli.settings import Config
from tests import contracts
from tests.output_readers import READERS, Boxes, cvat
from tests.stored_documents import EVEN, FIRST, KINDS, NAMES, STRANGE, document, path_of, tube

EXACT = 1e-6  # pixels: boxes are stored to hundredths, and so written
DIGITS = {"label-studio": 1e-4, "mot": 0.005}


def written(name: str, documents: Sequence[TubeDocument]) -> dict[str, str]:
    return dict(open_output(name, Config().output).files(documents))


def groups(name: str, documents: list[TubeDocument]) -> list[list[TubeDocument]]:
    """The documents that share an output."""
    if open_output(name, Config().output).joint:
        return [documents]
    return [group for _, group in by_video(documents)]


def truth(documents: Sequence[TubeDocument]) -> list[Boxes]:
    return [
        dict(zip(one.frames.tolist(), map(tuple, one.boxes_xyxy.tolist()), strict=True))
        for doc in documents
        for one in doc.tubes
    ]


def compare(found: Sequence[Boxes], expected: Sequence[Boxes], error: float) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert list(one) == list(other), "other frames"
        np.testing.assert_allclose(list(one.values()), list(other.values()), rtol=0, atol=error)


@pytest.mark.parametrize("name", NAMES)
class TestEveryFormat:
    """What all of the table keep to."""

    def test_contract(self, name: str) -> None:
        contracts.check_output(open_output(name, Config().output))

    @pytest.mark.parametrize("kind", KINDS)
    def test_frames_and_boxes_come_back(self, name: str, kind: str, tmp_path: Path) -> None:
        for documents in groups(name, KINDS[kind]):
            texts = written(name, documents)
            if name in ("vtt", "srt"):
                check_cues(texts[f".{name}"], documents, "." if name == "vtt" else ",")
            elif name in ("otio", "edl"):
                check_markers(texts[f".{name}"], documents, name)
            elif name == "hcstvg":
                check_hcstvg(texts, documents, tmp_path)
            elif name == "vidstg":
                check_vidstg(texts, documents, tmp_path)
            else:
                check_boxes(name, texts, documents)


def check_boxes(name: str, texts: Mapping[str, str], documents: list[TubeDocument]) -> None:
    found, expected = READERS[name](texts), truth(documents)
    if name == "label-studio":
        sizes = [(doc.video.width, doc.video.height) for doc in documents for _ in doc.tubes]
        found = [
            {frame: tuple(np.array(box) * [w, h, w, h] / 100) for frame, box in one.items()}
            for one, (w, h) in zip(found, sizes, strict=True)
        ]
    compare(found, expected, DIGITS.get(name, EXACT))


def check_cues(text: str, documents: list[TubeDocument], point: str) -> None:
    """One cue a tube, in order; the frames of the tube, and no millisecond more, are within it."""
    spans = sorted((one.start_s, one.end_s) for doc in documents for one in doc.tubes)
    lines = [line for line in text.split("\n") if " --> " in line]
    assert len(lines) == len(spans) == text.count("-->")
    for line, (start, end) in zip(lines, spans, strict=True):
        first, last = (seconds(part, point) for part in line.split(" --> "))
        assert start - 0.001 < first <= start + 1e-9
        assert end - 1e-9 <= last < end + 0.001


def check_markers(text: str, documents: list[TubeDocument], name: str) -> None:
    """A marker a tube, in order, at its time: to a hundredth of a frame, or an EDL's frame."""
    spans = sorted((one.start_s, one.end_s) for doc in documents for one in doc.tubes)
    if name == "edl":
        found = re.findall(r"^\* LOC: (\d\d):(\d\d):(\d\d):(\d\d) ", text, re.MULTILINE)
        assert len(found) == len(spans)
        fps = float(documents[0].video.fps)
        base, rate = (25, 25.0) if fps > 24.5 else (24, 24 if fps > 23.99 else 24000 / 1001)
        for (hours, minutes, second, frame), (start, _) in zip(found, spans, strict=True):
            whole = int(hours) * 3600 + int(minutes) * 60 + int(second)
            assert abs((whole * base + int(frame)) / rate - start) < 1 / rate
        return
    (clip,) = json.loads(text)["tracks"]["children"][0]["children"]
    assert clip["media_references"]["DEFAULT_MEDIA"]["target_url"] == documents[0].video.path
    assert len(clip["markers"]) == len(spans)
    for marker, (start, end) in zip(clip["markers"], spans, strict=True):
        first, length = (marker["marked_range"][key] for key in ("start_time", "duration"))
        assert abs(first["value"] / first["rate"] - start) < 0.006 / first["rate"] + 1e-6
        assert abs(length["value"] / length["rate"] - (end - start)) < 0.012 / first["rate"] + 1e-6


def seconds(clock: str, point: str) -> float:
    hours, minutes, rest = clock.split(":")
    whole, milliseconds = rest.split(point)
    return int(hours) * 3600 + int(minutes) * 60 + int(whole) + int(milliseconds) / 1000


class Expected:
    """A sample as ``evaluate`` knows it."""

    def __init__(self, name: str) -> None:
        self.id, self.text, self.video = name, "", Path("x")
        self.size, self.segment = None, None


def check_hcstvg(texts: Mapping[str, str], documents: list[TubeDocument], folder: Path) -> None:
    """``evaluate --predictions`` reads the best tube of each record."""
    path = folder / "predictions.json"
    path.write_bytes(texts[".hcstvg.json"].encode("utf-8", "replace"))
    names = record_ids(documents)
    given = read_predictions(path, [Expected(name) for name in names])
    assert not given.bad
    assert list(given.by_id) == names
    for doc, found in zip(documents, given.by_id.values(), strict=True):
        assert (found is None) == (not doc.tubes)
        if found is not None:
            best = doc.tubes[0]
            assert found.span == FrameSpan(best.start, best.end)
            np.testing.assert_array_equal(found.tube.frames, best.frames)
            np.testing.assert_allclose(found.tube.boxes_xyxy, best.boxes_xyxy, atol=EXACT)


def check_vidstg(texts: Mapping[str, str], documents: list[TubeDocument], folder: Path) -> None:
    """The data set's own reader finds the best tube of each sentence as its truth."""
    for name, text in texts.items():
        target = folder / name.removeprefix(".vidstg/")
        target.write_bytes(text.encode("utf-8", "replace"))
    pairs = by_video(documents)
    names = distinct([video.stem for video, _ in pairs])
    for name in names:
        (folder / f"{name}.mp4").write_bytes(b"x")
    best = [doc.tubes[0] for _, group in pairs for doc in group if doc.tubes]
    if not best:
        assert json.loads(texts[".vidstg/test_annotations.json"]) == []
        return
    found = datasets.read(folder, "test", format="vidstg", truth=True)
    assert len(found.truths) == len(best)
    for made, expected in zip(found.truths.values(), best, strict=True):
        assert made.span == FrameSpan(expected.start, expected.end)
        np.testing.assert_array_equal(made.track.frames, expected.frames)
        np.testing.assert_allclose(made.track.boxes_xyxy, expected.boxes_xyxy, atol=EXACT)


@pytest.mark.parametrize("kind", KINDS)
def test_what_cvat_shows_is_nearer_than_a_pixel(kind: str) -> None:
    for documents in groups("cvat", KINDS[kind]):
        compare(cvat(written("cvat", documents)), truth(documents), 1.0)


def test_without_an_error_every_frame_is_a_key_frame() -> None:
    config = replace(Config().output, keyframe_error=0.0)
    documents = KINDS["several tubes"]
    text = open_output("cvat", config).files(documents)[".cvat.xml"]
    compare(cvat({".cvat.xml": text}), truth(documents), EXACT)
    assert 'keyframe="0"' not in text


@pytest.mark.parametrize("error", [0.1, 1.0, 5.0])
def test_key_rows_are_few_and_near_enough(error: float) -> None:
    frames, boxes = np.arange(100) * 2 + 3, path_of(100)
    keys = key_rows(frames, boxes, error)
    assert (keys[0], keys[-1]) == (0, 99)
    lines = [np.interp(frames, frames[keys], boxes[keys, side]) for side in range(4)]
    assert np.abs(np.stack(lines, axis=1) - boxes).max() < error
    assert len(keys) == fewest(frames, boxes, error)
    assert key_rows(frames, np.tile(boxes[:1], (100, 1)), error) == [0, 99]
    long = key_rows(np.arange(1000), np.tile(boxes[:1], (1000, 1)), error)
    assert len(long) == 2 + 999 // FARTHEST
    assert key_rows(frames[:1], boxes[:1], error) == [0]


def fewest(frames: np.ndarray, boxes: np.ndarray, error: float) -> int:
    """How many rows are enough, by trying every line."""
    steps = [0]
    for last in range(1, len(frames)):
        ways = []
        for first in range(last):
            share = ((frames[first:last] - frames[first]) / (frames[last] - frames[first]))[:, None]
            line = boxes[first] + share * (boxes[last] - boxes[first])
            if np.abs(line - boxes[first:last]).max() < error - 1e-6:
                ways.append(steps[first] + 1)
        steps.append(min(ways))
    return steps[-1] + 1


def test_a_track_is_closed_unless_the_video_ends() -> None:
    """CVAT refuses a box beyond the last frame, and shows one for ever that nothing closes."""
    closed = ElementTree.fromstring(written("cvat", KINDS["one tube"])[".cvat.xml"])
    last = closed.findall(".//box")[-1]
    assert (last.get("frame"), last.get("outside"), last.get("keyframe")) == ("67", "1", "1")
    ended = ElementTree.fromstring(written("cvat", KINDS["to the end"])[".cvat.xml"])
    last = ended.findall(".//box")[-1]
    assert (last.get("frame"), last.get("outside")) == ("119", "0")
    assert ended.findtext(".//size") == "120"


@pytest.mark.parametrize("text", STRANGE[:1] + STRANGE[2:])
def test_sentences_come_back_verbatim_where_a_form_can_hold_them(text: str) -> None:
    documents = [TubeDocument.parse(document(FIRST, EVEN, text))]
    root = ElementTree.fromstring(written("cvat", documents)[".cvat.xml"].encode())
    assert {one.text for one in root.findall(".//box/attribute[@name='query']")} == {text}
    (task,) = json.loads(written("label-studio", documents)[".label-studio.json"])
    assert task["data"]["query"] == text
    (query,) = json.loads(written("tao", documents)[".tao.json"])["queries"]
    assert query["text"] == text


def test_label_studio_ends_each_stretch_and_names_the_labels() -> None:
    texts = written("label-studio", KINDS["gaps"])
    (task,) = json.loads(texts[".label-studio.json"])
    box, when = task["predictions"][0]["result"]
    off = [row["frame"] for row in box["value"]["sequence"] if not row["enabled"]]
    assert off == [27, 67]  # counted from 1: the last before the gap, and the last
    assert when["value"]["ranges"] == [{"start": 8, "end": 27}, {"start": 39, "end": 67}]
    root = ElementTree.fromstring(texts[".label-studio.xml"])
    labels = {label.get("value") for label in root.iter("Label")}
    assert {*box["value"]["labels"], *when["value"]["timelinelabels"]} <= labels
    assert root.find("Video").get("framerate") == "25.0"  # type: ignore[union-attr]
    rates = written("label-studio", KINDS["several videos"])[".label-studio.xml"]
    assert 'framerate="$fps"' in rates


def test_uneven_frames_are_told_of_where_a_program_knows_one_rate(
    caplog: pytest.LogCaptureFixture,
) -> None:
    written("label-studio", KINDS["one tube"])
    assert not caplog.records
    written("label-studio", KINDS["uneven frames"] * 2)
    (record,) = caplog.records
    assert "'dir/clip.mp4' come unevenly" in record.getMessage()


def test_several_sentences_of_a_video_share_its_files() -> None:
    documents = KINDS["several sentences"]
    assert len(written("mot", documents)[".mot/gt/labels.txt"].split()) == 2
    root = ElementTree.fromstring(written("cvat", documents)[".cvat.xml"])
    assert [one.get("label") for one in root.iter("track")] == ["man", "dog", "man"]
    tasks = json.loads(written("label-studio", documents)[".label-studio.json"])
    assert [len(one["predictions"][0]["result"]) for one in tasks] == [4, 0, 2]
    assert list(json.loads(written("hcstvg", documents)[".hcstvg.json"])) == [
        "clip.mp4#1", "clip.mp4#2", "clip.mp4#3",
    ]  # fmt: skip


def test_cues_hold_nothing_that_players_take_for_markup() -> None:
    documents = KINDS["text 0"]
    vtt, srt = written("vtt", documents)[".vtt"], written("srt", documents)[".srt"]
    assert "naïve &lt;b&gt;café&lt;/b&gt; &amp; 走る --&gt;" in vtt
    assert "naïve ‹b›café‹/b› & 走る →" in srt
    assert vtt.count("\n\n") == srt.count("\n\n") + 1 == 2
    assert written("vtt", KINDS["no match"])[".vtt"] == "WEBVTT\n"
    assert written("srt", KINDS["no match"])[".srt"] == ""


def test_a_long_video_has_hours() -> None:
    long = np.linspace(0, 360_007.0005, 400)
    documents = [TubeDocument.parse(document([tube(1, 398, long, path_of(1))], long))]
    assert " --> 100:00:07.001" in written("vtt", documents)[".vtt"]


def test_an_unknown_name_is_put_right() -> None:
    with pytest.raises(UsageError) as caught:
        open_output("cvatt", Config().output)
    assert "did you mean 'cvat'" in caught.value.hint


def test_videos_that_only_their_folder_tells_apart() -> None:
    data = json.loads(written("tao", KINDS["several videos"])[".tao.json"])
    assert [one["name"] for one in data["videos"]] == ["clip", "clip_2", "video", "other"]
    assert len({one["file_name"] for one in data["images"]}) == len(data["images"])

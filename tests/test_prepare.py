"""``cospal data prepare``: what is made, kept, refused and skipped; what a stop leaves behind."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cospal_cli import datasets
from cospal_cli.cli import run
from cospal_cli.core import files
from cospal_cli.core.clips import Clips
from cospal_cli.core.errors import DeviceError, InputError, UsageError, WeightsError
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.observation import FrameSpan
from cospal_cli.core.query import Query
from cospal_cli.core.tubelets import Detections
from cospal_cli.core.vocabulary import COCO
from cospal_cli.datasets.synthetic.recipe import Recipe
from cospal_cli.datasets.synthetic.write import write_set
from cospal_cli.detect import open_detector
from cospal_cli.features.tubelets import MOVES, select, tubelet_features
from cospal_cli.grounder import Grounder
from cospal_cli.language.parser.parse import parse
from cospal_cli.library.engines import usual_workers
from cospal_cli.prepared import videos as cache
from cospal_cli.prepared.folder import Prepared
from cospal_cli.preparing import observing
from cospal_cli.preparing.plan import file_name
from cospal_cli.preparing.prepare import PrepareReport, prepare
from cospal_cli.settings import (
    ClipsConfig,
    Config,
    DetectorConfig,
    FeaturesConfig,
    FileConfig,
    TextConfig,
    VideoConfig,
)
from cospal_cli.video.reader import VideoReader
from tests.data_folders import NAMES, hcstvg, v1, vidstg, write

RECIPE = Recipe(seed=5, size=(160, 96), fps=6, seconds=(4, 4), actors=(2, 3), test=0.34)
VIDEOS = 4
SMALL = Config(
    clips=ClipsConfig(fps=1, frames=1, stride=1, threads=1), features=FeaturesConfig(frames=8)
)
SETS = [f"--set=clips.{key}" for key in ("fps=1", "frames=1", "stride=1")] + [
    "--set=features.frames=8"
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small synthetic set, prepared."""
    root = tmp_path_factory.mktemp("set") / "set"
    assert write_set(RECIPE, root, VIDEOS) is not None
    report = prepare(root, root / "prepared", SMALL)
    assert report is not None
    assert (report.made, report.kept, report.bad, report.detector) == (VIDEOS, 0, (), "file")
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed; the files keep their times."""
    shutil.copytree(made, tmp_path / "set")
    return tmp_path / "set"


def again(root: Path, config: Config = SMALL, **options: Any) -> PrepareReport:
    report = prepare(root, root / "prepared", config, **options)
    assert report is not None
    return report


def written(root: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of every file of features."""
    found = sorted((root / "prepared" / "videos").iterdir())
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".json"
    }


# --- what is made ---


def test_features_are_those_of_the_grounder(made: Path) -> None:
    prepared = Prepared.open(made / "prepared")
    assert prepared.splits == ("train", "test")
    assert prepared.synthetic
    record = datasets.read(made, "test", truth=False).records[0]
    (sample,) = prepared.samples("test")
    assert (sample.id, sample.text, sample.form) == (record.id, record.text, "declarative")
    boxes = made / "detections" / f"{record.video.stem}.jsonl"
    detector = open_detector(DetectorConfig(name="file", file=FileConfig(str(boxes))))
    scene = Grounder(SMALL, detector).observe(record.video)
    kept = select(scene.tubelets, 40)
    features, mask = tubelet_features(
        kept, RECIPE.size, 0.0, scene.timeline.end_s, SMALL.features, scene.classes, COCO
    )
    vision = prepared.features(sample)
    np.testing.assert_allclose(vision.tubelets, features, atol=0.01)
    np.testing.assert_array_equal(vision.tubelet_mask, mask)
    stored = prepared.observation(sample)
    assert sample.tubelets == len(stored.tubelets) == len(vision.tubelets) > 1
    for one, other in zip(stored.tubelets, kept, strict=True):
        np.testing.assert_array_equal(one.boxes_xyxy, other.boxes_xyxy)
    assert stored.info.path == str(record.video)
    widths = prepared.sizes
    assert (vision.tubelets.shape[2], vision.clips.shape[1]) == (widths.tubelets, widths.clips)
    phrases = prepared.phrases(sample)
    assert phrases.sentence.vectors.shape[1] == widths.words
    assert (sample.passes, sample.actions) == (len(phrases.passes), len(phrases.passes))
    assert prepared.query(sample) == parse(record.text)
    assert prepared.identity["clips"]["fps"] == 1
    assert prepared.identity["tubelets"]["detector"] == "file"


def test_the_held_out_tenth_is_that_of_the_reader(made: Path) -> None:
    prepared = Prepared.open(made / "prepared")
    for part in ("train", "fit", "validation"):
        expected = [one.id for one in datasets.read(made, part, truth=False).records]
        assert [one.id for one in prepared.samples(part)] == expected
    assert len(prepared.samples("validation")) == 1
    with pytest.raises(UsageError, match="no split 'val'"):
        prepared.samples("val")


def test_the_vocabulary_is_that_of_the_sentences(made: Path) -> None:
    prepared = Prepared.open(made / "prepared")
    words = prepared.words("train")
    assert words["the"] >= 3
    assert not any(word in words for word in ".,")
    for sample in prepared.samples("train"):
        phrases = prepared.phrases(sample)
        assert {*phrases.sentence.words, *phrases.refined.words} <= set(words)


def test_many_threads_read_the_same(made: Path) -> None:
    alone = Prepared.open(made / "prepared")
    samples = alone.samples("train")
    expected = [alone.features(one).tubelets for one in samples]
    words = [alone.phrases(one).refined.vectors for one in samples]
    shared = Prepared.open(made / "prepared")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(shared.features, samples * 10))
        read = list(pool.map(shared.phrases, samples * 10))
    for at, (vision, phrases) in enumerate(zip(found, read, strict=True)):
        np.testing.assert_array_equal(vision.tubelets, expected[at % len(samples)])
        np.testing.assert_array_equal(phrases.refined.vectors, words[at % len(samples)])


def test_processes_make_the_same_files(made: Path, tmp_path: Path) -> None:
    report = prepare(made, tmp_path / "out", SMALL, workers=2)
    assert report is not None
    assert report.seconds > 0
    assert contents(tmp_path / "out") == contents(made / "prepared")


def test_boxes_and_times_are_not_read(root: Path, tmp_path: Path) -> None:
    for name in ("train.json", "test.json"):
        rows = json.loads((root / name).read_bytes())
        for row in rows.values():
            row |= {"bbox": [[float("nan")] * 4], "st_frame": float("nan"), "st_time": None}
        write(root / name, rows)
    report = prepare(root, tmp_path / "out", SMALL)
    assert report is not None
    assert contents(tmp_path / "out") == contents(root / "prepared")


def test_names_of_files() -> None:
    names = [
        "a/b.mp4",
        "b.mp4",
        "b.mkv",
        "../x\n\u202e" + "y" * 300 + ".mp4",
        "-.mp4",
        "\udcff.mp4",
    ]
    found = [file_name(name) for name in names]
    assert len(set(found)) == len(found)
    for name in found:
        assert name.isascii()
        assert "/" not in name
        assert name[0] not in ".-"
        assert len(name) < 120


# --- what is kept, refused and skipped ---


def test_only_what_is_missing_damaged_or_changed_is_made_again(root: Path) -> None:
    before = written(root)
    names = list(before)
    folder = root / "prepared" / "videos"
    (folder / names[0]).unlink()
    data = (folder / names[1]).read_bytes()
    (folder / names[1]).write_bytes(data[:-5])
    video = next((root / "videos").glob(f"{names[2].rsplit('-', 1)[0]}.*"))
    os.utime(video, ns=(1, 1))
    assert (again(root).made, again(root).kept) == (3, 4)
    after = written(root)
    assert list(after) == names
    assert [after[name] == before[name] for name in names] == [False, False, False, True]
    Prepared.open(root / "prepared").features(Prepared.open(root / "prepared").samples("train")[0])


def test_more_videos_can_come_later(root: Path) -> None:
    before = written(root)
    assert write_set(RECIPE, root, VIDEOS + 1) is not None
    report = again(root)
    assert (report.made, report.kept) == (1, VIDEOS)
    assert before.items() <= written(root).items()
    assert sum(split["records"] for split in report.splits.values()) == VIDEOS + 1


def test_other_settings_are_refused_with_both_sides(root: Path) -> None:
    other = replace(SMALL, video=VideoConfig(fps=4), clips=replace(SMALL.clips, stride=2))
    with pytest.raises(UsageError) as caught:
        again(root, other)
    assert "video.fps: prepared with 10.0, now 4" in caught.value.message
    assert "clips.stride: prepared with 1, now 2" in caught.value.message
    fast = replace(SMALL, detector=DetectorConfig(threads=3, batch=2), clips=SMALL.clips)
    assert again(root, fast).made == 0
    with pytest.raises(UsageError, match="detector\\.name: prepared with file, now nanodet"):
        again(root, own_detections=False)
    with pytest.raises(UsageError, match="prepared whole"):
        again(root, replace(SMALL, video=VideoConfig(end="2s")))


def test_folders_that_are_something_else(root: Path) -> None:
    with pytest.raises(UsageError, match="does not hold prepared features"):
        prepare(root, root / "videos", SMALL)
    with pytest.raises(UsageError, match="cannot write"):
        prepare(root, root / "train.json", SMALL)
    with pytest.raises(InputError, match="holds no prepared features"):
        Prepared.open(root)
    (root / "prepared" / "prepared.json").write_text("{")
    with pytest.raises(InputError, match=r"prepared\.json"):
        again(root)


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
def test_two_runs_do_not_mix(root: Path) -> None:
    with (
        files.alone(root / "prepared"),
        pytest.raises(UsageError, match="another process is writing"),
    ):
        again(root)
    assert again(root).made == 0


def test_bad_videos_and_records_are_named_and_left_out(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rows: dict[str, Any] = dict.fromkeys(NAMES, v1()) | {"../up.mp4": v1(), "gone.mp4": v1()}
    rows[NAMES[1]] = v1(caption="42 !?")
    root = hcstvg(tmp_path / "set", rows)
    (root / "videos" / "part1" / NAMES[0]).write_bytes(b"no video" * 999)
    arguments = ["data", "prepare", str(root), "--jobs", "0", "--fps", "2", *SETS]
    assert run([*arguments, "--json"]) == 3
    captured = capfd.readouterr()
    report = json.loads(captured.out)
    assert {(one["record"], one["reason"].split(":")[0]) for one in report["bad"]} >= {
        ("../up.mp4", "unsafe-path"),
        ("gone.mp4", "missing-video"),
    }
    assert any(one["record"] == NAMES[0] and "video" in one["reason"] for one in report["bad"])
    assert (report["skipped"], report["splits"]["train"]["records"]) == (3, 2)
    assert "taken as it is" in captured.err
    prepared = Prepared.open(root / "prepared")
    unread = next(one for one in prepared.samples("train") if one.id == NAMES[1])
    assert prepared.phrases(unread).sentence.words == ("42",)
    assert prepared.features(unread).tubelets.shape[1:] == (8, 190)
    assert run(arguments) == 3
    shown = capfd.readouterr().out
    assert "2 videos (0 computed, 2 kept)" in shown
    assert f"skipped: train {NAMES[0]}" in shown


def test_nothing_to_use(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = hcstvg(tmp_path / "set")
    for name in NAMES:
        (root / "videos" / "part1" / name).write_bytes(b"no video" * 999)
    assert run(["data", "prepare", str(root), "--jobs", "0", *SETS]) == 4
    assert "no video of" in capfd.readouterr().err
    with pytest.raises(InputError, match="is incomplete"):
        Prepared.open(root / "prepared")


def test_a_set_without_its_detections(root: Path) -> None:
    shutil.rmtree(root / "detections")
    shutil.rmtree(root / "prepared")
    with pytest.raises(InputError, match=r"jsonl: No such file"):
        again(root)


def test_a_text_encoder_that_does_not_open_is_said_before_any_video_is_watched(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched: list[object] = []
    monkeypatch.setattr(observing, "process", lambda job, config: watched.append(job))
    shutil.rmtree(root / "prepared")
    for text, error in (
        (TextConfig(name="bert", model=str(root / "missing")), WeightsError),
        (TextConfig(name="minilm", device="cuda"), DeviceError),
    ):
        with pytest.raises(error):
            again(root, replace(SMALL, text=text))
    assert not watched
    assert not list((root / "prepared").iterdir())


def test_a_full_disk_is_no_bad_video(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise DeviceError("no space left", "free some")

    shutil.rmtree(root / "prepared" / "videos")
    monkeypatch.setattr(observing, "write", full)
    with pytest.raises(DeviceError, match="no space left") as caught:
        again(root)
    assert caught.value.hint == "free some"


def test_damage_is_found_when_it_is_read(root: Path) -> None:
    prepared = Prepared.open(root / "prepared")
    first, second, _ = prepared.samples("train")
    path = root / "prepared" / "videos" / first.video
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=first.video):
        prepared.features(first)
    prepared.features(second)
    (root / "prepared" / "texts" / "train.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match=r"train\.safetensors"):
        prepared.phrases(second)
    lines = root / "prepared" / "splits" / "test.jsonl"
    lines.write_text("[]\n")
    with pytest.raises(InputError, match=r"test\.jsonl: it is damaged"):
        prepared.samples("test")


# --- sentences ---


@pytest.mark.parametrize("link", [False, True])
def test_parses_that_would_be_replaced_are_refused(root: Path, tmp_path: Path, link: bool) -> None:
    given = root / "prepared" / "texts" / "train.jsonl"
    before = given.read_bytes()
    if link:
        os.link(given, tmp_path / "mine.jsonl")
        given = tmp_path / "mine.jsonl"
    with pytest.raises(UsageError, match="lies in the folder that is written"):
        again(root, parses=[given])
    assert given.read_bytes() == before


def test_parses_of_others_take_the_place_of_ours(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second, third = Prepared.open(root / "prepared").samples("train")
    own = {"global": "dog", "local": ["a dog"], "referral": ["dog"], "verbs": 4}
    rows = [
        {"id": first.id, "text": f" {first.text} ", **own},
        {"id": second.id, "text": "another sentence", **own},
        {"id": "stranger", "text": "x", **own},
    ]
    given = tmp_path / "mine.jsonl"
    given.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with caplog.at_level(logging.WARNING, "cospal"):
        logging.getLogger("cospal").propagate = True
        report = again(root, parses=[given])
    assert (report.made, report.parses) == (0, {"train": 1, "test": 0})
    assert "2 parses belong to no record" in caplog.text
    prepared = Prepared.open(root / "prepared")
    changed = prepared.samples("train")[0]
    assert (changed.actions, changed.passes) == (4, 1)
    assert prepared.phrases(changed).passes[0].words == ("dog", "a", "dog")
    assert prepared.samples("train")[1:] == (second, third)
    assert again(root).parses == {"train": 0, "test": 0}
    assert Prepared.open(root / "prepared").samples("train")[0].actions == 4  # it stays
    given.write_text('{"id": "a", "text": 3}\n')
    with pytest.raises(InputError, match=r"mine\.jsonl:1"):
        again(root, parses=[given])


def test_an_edited_parse_is_encoded_again(root: Path) -> None:
    path = root / "prepared" / "texts" / "train.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]["local"] = ["the zebra"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    before = (root / "prepared" / "texts" / "test.safetensors").stat().st_ino
    again(root)
    prepared = Prepared.open(root / "prepared")
    assert prepared.phrases(prepared.samples("train")[0]).passes[0].words[-1] == "zebra"
    assert (root / "prepared" / "texts" / "test.safetensors").stat().st_ino == before


# --- detectors that are asked, and parts of videos ---


class Asked:
    """A prompted detector: a box for each letter of the sentence, with vectors of 4 numbers."""

    classes = ("child",)
    model_id, model_sha256 = "asked", "a" * 64
    config = DetectorConfig(name="nanodet", threshold=0.1, nms_iou=0.9, batch=4)
    batch, image_side, prompted = 4, 64, True

    def __init__(self, text: str = "") -> None:
        self.text = text

    def prompt(self, query: Query) -> Asked:
        return Asked(query.text)

    def prepare(self, batch: FrameBatch) -> None: ...

    def run(self, prepared: None) -> None: ...

    def decode(self, outputs: None, batch: FrameBatch) -> list[Detections]:
        count = 1 + self.text.endswith("?")
        boxes = np.array([[4, 4, 20, 40], [30, 4, 50, 40]], np.float32)[:count]
        return [
            Detections(
                index, boxes, np.full(count, 0.9, np.float32), np.zeros(count, np.int64),
                np.full((count, 1), 0.9, np.float32), np.full((count, 4), index, np.float32),
                np.full(count, 0.5, np.float32),
            )
            for index in batch.indices.tolist()
        ]  # fmt: skip


def strip_motion(prepared: Path) -> None:
    """Make a video's file as 0.1.0 wrote it: the heads saw the detector's own vectors alone."""
    (path,) = (prepared / "videos").glob("*.safetensors")
    reader = cache.VideoFile(path)
    scenes = {prompt: reader.scene(prompt) for prompt in reader.metadata["prompts"]}
    views = []
    for prompt, frames in reader.metadata["views"]:
        prompt, part = reader.metadata["prompts"][prompt], FrameSpan(*frames) if frames else None
        found = reader.vision(prompt, part)
        views.append(
            cache.Searched(prompt, part, found.tubelets[..., : reader.width], found.tubelet_mask)
        )
    spans = np.zeros((len(found.clips), 2))
    cache.write(path, scenes, views, Clips(found.clips, spans), reader.key)


def test_a_prompted_detector_is_asked_each_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = vidstg(tmp_path / "set")
    detector = Asked()
    monkeypatch.setattr(observing, "detector", lambda config: detector)
    monkeypatch.setattr(observing, "forget", lambda: None)
    report = again(root)
    assert report.splits["test"]["records"] == 2
    assert report.splits["test"]["videos"] == 1
    prepared = Prepared.open(root / "prepared")
    told, asked = prepared.samples("test")
    assert (told.form, asked.form) == ("declarative", "interrogative")
    assert (told.tubelets, asked.tubelets) == (1, 2)
    assert told.video == asked.video
    assert told.segment == (2, 18)
    assert prepared.sizes.tubelets == 4 + MOVES
    assert prepared.identity["tubelets"]["name"] == "detector@2"
    assert prepared.spec.sides == (4, MOVES)
    vision = prepared.features(told)
    assert vision.tubelets.shape == (1, 8, 4 + MOVES)
    assert vision.tubelet_mask.all()
    own, moves = vision.tubelets[..., :4], vision.tubelets[..., 4:]
    assert 2 <= own.min() <= 4
    assert 15 <= own.max() <= 17
    assert moves[..., -1] == pytest.approx(1, abs=0.01)  # a score of .9
    assert moves[..., 4:8] == pytest.approx(0, abs=0.01)  # it stands still
    scene = prepared.observation(told)
    assert scene.timeline.indices.tolist() == list(range(2, 18))
    assert scene.tubelets[0].frame_indices.min() >= 2
    assert again(root).made == 0
    strip_motion(root / "prepared")
    with pytest.raises(InputError, match="numbers, the others' 14"):
        prepared.features(told)
    assert again(root).made == 1  # as 0.1.0 left it: only the detector's own vectors
    assert prepared.features(told).tubelets.shape == (1, 8, 4 + MOVES)
    items = json.loads((root / "annotations" / "test_annotations.json").read_bytes())
    items[0]["captions"][0]["description"] = "the child throws the ball"
    write(root / "annotations" / "test_annotations.json", items)
    assert again(root).made == 1  # what it was asked is part of the key


# --- stopping ---


def test_a_stopped_run_goes_on(root: Path) -> None:
    shutil.rmtree(root / "prepared")
    calls: list[tuple[Any, ...]] = []

    def told(*call: Any) -> None:
        calls.append(call[:3])

    def enough() -> bool:
        return ("prepare", 2, VIDEOS) in calls

    assert prepare(root, root / "prepared", SMALL, progress=told, stopped=enough) is None
    assert len(written(root)) == 2
    with pytest.raises(InputError, match="is incomplete"):
        Prepared.open(root / "prepared")
    report = again(root)
    assert (report.made, report.kept) == (2, 2)


COMMAND = """
import sys
from cospal_cli.cli import run
code = run(sys.argv[1:])
sys.exit(99 if {"torch", "transformers"} & set(sys.modules) else code)
"""


def started(root: Path) -> subprocess.Popen:
    arguments = ["data", "prepare", str(root), "--jobs", "2", "--quiet", *SETS]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_killed_run_leaves_whole_files_and_goes_on(
    root: Path, number: signal.Signals, code: int
) -> None:
    shutil.rmtree(root / "prepared")
    folder = root / "prepared" / "videos"
    process = started(root)
    wait_for(lambda: any(folder.glob("*.safetensors")))
    process.send_signal(number)
    assert process.wait(120) == code
    left = [path for path in folder.iterdir() if not files.is_ours(path.name)]
    for path in left:
        cache.VideoFile(path)
    wait_for(lambda: not_locked(root / "prepared"))
    process = started(root)
    assert process.wait(120) == 0
    assert len(Prepared.open(root / "prepared").samples("train")) == 3
    assert not [path for path in (root / "prepared").rglob("*") if files.is_ours(path.name)]


def not_locked(folder: Path) -> bool:
    try:
        with files.alone(folder):
            return True
    except UsageError:
        return False


# --- the command ---


def test_the_command(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "prepare", str(root), "--jobs", "0", *SETS]) == 0
    shown = capfd.readouterr().out
    assert "SYNTHETIC data set, 4 videos (0 computed, 4 kept), file" in shown
    assert "MB per video" in shown
    assert "HC-STVG v1 (5,660 videos)" in shown
    arguments = ["data", "prepare", str(root), "--jobs", "0", *SETS, "--detector", "nanodet"]
    assert run(arguments) == 2
    assert "prepared with file, now nanodet" in capfd.readouterr().err
    assert run([*arguments, "--fps", "1", "--out", str(root / "other"), "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["detector"], found["videos"]) == ("nanodet", 4)
    prepared = Prepared.open(root / "other")
    assert prepared.identity["tubelets"]["detector_sha256"] != ""
    assert run(["data", "prepare", str(root), "--set", "clips.fpz=3"]) == 2


def test_without_clips_a_video_is_read_once(
    made: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(
        "cospal_cli.video.reader.VideoReader",
        lambda path, config: opened.append(path) or VideoReader(path, config),
    )
    report = prepare(root, root / "other", replace(SMALL, clips=ClipsConfig(name="none")))
    assert report is not None
    assert report.made == VIDEOS == len(opened) == len(set(opened))
    found, usual = Prepared.open(root / "other"), Prepared.open(made / "prepared")
    assert (found.sizes.clips, found.spec.has_clips, usual.spec.has_clips) == (1, False, True)
    for own, other in zip(found.samples("train"), usual.samples("train"), strict=True):
        mine, theirs = found.features(own), usual.features(other)
        np.testing.assert_array_equal(mine.tubelets, theirs.tubelets)
        np.testing.assert_array_equal(mine.clips, np.zeros((1, 1)))
    assert usual.spec.differences(found.spec)[0] == "clips.name: trained on embedded, found none"


def test_how_many_processes() -> None:
    assert usual_workers(Config(clips=ClipsConfig(name="none"))) == (usual_workers(Config()))
    assert usual_workers(Config()) >= 1
    assert usual_workers(Config(clips=ClipsConfig(name="i3d"))) == 1

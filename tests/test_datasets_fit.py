"""Annotations that do not fit their videos: scaled, mapped or left out, everywhere alike."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cospal_cli import datasets
from cospal_cli.cli import run
from cospal_cli.core.observation import FrameSpan
from cospal_cli.datasets.check import check
from cospal_cli.datasets.fit import fit
from cospal_cli.datasets.records import Record
from cospal_cli.datasets.states import VideoState, examine
from cospal_cli.evaluation.tubes import Track, Truth
from tests import media
from tests.data_folders import relation, v1, v2, vidor, write

NAME = "65_xp67EC-Hvwk.mp4"
VID = "10712559773"


def one_clip(root: Path, row: Mapping[str, Any], name: str = NAME, **video: Any) -> Path:
    """A set of one HC-STVG record about one video made as ``video`` says."""
    (root / "videos").mkdir(parents=True)
    frames = video.pop("frames", 20)
    media.make(root / "videos" / name, frames, **video)
    write(root / "test.json", {name: dict(row)})
    return root


def state(**changed: Any) -> VideoState:
    usual: dict[str, Any] = {"size": (640, 272), "fps": 25.0, "frames": 500}
    return VideoState(**(usual | changed))


def record(**changed: Any) -> Record:
    usual: dict[str, Any] = {"size": (640, 272), "frames": 500}
    return Record("r", Path("v.mp4"), "a man", "r", **(usual | changed))


def truth(start: int = 77, end: int = 80, whole: int = 500, fps: float = 25) -> Truth:
    boxes = [[at, 10, at + 20, 40] for at in range(start, end)]
    frames = np.arange(start, end)
    return Truth(FrameSpan(start, end), Track(frames, boxes), FrameSpan(0, whole), fps)


def kinds(found: Any) -> list[str]:
    return [problem.kind for problem in found]


# --- size ---


@pytest.mark.parametrize(
    ("annotated", "found"),
    [
        ((320, 136), (640, 272)),
        ((640, 272), (320, 136)),
        ((640, 360), (426, 240)),  # widths that encoders round
        ((854, 480), (1280, 720)),
        ((480, 270), (480, 272)),
        ((272, 640), (136, 320)),
    ],
)
def test_another_size_of_the_same_shape_scales_boxes(
    annotated: tuple[int, int], found: tuple[int, int]
) -> None:
    kept, problems = fit(record(size=annotated), truth(), state(size=found))
    assert kept is not None
    assert kept[1] is not None
    assert kinds(problems) == ["other-scale"]
    assert problems[0].detail == (
        f"annotated {annotated[0]}x{annotated[1]}, found {found[0]}x{found[1]}"
    )
    assert kept[0].size == found
    wide, high = found[0] / annotated[0], found[1] / annotated[1]
    assert kept[1].track.boxes_xyxy[0] == pytest.approx(
        [77 * wide, 10 * high, 97 * wide, 40 * high]
    )
    assert kept[1].span == (77, 80)


@pytest.mark.parametrize(
    ("annotated", "found"),
    [((480, 360), (640, 360)), ((480, 360), (480, 352)), ((640, 360), (360, 640))],
)
def test_another_shape_is_left_out(annotated: tuple[int, int], found: tuple[int, int]) -> None:
    kept, problems = fit(record(size=annotated), truth(), state(size=found))
    assert kept is None
    assert kinds(problems) == ["other-size"]


def test_annotated_before_the_turn_for_display_is_left_out_and_said() -> None:
    turned = state(size=(360, 640), rotation=90)
    kept, (problem,) = fit(record(size=(640, 360)), None, turned)
    assert kept is None
    assert problem.detail.endswith("found 360x640 after rotation by 90 degrees")


def test_annotated_in_square_pixels_is_the_same_shape() -> None:
    wide = state(size=(720, 576), aspect=16 / 11)
    kept, problems = fit(record(size=(1047, 576)), truth(), wide)
    assert kinds(problems) == ["other-scale"]
    assert kept is not None
    assert kept[1] is not None
    assert kept[1].track.boxes_xyxy[0] == pytest.approx([77 * 720 / 1047, 10, 97 * 720 / 1047, 40])


def test_a_turned_video_is_held_against_what_is_displayed(tmp_path: Path) -> None:
    row = v1(width=48, height=64, bbox=[[5, 8, 20, 30]] * 6)
    root = one_clip(tmp_path, row, turn=(90, False, False))
    assert check(root).problems == ()
    found = datasets.read(root, "test", truth=True)
    assert found.truths[NAME].track.boxes_xyxy[0].tolist() == [5, 8, 25, 38]
    assert examine(found.records[0].video).rotation in (90, 270)


# --- frames ---


@pytest.mark.parametrize(
    ("annotated", "fps", "found"),
    [
        (600, None, state(frames=601, fps=30.0)),
        (601, None, state(frames=599, fps=29.97)),
        (500, None, state(frames=500, fps=25.0)),
        (480, None, state(frames=482, fps=23.976)),
        (596, 29.97, state(frames=597, fps=30.0)),
        (500, 25.0, state(frames=500, fps=50.0)),  # the same frames, played faster
        (500, None, state(frames=507, fps=25.0, declared=False)),
    ],
)
def test_a_frame_or_two_more_or_less_is_nothing(
    annotated: int, fps: float | None, found: VideoState
) -> None:
    own = record(frames=annotated, fps=fps)
    kept, problems = fit(own, truth(whole=annotated), found)
    assert problems == []
    assert kept is not None
    assert kept[1] is not None
    assert kept[1].span == (77, 80)


@pytest.mark.parametrize(
    ("own", "found"),
    [
        (record(frames=150, fps=25.0), state(frames=180, fps=30.0)),
        (record(frames=500), state(frames=600, fps=30.0)),  # 20 s: HC-STVG's clips
    ],
)
def test_another_rate_maps_frames_by_time(own: Record, found: VideoState) -> None:
    assert own.frames is not None
    kept, problems = fit(own, truth(whole=own.frames), found)
    assert kinds(problems) == ["other-rate"]
    assert f"{own.frames} frames annotated, {found.frames} declared" in problems[0].detail
    assert kept is not None
    assert kept[1] is not None
    assert kept[1].span == (93, 96)  # 3.08 s to 3.2 s: the frames that begin within
    assert kept[1].segment == (0, found.frames)
    assert kept[1].track.frames.tolist() == [93, 94, 95]
    lefts = kept[1].track.boxes_xyxy[:, 0]
    assert lefts == pytest.approx([77.5, 78 + 1 / 3, 79], abs=1e-6)
    assert kept[1].fps == pytest.approx(30)
    assert kept[0].frames == found.frames


def test_a_lower_rate_maps_too_and_a_gap_stays_one() -> None:
    gappy = Truth(
        (100, 140), Track([*range(100, 110), *range(130, 140)], np.ones((20, 4))), (0, 500), 25
    )
    kept, problems = fit(record(fps=25.0), gappy, state(frames=200, fps=10.0))
    assert kinds(problems) == ["other-rate"]
    assert kept is not None
    assert kept[1] is not None
    assert kept[1].span == (40, 56)
    assert kept[1].track.frames.tolist() == [40, 41, 42, 43, 44, 52, 53, 54, 55]


@pytest.mark.parametrize("start", range(70, 80))
def test_a_truth_of_one_frame_keeps_one(start: int) -> None:
    kept, _ = fit(record(fps=25.0), truth(start, start + 1), state(frames=100, fps=5.0))
    assert kept is not None
    assert kept[1] is not None
    assert len(kept[1].track) == 1
    assert kept[1].span == (kept[1].track.span[0], kept[1].track.span[0] + 1)


@pytest.mark.parametrize(
    ("own", "found"),
    [
        (record(frames=150), state(frames=180, fps=30.0)),  # nothing says which rate was annotated
        (record(frames=180), state(frames=150, fps=25.0)),
        (record(frames=500, fps=25.0), state(frames=600)),  # the same rate, and longer
        (record(frames=500), state(frames=1500)),
        (record(frames=500, fps=25.0), state(frames=900, fps=30.0)),  # more than its rate explains
    ],
)
def test_frames_that_nothing_explains_are_left_out(own: Record, found: VideoState) -> None:
    kept, problems = fit(own, truth(), found)
    assert kept is None
    assert kinds(problems) == ["other-length"]
    assert f"{own.frames} frames annotated, {found.frames} declared" in problems[0].detail


@pytest.mark.parametrize(
    ("own", "found", "told"),
    [
        (record(frames=500, fps=25.0), state(frames=300), ["short-video"]),
        (record(frames=500), state(frames=300), ["short-video"]),  # 500 frames of 20 s: 25 fps
        (record(frames=500, fps=25.0), state(decoded=300), ["short-video"]),
        (record(frames=500, fps=25.0), state(frames=300, fps=30.0), ["other-rate", "short-video"]),
        (record(frames=20), state(frames=21, fps=10.0), ["long-video"]),
        (record(frames=20), state(frames=19, fps=10.0), ["short-video"]),
    ],
)
def test_a_video_that_ends_early_is_told(own: Record, found: VideoState, told: list[str]) -> None:
    kept, problems = fit(own, None, found)
    assert kept is not None
    assert kinds(problems) == told


def test_truths_after_the_end_of_what_is_left() -> None:
    cut = state(frames=78)
    kept, problems = fit(record(fps=25.0), truth(), cut)
    assert kept is not None
    assert kinds(problems) == ["short-video", "late-truth"]
    kept, problems = fit(record(fps=25.0), truth(78, 80), cut)
    assert kept is None
    assert kinds(problems) == ["short-video", "truth-past-end"]


def test_segments_are_mapped(tmp_path: Path) -> None:
    """VidSTG, annotated at 10 fps; the file has 12."""
    (tmp_path / "video").mkdir()
    media.make(tmp_path / "video" / f"{VID}.mp4", 24, fps=12, size=(128, 96))
    write(tmp_path / "annotations" / "test_annotations.json", [relation()])
    write(tmp_path / "annotation" / f"{VID}.json", vidor())
    found = datasets.read(tmp_path, "test", truth=True)
    assert [one.segment for one in found.records] == [(3, 22)] * 2
    own = found.truths[f"{VID}.0.c0"]
    assert (own.span, own.segment, own.fps) == ((8, 17), (3, 22), pytest.approx(12))
    assert own.track.boxes_xyxy[0].tolist() == [10, 12, 50, 92]
    assert Counter(kinds(found.problems)) == {"other-scale": 2, "other-rate": 2}
    assert kinds(check(tmp_path).problems) == kinds(found.problems)


@pytest.mark.parametrize(
    "name", ["1_clip.mp4", "1_clip.mkv", "1_clip.avi", "1_clip.ts", "1_clip.webm"]
)
def test_frames_are_counted_in_every_container(tmp_path: Path, name: str) -> None:
    codec = "libvpx" if name.endswith("webm") else "libx264"
    path = media.make(
        tmp_path / name, 36, fps=12, codec=codec, audio=None if codec == "libvpx" else "aac"
    )
    found = examine(path)
    assert abs(found.frames - 36) <= (0 if found.declared else 2)
    assert found.fps == pytest.approx(12, rel=0.02)
    assert examine(path, decode=True).decoded == 36


# --- the same in check, prepare and evaluate ---


@pytest.mark.parametrize(
    ("form", "row", "video", "kind"),
    [
        (v1, {}, {"size": (128, 96)}, "other-scale"),
        (v2, {}, {"size": (128, 48)}, "other-size"),
        (v1, {"fps": 10}, {"frames": 24, "fps": 12}, "other-rate"),
        (v2, {"fps": 20}, {"frames": 36}, "other-length"),
    ],
)
def test_check_prepare_and_evaluate_agree(
    tmp_path: Path,
    form: Callable[..., dict[str, Any]],
    row: dict[str, Any],
    video: dict[str, Any],
    kind: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    root = one_clip(tmp_path / "set", form(**row), **video)
    skipped = kind in ("other-size", "other-length")
    assert run(["data", "check", "--json", str(root)]) == (4 if skipped else 0)
    (problem,) = json.loads(capfd.readouterr().out)["problems"]
    assert (problem["kind"], problem["skipped"]) == (kind, skipped)

    assert run(["data", "prepare", "--json", str(root), "--jobs", "0"]) == (4 if skipped else 0)
    shown = capfd.readouterr()
    assert kind in shown.err

    answers = tmp_path / "answers.json"
    write(answers, {NAME: None})
    code = run(["evaluate", "--data", str(root), "--predictions", str(answers)])
    assert code == (4 if skipped else 0)
    assert f"1 x {kind}" in capfd.readouterr().err


def test_evaluate_compares_the_frames_that_show_the_same(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    row = v1(fps=10, bbox=[[10, 8, 20, 30]] * 6)  # frames 4 to 9 of 10 fps: 0.4 s to 1 s
    root = one_clip(tmp_path / "set", row, frames=24, fps=12, size=(128, 96))
    boxes = {str(frame + 1): [20, 16, 60, 76] for frame in range(5, 12)}
    write(tmp_path / "answers.json", {NAME: {"st_frame": 6, "ed_frame": 12, "bbox": boxes}})
    arguments = ["--data", str(root), "--predictions", str(tmp_path / "answers.json"), "--json"]
    assert run(["evaluate", *arguments]) == 0
    found = json.loads(capfd.readouterr().out)["methods"]["answers.json"]["rows"]["predicted"]
    assert found["m_vIoU"]["mean"] == pytest.approx(1)
    assert found["m_tIoU"]["mean"] == pytest.approx(1)

"""Folders and patterns of pictures: one stream in a stated order, or a refusal."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cospal_cli.cli import run
from cospal_cli.core.errors import InputError
from cospal_cli.settings import VideoConfig
from cospal_cli.video import images
from cospal_cli.video.reader import VideoReader
from tests import media


def picture(path: Path, number: int, size: tuple[int, int] = media.SIZE) -> Path:
    """A picture that shows ``number``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exact = {"quality": 95} if path.suffix in (".jpg", ".jpeg") else {}
    exact |= {"lossless": True} if path.suffix == ".webp" else {}
    Image.fromarray(media.numbered(number, size)).save(path, **exact)
    return path


def read(place: Path, **settings: float) -> tuple[list[int], VideoReader]:
    """The numbers that the frames show."""
    with VideoReader(place, VideoConfig(**settings)) as reader:
        return [media.number_of(frame.image) for frame in reader.frames()], reader


@pytest.mark.parametrize("ending", ["png", "jpg", "jpeg", "bmp", "webp", "ppm", "PNG"])
def test_every_kind_in_the_order_of_its_numbers(tmp_path: Path, ending: str) -> None:
    for number in (10, 9, 2, 1, 0, 100):
        if ending == "PNG":
            picture(tmp_path / "a.png", number).rename(tmp_path / f"img{number}.PNG")
        else:
            picture(tmp_path / f"img{number}.{ending}", number)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden.png").write_bytes(b"")
    numbers, reader = read(tmp_path)
    assert numbers == [0, 1, 2, 9, 10, 100]
    assert (reader.info.frames_declared, reader.info.avg_fps) == (6, 25)
    assert reader.timeline.times_s.tolist() == pytest.approx(np.arange(6) / 25)
    (told,) = reader.warnings
    assert f"6 pictures in the order of the numbers in their names, 'img0.{ending}' to" in told
    assert "as 25 frames a second; missing: 3 to 8, 11 to 99" in told
    assert not reader.timeline.damaged


@pytest.mark.parametrize("fps", [0.5, 12.5, 23.976, 30, 1000])
def test_pictures_come_at_the_rate_that_is_stated(tmp_path: Path, fps: float) -> None:
    for number in range(4):
        picture(tmp_path / f"img{number}.png", number)
    numbers, reader = read(tmp_path, image_fps=fps)
    assert numbers == [0, 1, 2, 3]
    assert float(reader.info.avg_fps) == pytest.approx(fps)
    assert reader.info.assumed_fps == fps
    assert reader.timeline.times_s.tolist() == pytest.approx(np.arange(4) / fps)
    assert reader.timeline.end_s == pytest.approx(4 / fps)
    assert f"as {fps:g} frames a second" in reader.warnings[0]


@pytest.mark.parametrize("pattern", ["img_%05d.png", "img_%d.png"])
def test_a_pattern_chooses_among_pictures(tmp_path: Path, pattern: str) -> None:
    for number in range(3):
        picture(tmp_path / f"img_{number:05}.png", number)
        picture(tmp_path / f"mask_{number:05}.png", 50 + number, (32, 24))
    numbers, reader = read(tmp_path / pattern)
    assert numbers == [0, 1, 2]
    assert "missing" not in reader.warnings[0]
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "nothing_%05d.png")


def test_odd_names(tmp_path: Path) -> None:
    for number, name in enumerate(["-a.png", "b c.png", "d\n1.png", "ü2.png", "é" * 100 + ".png"]):
        picture(tmp_path / name, number)
    with VideoReader(tmp_path, VideoConfig()) as reader:
        assert len(list(reader.frames())) == 5
    found = images.find(tmp_path)
    assert found is not None
    assert found.files[0].name == "-a.png"


def test_a_file_whose_own_name_has_a_percent_sign(tmp_path: Path) -> None:
    clip = media.make(tmp_path / "100%d.mp4", 3)
    assert read(clip)[0] == [0, 1, 2]


def test_mixed_sizes_and_kinds_are_refused_with_both(tmp_path: Path) -> None:
    picture(tmp_path / "a1.png", 1)
    picture(tmp_path / "a2.png", 2, (32, 24))
    with pytest.raises(InputError, match=r"'a1.png' 64x48, 'a2.png' 32x24") as caught:
        read(tmp_path)
    assert caught.value.exit_code == 4
    picture(tmp_path / "a2.jpg", 2)
    with pytest.raises(InputError, match=r"several kinds: .*2 \.png"):
        read(tmp_path)


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    picture(tmp_path / "a1.png", 1)
    (tmp_path / "a2.png").write_text("text")
    with pytest.raises(InputError, match=r"not a picture: .*a2\.png"):
        read(tmp_path)
    (tmp_path / "a2.png").unlink()
    with pytest.raises(InputError, match="more than 1000 pixels"):
        VideoReader(tmp_path, VideoConfig(max_pixels=1000))


def test_a_damaged_picture_costs_itself_and_is_told(tmp_path: Path) -> None:
    for number in range(6):
        picture(tmp_path / f"{number}.png", number)
    data = (tmp_path / "3.png").read_bytes()
    (tmp_path / "3.png").write_bytes(data[:60] + bytes(40) + data[100:])
    numbers, reader = read(tmp_path)
    assert set(numbers) >= {0, 1, 2, 4, 5}
    assert len(reader.warnings) > 1 or 3 in numbers


def test_a_folder_of_videos_is_no_sequence(tmp_path: Path) -> None:
    picture(tmp_path / "cover.jpg", 1)
    media.make(tmp_path / "clip.mp4", 3)
    with pytest.raises(InputError, match="is a folder, with 1 video files in it"):
        read(tmp_path)


def test_the_command_takes_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = []
    for number in range(8):
        picture(tmp_path / "frames" / f"{number}.png", number)
        row = {"frame": number, "boxes": [[4, 8, 30, 40]], "scores": [0.9], "labels": ["person"]}
        rows.append(json.dumps(row))
    Path("boxes.jsonl").write_text("\n".join(rows))
    assert run(["ground", "frames", "the person", "--detections", "boxes.jsonl"]) == 0
    found = json.loads(Path("frames.tube.json").read_text())
    assert len(found["tubes"][0]["boxes"]) == 8
    assert "8 pictures in the order" in capfd.readouterr().err
    assert found["video"]["assumed_fps"] == 25
    drawn, _ = read(Path("frames.tube.mp4"))
    assert len(drawn) == 8
    again = ["frames", "the person", "--detections", "boxes.jsonl", "--overwrite"]
    assert run(["ground", *again, "--image-fps", "2"]) == 0
    found = json.loads(Path("frames.tube.json").read_text())
    assert found["video"]["assumed_fps"] == 2
    assert found["tubes"][0]["end_time"] == 4
    _, reader = read(Path("frames.tube.mp4"))
    assert (reader.info.avg_fps, reader.info.assumed_fps) == (2, None)

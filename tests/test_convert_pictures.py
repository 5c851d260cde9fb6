"""``cospal convert --to clip`` and the like: what ``ground`` draws, made of stored JSON."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import av
import pytest
from PIL import Image

from cospal_cli.cli import run
from cospal_cli.video.mark import mark_of
from tests import media


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """``v.mp4``, and what ``ground`` wrote of it: two sentences, with the annotated MP4s."""
    media.make_with_boxes(tmp_path)
    given = ["--detections", str(tmp_path / "boxes.jsonl"), "-o", f"{tmp_path}/out/"]
    queries = ["-q", "the person", "-q", "a person on the left", "--start", "5"]
    assert run(["ground", str(tmp_path / "v.mp4"), *queries, *given, "--sheet", "--clip"]) == 0
    return tmp_path


def pictures(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").tobytes() for frame in container.decode(video=0)]


def test_the_same_as_at_once(folder: Path) -> None:
    kinds = [
        part for kind in ("video", "clip", "crop", "sheet", "thumbnail") for part in ("--to", kind)
    ]
    assert run(["convert", str(folder / "out"), *kinds, "-o", f"{folder}/later/"]) == 0
    made = {path.name for path in (folder / "later").iterdir()}
    endings = ("tube.mp4", "clip.mp4", "crop.mp4", "sheet.png", "thumbnail.png")
    assert made == {f"v.{number}.{ending}" for number in (1, 2) for ending in endings}
    for name in ("v.1.tube.mp4", "v.2.clip.mp4"):
        assert pictures(folder / "later" / name) == pictures(folder / "out" / name)
    marks = [mark_of(folder / place / "v.1.tube.mp4") for place in ("out", "later")]
    assert marks[0] == marks[1] != ""
    one, other = (Image.open(folder / place / "v.1.sheet.png") for place in ("out", "later"))
    assert one.tobytes() == other.tobytes()


def test_a_named_file_a_pad_and_a_copy(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    document = str(folder / "out" / "v.1.tube.json")
    target = folder / "mine.mp4"
    assert run(["convert", document, "--to", "clip", "--pad", "3", "-o", str(target)]) == 0
    assert len(pictures(target)) == 28
    given = ["convert", document, "--to", "clip-copy", "-o", str(target)]
    assert run(given) == 2
    assert "already exists" in capfd.readouterr().err
    assert run([*given, "--overwrite"]) == 0
    assert "begins with the key frame at 0.00 s, 0.50 s before" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--to", "sheet", "--pad", "1s"], "--pad is about what is cut out"),
        (["--to", "clip", "--pad", "long"], "--pad 'long' is not a time"),
        (["--to", "clip", "--to", "clip-copy"], "share a name"),
        (["--to", "clip", "--to", "csv", "-o", "one.mp4"], "is one file, but there are"),
        (["--to", "film"], "film"),
    ],
)
def test_what_is_refused(
    folder: Path,
    given: list[str],
    message: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))
    assert run(["convert", "out/v.1.tube.json", *given]) == 2
    assert message in capfd.readouterr().err
    assert sorted(folder.rglob("*")) == before


def test_a_video_that_was_moved_is_found_beside_and_one_that_is_gone_is_named(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.move(folder / "v.mp4", folder / "out" / "v.mp4")
    document = folder / "out" / "v.1.tube.json"
    assert run(["convert", str(document), "--to", "thumbnail", "-o", f"{folder}/a/"]) == 0
    (folder / "out" / "v.mp4").unlink()
    assert run(["convert", str(document), "--to", "thumbnail", "-o", f"{folder}/b/"]) == 4
    assert "v.mp4" in capfd.readouterr().err
    assert not (folder / "b").exists()
    assert run(["convert", str(folder / "out"), "--to", "sheet", "-o", f"{folder}/c/"]) == 3


def test_no_match_has_a_video_and_no_clip(folder: Path) -> None:
    path = folder / "out" / "v.1.tube.json"
    document = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(document | {"tubes": []}), "utf-8")
    given = ["convert", str(path), "--to", "clip", "--to", "video", "-o", f"{folder}/later/"]
    assert run(given) == 0
    assert [one.name for one in (folder / "later").iterdir()] == ["v.1.tube.mp4"]

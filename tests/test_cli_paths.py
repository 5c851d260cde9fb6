"""Paths that the system refuses, special files, addresses: refused in a line, never waited for."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cospal_cli import ground
from cospal_cli.cli import run
from cospal_cli.core.errors import InputError
from tests import media

LONG = "x" * 300


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder, with a video, and what is no file. A run that waits is ended."""
    monkeypatch.chdir(tmp_path)
    media.make(tmp_path / "v.mp4", frames=3)
    (tmp_path / "file.txt").write_text("text\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    for name in ("pipe.mp4", "pipe.txt"):
        os.mkfifo(tmp_path / name)
    timer = threading.Timer(30, os.abort)
    timer.start()
    yield tmp_path
    timer.cancel()


def ends(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and stderr of a command line: two lines at most, no traceback."""
    code = run(arguments)
    err = capfd.readouterr().err
    assert len(err.splitlines()) <= 2, err
    assert err.startswith("error: ")
    return code, err


VIDEOS = {
    f"{LONG}.mp4": "File name too long",
    "file.txt/x.mp4": "Not a directory",
    "loop": "Too many levels of symbolic links",
    "loop/x.mp4": "Too many levels of symbolic links",
    "pipe.mp4": "this is a pipe, not a file",
    "/dev/zero": "this is a device, not a file",
    "-": "cannot be read from a pipe",
    "empty": "'empty' holds no video",
    "none.mp4": "no such file",
    "https://example.org/a/b.mp4": "https://example.org/a/b.mp4 is an address",
    "rtsp://camera/1": "rtsp://camera/1 is an address",
    "file:///v.mp4": "name the file itself: /v.mp4",
}


@pytest.mark.parametrize("name", VIDEOS)
def test_a_video_that_cannot_be_opened_ends_with_4(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code, err = ends(["ground", name, "a person"], capfd)
    assert code == 4
    assert VIDEOS[name] in err


@pytest.mark.parametrize("name", ["https://example.org/a.mp4", "-", "pipe.mp4", LONG])
def test_in_python_it_is_an_input_error(name: str) -> None:
    with pytest.raises(InputError):
        list(ground(name, "a person"))


OUTPUTS = {
    f"{LONG}.mp4": "File name too long",
    f"{LONG}/": "File name too long",
    f"{LONG}/x.json": "File name too long",
    "file.txt/x.json": "is a file",
    "file.txt/": "this is a file",
    "loop/x.mp4": "does not exist",
    "loop/": "exists",
    "-": "- does not mean stdout",
    "pipe.txt": "unknown kind of output",
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_that_cannot_be_written_ends_with_2(
    name: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = sorted(os.listdir(folder))
    code, err = ends(["ground", "v.mp4", "a person", "-o", name], capfd)
    assert code == 2
    assert OUTPUTS[name] in err
    assert sorted(os.listdir(folder)) == before


FILES = ["pipe.txt", "/dev/zero", "empty", LONG, "loop", "file.txt/x", "none", "v.mp4"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("option", "code"), [("--query-file", 2), ("--config", 2), ("--detections", 4)]
)
def test_a_small_file_that_cannot_be_read(
    option: str, code: int, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = ["ground", "v.mp4", option, name]
    arguments += [] if option == "--query-file" else ["-q", "a person"]
    found, err = ends(arguments, capfd)
    assert found == code
    assert name in err


@pytest.mark.parametrize("option", ["--query-file", "--config", "--detections"])
def test_a_small_file_that_is_huge(
    option: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with open(folder / "huge", "wb") as file:
        file.truncate(2**40)
    arguments = ["ground", "v.mp4", "-q", "a person", option, "huge"]
    code, err = ends(arguments, capfd)
    assert code in (2, 4)
    assert "too large" in err


@pytest.mark.parametrize("command", [["ground", "v.mp4", "a person"], ["export", "--onnx"]])
@pytest.mark.parametrize("name", [LONG, "loop", "pipe.txt", "file.txt", "none"])
def test_a_checkpoint_that_is_none_ends_with_2(
    command: list[str], name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ends([*command, "--checkpoint", name], capfd)[0] == 2


ODD = ["new\nline.mp4", "-dash.mp4", "b\udcff\udcfed.mp4", "a:b.mp4", "ü\u202e.mp4"]
ODD += ["x" * 250 + ".mp4"]


@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_odd_names_work_and_move_no_cursor(
    name: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "v.mp4").rename(folder / name)
    arguments = ["ground", "-o", "out/", "--no-video", "--end", "2", "--", name, "a person"]
    assert run(arguments) == 0
    shown = capfd.readouterr().err
    assert all(char.isprintable() for line in shown.splitlines() for char in line)
    (written,) = (folder / "out").iterdir()
    stem = name.removesuffix(".mp4")
    assert written.name == f"{stem}.tube.json" or written.name.startswith("x" * 200)

"""What a person may type by mistake: empty names, sentences for videos, one name for another."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cospal_cli.cli import run
from cospal_cli.core.counted import counted
from cospal_cli.core.errors import InputError
from cospal_cli.core.files import make_folder
from cospal_cli.library.store import Store
from cospal_cli.report.sources import read_answers
from tests.stored_documents import JSON

QUERY = "the man in the suit"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COSPAL_LIBRARY", raising=False)
    Path("clip.mp4").write_bytes(b"x")
    Path("other.json").write_text('{"hello": 1}')
    return tmp_path


@pytest.mark.parametrize(
    "line",
    [
        ["ground", "", QUERY],
        ["ground", " ", QUERY],
        ["ground", "clip.mp4", "", "-q", QUERY],
        ["ground", "clip.mp4", QUERY, "-o", ""],
        ["ground", "clip.mp4", QUERY, "--report", ""],
        ["ground", "clip.mp4", QUERY, "--library", ""],
        ["ground", "clip.mp4", QUERY, "--config", ""],
        ["ground", "clip.mp4", QUERY, "--checkpoint", ""],
        ["ground", "clip.mp4", QUERY, "--log-file", ""],
        ["ground", "clip.mp4", "--query-file", ""],
        ["ground", "--files-from", "", QUERY],
        ["ground", "--manifest", ""],
        ["convert", "", "--to", "csv"],
        ["convert", "other.json", "--to", "csv", "-o", ""],
        ["report", "", "-o", "page.html"],
        ["report", "other.json", "-o", ""],
        ["index", "", "--library", "lib"],
        ["index", "clip.mp4", "--library", ""],
        ["search", QUERY, "--library", ""],
        ["search", QUERY, "--library", "lib", "--clips", ""],
        ["library", "remove", "", "--library", "lib"],
        ["evaluate", "--data", ""],
        ["evaluate", "--data", ".", "-o", ""],
        ["evaluate", "--data", ".", "--predictions", ""],
        ["train", "--data", ""],
        ["export", "--onnx", "--checkpoint", ""],
        ["data", "check", ""],
        ["data", "prepare", ""],
        ["data", "prepare", ".", "--out", ""],
        ["data", "synthetic", "", "--videos", "1"],
        ["bench", "ground", "", QUERY],
        ["models", "path", ""],
        ["models", "verify", ""],
        ["models", "fetch", "", "--offline"],
    ],
    ids=" ".join,
)
def test_an_empty_path_does_not_mean_the_working_folder(
    line: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(os.listdir())
    assert run(line) == 2
    shown = capsys.readouterr()
    assert "empty" in shown.err
    assert not shown.out
    assert sorted(os.listdir()) == before


def test_a_pattern_with_a_space_is_not_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    Path("my clips").mkdir()
    Path("my clips/a b.mp4").write_bytes(b"x")
    assert run(["ground", "my clips/*.mp4", "-q", QUERY, "--dry-run"]) == 0
    assert run(["ground", "my clips/?*b.mp4", "clip.mp4", QUERY, "--dry-run"]) == 0
    assert "a b.mp4" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line",
    [
        ["clip.mp4", QUERY, "a dog"],
        ["clip.mp4", "who is the man in the suit?", "a dog"],
        ["clip.mp4", "a big dog", "-q", QUERY],
    ],
    ids=" ".join,
)
def test_a_second_sentence_is_not_taken_for_a_video(
    line: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ground", *line]) == 2
    shown = capsys.readouterr().err
    assert f"{line[1]!r} is not a file" in shown
    assert "-q" in shown.partition("hint")[2]
    assert not Path("results.jsonl").exists()


def test_one_missing_video_with_a_space_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ground", "my clip", QUERY]) == 4
    assert "no such file: 'my clip'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "name"),
    [("clip", "a.txt"), ("crop", "a.mkv"), ("video", "a.json"), ("sheet", "a.jpg"),
     ("thumbnail", "a.mp4")],
)  # fmt: skip
def test_a_picture_is_not_written_under_the_name_of_another_kind(
    kind: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a.tube.json").write_text(json.dumps(JSON["one tube"][0]))
    assert run(["convert", "a.tube.json", "--to", kind, "-o", name]) == 2
    assert f"-o '{name}' is not a name for a {kind}" in capsys.readouterr().err
    assert not Path(name).exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--clips", "other.json"], "--clips 'other.json/': this is a file"),
        (["--pad", "1s"], "--pad is about what is cut out"),
        (["--pad", "x", "--clips", "clips"], "--pad 'x' is not a time"),
    ],
)
def test_search_says_what_is_wrong_before_it_shows_anything(
    more: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Store.open(Path("lib"), create=True)
    assert run(["search", QUERY, "--library", "lib", *more]) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert not shown.out
    assert not Path("clips").exists()


def test_index_names_a_missing_video_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["index", "absent.mp4", "--library", "lib"]) == 4
    first = capsys.readouterr().err.splitlines()[0]
    assert first == "error: no such file: 'absent.mp4'"


def test_a_folder_that_is_a_file_is_called_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotADirectoryError, match="this is a file"):
        make_folder(Path("clip.mp4"))
    for line in (
        ["index", "clip.mp4", "--library", "other.json"],
        ["ground", "clip.mp4", QUERY, "--library", "other.json", "--no-video"],
        ["ground", "clip.mp4", QUERY, "-o", "other.json/"],
    ):
        assert run(line) == 2
        assert "this is a file" in capsys.readouterr().err


def test_a_folder_without_results_is_unreadable_to_report_as_to_convert(folder: Path) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(InputError, match=r"no \*\.tube\.json and no results"):
        read_answers([folder / "empty"])
    assert run(["report", "empty", "-o", "page.html"]) == 4
    assert run(["convert", "empty", "--to", "csv"]) == 4


def test_numbers_of_things() -> None:
    assert counted(1, "video") == "1 video"
    assert counted(0, "video") == "0 videos"
    assert counted(2000, "tubelet") == "2,000 tubelets"

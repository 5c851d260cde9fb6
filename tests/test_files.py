"""Whole files or none, and outputs that are refused before any work starts."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from cospal_cli.core import files
from cospal_cli.core.errors import DeviceError, UsageError


def test_replaces_only_on_success(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_text("old")
    with files.replacing(target) as part:
        assert part == tmp_path / "a.json.part"
        part.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.json"]


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt(), SystemExit(1)])
def test_failure_keeps_the_old_file(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "a.json"
    target.write_text("old")

    def interrupted() -> None:
        with files.replacing(target) as part:
            part.write_text("half")
            raise error

    with pytest.raises(type(error)):
        interrupted()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.json"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize("where", ["write", "fsync"])
def test_full_disk_is_one_clear_line(
    tmp_path: Path, number: int, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    target = tmp_path / "a.json"
    target.write_text("old")
    if where == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DeviceError) as caught:
        files.write_text(target, "new")
    assert "no space left" in caught.value.message
    assert str(target) in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.exit_code == 6
    monkeypatch.undo()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.json"]


def test_name_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 250 + ".json")
    files.write_text(target, "{}")
    assert target.read_text() == "{}"
    assert len(os.listdir(tmp_path)) == 1


def test_fresh_outputs_are_accepted(tmp_path: Path, clip: Path) -> None:
    files.check_outputs([tmp_path / "a.json", tmp_path / "a.mp4"], [clip], overwrite=False)
    assert sorted(os.listdir(tmp_path)) == [clip.name]


def test_existing_output(tmp_path: Path, clip: Path) -> None:
    target = tmp_path / "a.json"
    target.write_text("old")
    with pytest.raises(UsageError, match="exists") as caught:
        files.check_outputs([target], [clip], overwrite=False)
    assert "--overwrite" in caught.value.hint
    files.check_outputs([target], [clip], overwrite=True)
    assert target.read_text() == "old"


@pytest.mark.parametrize("link", ["same", "symbolic", "hard"])
def test_output_that_is_the_input(tmp_path: Path, clip: Path, link: str) -> None:
    target = clip if link == "same" else tmp_path / "other.mp4"
    if link == "symbolic":
        target.symlink_to(clip)
    elif link == "hard":
        os.link(clip, target)
    with pytest.raises(UsageError, match="is the input"):
        files.check_outputs([target], [clip], overwrite=True)


def test_places_that_take_no_file(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "folder").mkdir()
    for target, words in (
        (tmp_path / "none" / "a.json", "does not exist"),
        (clip / "a.json", "is a file"),
        (tmp_path / "folder", "is a folder"),
    ):
        with pytest.raises(UsageError, match=words):
            files.check_outputs([target], [clip], overwrite=True)
    with pytest.raises(UsageError, match="share the name"):
        files.check_outputs([tmp_path / "a.json"] * 2, [clip], overwrite=True)


@pytest.mark.parametrize("how", ["access", "mount"])
def test_read_only_folder(
    tmp_path: Path, clip: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Access rights say so, or only the attempt does (a read-only mount, seen by root)."""

    def mount(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    if how == "access":
        monkeypatch.setattr(os, "access", lambda *_: False)
    else:
        monkeypatch.setattr(Path, "touch", mount)
    with pytest.raises(UsageError, match="cannot be written to"):
        files.check_outputs([tmp_path / "a.json"], [clip], overwrite=False)

"""Whole files or none, and outputs that are refused before any work starts."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cospal_cli.core import claims, files, locks
from cospal_cli.core.errors import DeviceError, UsageError


def test_replaces_only_on_success(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_text("old")
    with files.replacing(target) as part:
        assert part.parent == tmp_path
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


def test_a_file_that_looks_like_ours_is_not_touched(tmp_path: Path) -> None:
    """Names of unfinished files are new ones, whatever somebody's own are called."""
    for name in ("a.json.part", "a.json.old", "a.json.lock", ".a.json.part", "a.json~"):
        (tmp_path / name).write_text("mine")
    files.write_text(tmp_path / "a.json", "new")
    with pytest.raises(ValueError, match="bad"), files.replacing(tmp_path / "a.json"):
        raise ValueError("bad")
    with files.replacing_folder(tmp_path / "a") as part:
        (part / "file").write_text("new")
    assert {path.read_text() for path in tmp_path.glob("*a.json?*")} == {"mine"}
    assert len(os.listdir(tmp_path)) == 7


def test_the_rights_of_a_new_file_are_the_usual_ones(tmp_path: Path) -> None:
    files.write_text(tmp_path / "a", "")
    (tmp_path / "b").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


@pytest.mark.parametrize("failing", ["write", "fsync"])
def test_what_goes_with_the_old_file_goes_only_with_it(
    tmp_path: Path, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, beside = tmp_path / "a.json", tmp_path / "a.mp4"
    target.write_text("old")
    beside.write_text("old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(*((Path, "write_bytes") if failing == "write" else (os, "fsync")), full)
        with pytest.raises(DeviceError):
            files.write_text(target, "new", instead_of=[beside])
    assert (target.read_text(), beside.read_text()) == ("old", "old")
    files.write_text(target, "new", instead_of=[beside])
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_published_set_is_never_of_two_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after each step in turn, what is there is all old or all new."""
    order = ["graph", "weights", "about"]
    steps = 0
    while True:
        new, out = tmp_path / f"{steps}.new", tmp_path / f"{steps}.out"
        for folder, text in ((new, "new"), (out, "old")):
            folder.mkdir()
            for name in order:
                (folder / name).write_text(text)
        left = steps

        def step(real: Callable[..., None]) -> Callable[..., None]:
            def limited(*values: object, **named: object) -> None:
                nonlocal left
                if not left:
                    raise KeyboardInterrupt
                left -= 1
                real(*values, **named)

            return limited

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", step(os.replace))
            patch.setattr(Path, "unlink", step(Path.unlink))
            try:
                files.publish(new, order, out)
                break
            except KeyboardInterrupt:
                assert len({path.read_text() for path in out.iterdir()}) == 1
        steps += 1
    assert steps == 5
    assert {path.read_text() for path in out.iterdir()} == {"new"}


@pytest.mark.parametrize("link", ["inside", "symbolic", "hard"])
def test_files_of_a_folder_that_is_read_are_inputs_too(tmp_path: Path, link: str) -> None:
    heads = tmp_path / "heads"
    (heads / "deep").mkdir(parents=True)
    (heads / "deep" / "config.json").write_text("{}")
    target = tmp_path / "a.json"
    if link == "inside":
        target = heads / "deep" / "config.json"
    elif link == "symbolic":
        target.symlink_to(heads / "deep" / "config.json")
    else:
        os.link(heads / "deep" / "config.json", target)
    with pytest.raises(UsageError, match="is the input itself: --checkpoint"):
        files.check_outputs([target], {heads: "--checkpoint"}, overwrite=True)
    files.check_outputs([heads / "deep" / "new.json"], {heads: "--checkpoint"}, overwrite=True)


def test_fresh_outputs_are_accepted(tmp_path: Path, clip: Path) -> None:
    files.check_outputs(
        [tmp_path / "a.json", tmp_path / "a.mp4"], {clip: "the video"}, overwrite=False
    )
    assert sorted(os.listdir(tmp_path)) == [clip.name]


def test_existing_output(tmp_path: Path, clip: Path) -> None:
    target = tmp_path / "a.json"
    target.write_text("old")
    with pytest.raises(UsageError, match="exists") as caught:
        files.check_outputs([target], {clip: "the video"}, overwrite=False)
    assert "--overwrite" in caught.value.hint
    files.check_outputs([target], {clip: "the video"}, overwrite=True)
    assert target.read_text() == "old"


@pytest.mark.parametrize("link", ["same", "symbolic", "hard"])
def test_output_that_is_the_input(tmp_path: Path, clip: Path, link: str) -> None:
    target = clip if link == "same" else tmp_path / "other.mp4"
    if link == "symbolic":
        target.symlink_to(clip)
    elif link == "hard":
        os.link(clip, target)
    with pytest.raises(UsageError, match="is the input"):
        files.check_outputs([target], {clip: "the video"}, overwrite=True)


def test_places_that_take_no_file(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "folder").mkdir()
    for target, words in (
        (tmp_path / "none" / "a.json", "does not exist"),
        (clip / "a.json", "is a file"),
        (tmp_path / "folder", "is a folder"),
    ):
        with pytest.raises(UsageError, match=words):
            files.check_outputs([target], {clip: "the video"}, overwrite=True)
    with pytest.raises(UsageError, match="share the name"):
        files.check_outputs([tmp_path / "a.json"] * 2, {clip: "the video"}, overwrite=True)


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
        monkeypatch.setattr(claims, "_begin", mount)
    with pytest.raises(UsageError, match="cannot be written to"):
        files.check_outputs([tmp_path / "a.json"], {clip: "the video"}, overwrite=False)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a /proc")
@pytest.mark.parametrize(
    "create",
    [
        lambda: files.check_outputs([Path("/proc/x.json")], {}, overwrite=False),
        lambda: files.check_outputs([Path("/proc/self/fd/x.json")], {}, overwrite=True),
        lambda: files.claimed([Path("/proc/x.json")]).__enter__(),
        lambda: files.make_folder(Path("/proc/x/y")),
    ],
    ids=["file", "overwrite", "claim", "folder"],
)
def test_a_file_system_that_takes_no_files_is_the_reason_given(
    create: Callable[[], object],
) -> None:
    begun = time.monotonic()
    with pytest.raises((UsageError, OSError), match="its file system takes no new files"):
        create()
    assert time.monotonic() - begun < 5, "nobody holds a lock there: nothing to wait for"


def test_a_lock_that_goes_while_it_is_waited_for_is_obtained(tmp_path: Path) -> None:
    held = locks.obtain(tmp_path / "x.lock", 0)
    with pytest.raises(UsageError, match="in use by another process"):
        locks.obtain(tmp_path / "x.lock", 0.05)
    threading.Timer(0.1, locks.drop, [held]).start()
    locks.drop(locks.obtain(tmp_path / "x.lock", 10))

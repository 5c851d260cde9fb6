"""What ``cospal ground`` writes, in which order, and what it never touches."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cospal_cli.cli import run
from cospal_cli.core import files as writing
from cospal_cli.core.errors import CospalError, DeviceError, InputError
from tests.fake_grounder import Fake
from tests.test_claims import started

QUERY = "the man in the red shirt"
JSON, MP4 = Path("clip.tube.json"), Path("clip.tube.mp4")


@pytest.fixture
def earlier(fake: Fake) -> None:
    """A pair of files that an earlier run left."""
    JSON.write_text("old")
    MP4.write_text("old")


def files() -> set[str]:
    return {str(path) for path in Path().rglob("*") if path.is_file()} - {"clip.mp4"}


def document(path: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return found


def raising(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


# --- the JSON first


def test_the_json_is_there_before_anything_is_drawn(fake: Fake) -> None:
    seen: list[set[str]] = []
    fake.while_drawing = lambda: seen.append({name for name in files() if name[0] != "."})
    assert run(["ground", "clip.mp4", "-q", QUERY, "-q", "a dog"]) == 0
    both = {"clip.1.tube.json", "clip.2.tube.json"}
    assert seen == [both, both | {"clip.1.tube.mp4"}]


FAILURES = [
    (DeviceError("no space left to write 'x'", "free some"), 6),
    (InputError("cannot decode", "convert it"), 4),
    (MemoryError(), 6),
    (RuntimeError("a bug"), 1),
]


@pytest.mark.parametrize(("error", "code"), FAILURES, ids=lambda value: type(value).__name__)
def test_an_mp4_that_fails_leaves_every_json(
    fake: Fake, capfd: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    fake.while_drawing = raising(error)
    command = ["ground", "clip.mp4", "-q", QUERY, "-q", "a dog", "--json", "-o", "out"]
    assert run(command) == code
    assert files() == {"out/clip.1.tube.json", "out/clip.2.tube.json"}
    assert document("out/clip.2.tube.json")["status"] == "complete"
    out, err = capfd.readouterr()
    assert [json.loads(line)["query"]["id"] for line in out.splitlines()] == ["1", "2"]
    assert "wrote out/clip.1.tube.mp4" not in err
    if isinstance(error, CospalError):
        assert f"error: {error.message}; the JSON is written: 'out/clip.1.tube.json'\n" in err
        assert "Traceback" not in err


def test_a_pair_of_an_earlier_run_changes_at_once(fake: Fake, earlier: None) -> None:
    seen: list[tuple[str, str]] = []
    fake.while_drawing = lambda: seen.append((JSON.read_text(), MP4.read_text()))
    assert run(["ground", "clip.mp4", QUERY, "--overwrite"]) == 0
    assert seen == [("old", "old")]
    assert document(JSON)["query"]["text"] == QUERY
    assert MP4.read_bytes() == b"frames"


def test_at_no_step_do_files_of_two_runs_stand_side_by_side(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after any change in the folder: never one file old and the other new."""
    seen: list[tuple[bool | None, bool | None]] = []

    def state() -> tuple[bool | None, bool | None]:
        old = [path.read_bytes() == b"old" if path.exists() else None for path in (JSON, MP4)]
        return old[0], old[1]

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*values: Any, **named: Any) -> Any:
            done = real(*values, **named)
            seen.append(state())
            return done

        return step

    JSON.write_text("old")
    MP4.write_text("old")
    monkeypatch.setattr(os, "replace", watched(os.replace))
    monkeypatch.setattr(Path, "unlink", watched(Path.unlink))
    assert run(["ground", "clip.mp4", QUERY, "--overwrite"]) == 0
    assert (True, False) not in seen
    assert (False, True) not in seen
    assert seen[-1] == (False, False)


@pytest.mark.parametrize(("error", "code"), FAILURES, ids=lambda value: type(value).__name__)
def test_where_the_new_mp4_fails_the_old_one_stays_and_that_is_said(
    fake: Fake, earlier: None, capfd: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    fake.while_drawing = raising(error)
    assert run(["ground", "clip.mp4", QUERY, "--overwrite"]) == code
    assert document(JSON)["query"]["text"] == QUERY
    assert MP4.read_text() == "old"
    if isinstance(error, CospalError):
        assert "'clip.tube.mp4' is still that of an earlier run" in capfd.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_at_once_an_earlier_pair_stays(
    fake: Fake, earlier: None, number: signal.Signals
) -> None:
    def stop() -> None:
        for _ in range(2):
            os.kill(os.getpid(), number)

    fake.while_drawing = stop
    assert run(["ground", "clip.mp4", QUERY, "--overwrite"]) == 128 + number
    assert (JSON.read_text(), MP4.read_text()) == ("old", "old")
    assert files() == {str(JSON), str(MP4)}


def test_an_interruption_takes_the_old_mp4s_of_those_that_are_skipped(fake: Fake) -> None:
    for number in (1, 2):
        for kind in ("json", "mp4"):
            Path(f"clip.{number}.tube.{kind}").write_text("old")
    fake.while_drawing = lambda: os.kill(os.getpid(), signal.SIGINT)
    assert run(["ground", "clip.mp4", "-q", QUERY, "-q", "a dog", "--overwrite"]) == 130
    assert files() == {"clip.1.tube.json", "clip.1.tube.mp4", "clip.2.tube.json"}
    assert Path("clip.1.tube.mp4").read_bytes() == b"frames"
    for number in (1, 2):
        assert document(f"clip.{number}.tube.json")["status"] == "interrupted"


# --- two runs


def test_the_second_run_ends_with_2_and_names_the_first(
    fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    other = started(MP4.absolute())
    for more in ([], ["--overwrite"], ["-o", "clip.tube.mp4"]):
        assert run(["ground", "clip.mp4", QUERY, *more]) == 2
        assert f"process {other.pid}\n" in capfd.readouterr().err
    assert fake.watched == []
    other.kill()
    other.wait()
    assert run(["ground", "clip.mp4", QUERY]) == 0
    assert files() == {str(JSON), str(MP4)}


def test_two_queries_in_the_same_folder_do_not_exclude_each_other(fake: Fake) -> None:
    other = started(Path("other.tube.json").absolute())
    assert run(["ground", "clip.mp4", QUERY]) == 0
    other.communicate(b"")
    assert files() == {str(JSON), str(MP4), "other.tube.json"}


def test_an_output_that_came_meanwhile_is_not_replaced(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    claimed = writing.claimed

    def late(targets: list[Path]) -> Any:
        JSON.write_text("somebody was quicker")
        return claimed(targets)

    monkeypatch.setattr(writing, "claimed", late)
    assert run(["ground", "clip.mp4", QUERY]) == 2
    assert "exists" in capfd.readouterr().err
    assert JSON.read_text() == "somebody was quicker"


# --- what is never touched


@pytest.mark.parametrize(
    "video", ["clip.tube.mp4.part", ".clip.tube.mp4.part", "clip.tube.json.part"]
)
def test_names_like_those_of_unfinished_files_are_the_users(fake: Fake, video: str) -> None:
    Path(video).write_bytes(b"video")
    assert run(["ground", video, QUERY, "-o", "clip.tube.mp4"]) == 0
    assert Path(video).read_bytes() == b"video"
    assert files() == {video, str(JSON), str(MP4)}


def given(name: str) -> tuple[list[str], Path]:
    """Arguments that make cospal read a file of this kind, and that file."""
    texts = {
        "config": "video:\n  fps: 5\n",
        "query-file": f"{QUERY}\n",
        "detections": '{"frame": 0, "boxes": [], "scores": [], "labels": []}\n',
        "set": '{"frame": 0, "boxes": [], "scores": [], "labels": []}\n',
        "detector-model": "weights",
    }
    path = Path("d.json")
    path.write_text(texts.get(name, "{}"))
    if name == "set":
        return ["clip.mp4", QUERY, "--detector", "file", "--set", "detector.file.path=d.json"], path
    if name == "query-file":
        return ["clip.mp4", "--query-file", "d.json"], path
    return ["clip.mp4", QUERY, f"--{name}", "d.json"], path


INPUTS = ["config", "query-file", "detections", "set", "detector-model"]


@pytest.mark.parametrize("link", ["same", "symbolic", "hard", "other spelling"])
@pytest.mark.parametrize("name", INPUTS)
def test_no_input_is_an_output(
    fake: Fake, capfd: pytest.CaptureFixture[str], name: str, link: str
) -> None:
    arguments, path = given(name)
    before = path.read_bytes()
    target = Path("linked.json")
    if link == "same":
        target = path
    elif link == "symbolic":
        target.symlink_to(path)
    elif link == "hard":
        os.link(path, target)
    else:
        Path("sub").mkdir()
        target = Path("sub/../d.json")
    assert run(["ground", *arguments, "-o", str(target), "--overwrite"]) == 2
    error = capfd.readouterr().err.splitlines()[0]
    assert error.startswith(f"error: the output '{target}' is the input itself: ")
    option = "detections" if name == "set" else name
    assert f"--{option} 'd.json'" in error
    assert path.read_bytes() == before
    assert fake.watched == []


@pytest.mark.parametrize("name", [*INPUTS, "video", "output", "json beside"])
def test_no_log_goes_to_an_input_or_an_output(
    fake: Fake, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    if name in INPUTS:
        arguments, path = given(name)
    else:
        path = Path({"video": "clip.mp4", "output": "a.mp4", "json beside": "a.json"}[name])
        arguments = ["clip.mp4", QUERY, "-o", "a.mp4"]
    before = path.read_bytes() if path.exists() else None
    Path("link.log").symlink_to(path)
    for log in (str(path), "link.log"):
        assert run(["ground", *arguments, "--log-file", log]) == 2
        assert f"--log-file '{log}' is also" in capfd.readouterr().err
    assert (path.read_bytes() if path.exists() else None) == before
    assert fake.watched == []


@pytest.mark.parametrize(
    "content", [b"\0\0\0\x20ftypisom", b"{}", b"the man\n", b"video:\n  fps: 5\n"]
)
@pytest.mark.parametrize("name", ["other.mp4", "notes", "data.jsonl", "film.log"])
def test_no_log_goes_to_a_file_that_is_no_log(
    fake: Fake, capfd: pytest.CaptureFixture[str], content: bytes, name: str
) -> None:
    Path(name).write_bytes(content)
    fine = name == "film.log" and b"\0" not in content
    assert run(["ground", "clip.mp4", QUERY, "--log-file", name]) == (0 if fine else 2)
    assert Path(name).read_bytes().startswith(content)
    assert fine or Path(name).read_bytes() == content
    assert ("is not a log" in capfd.readouterr().err) == (not fine)


def test_a_log_is_added_to(fake: Fake) -> None:
    for number in (1, 2):
        assert run(["ground", "clip.mp4", QUERY, "--overwrite", "--log-file", "notes"]) == 0
        assert Path("notes").read_text().count("a few frames are gray") == number


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_a_log_that_takes_no_more_is_told_once(
    fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["ground", "clip.mp4", "-q", QUERY, "-q", "a dog", "--log-file", "/dev/full"]) == 0
    err = capfd.readouterr().err
    assert err.count("/dev/full") == 1
    assert "warning: --log-file '/dev/full': No space left on device" in err
    assert "Logging error" not in err
    assert "Traceback" not in err
    assert len(files()) == 4


# --- the video stays the same


def replaced() -> None:
    Path("new.mp4").write_bytes(b"another video")
    os.replace("new.mp4", "clip.mp4")


def grown() -> None:
    with open("clip.mp4", "ab") as file:
        file.write(b"more")


def touched() -> None:
    os.utime("clip.mp4", (0, 0))


CHANGES = [replaced, grown, touched]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_video_that_changes_while_it_is_watched(
    fake: Fake, earlier: None, capfd: pytest.CaptureFixture[str], change: Callable[[], None]
) -> None:
    fake.while_watching = change
    assert run(["ground", "clip.mp4", QUERY, "--overwrite"]) == 4
    assert (JSON.read_text(), MP4.read_text()) == ("old", "old")
    assert "'clip.mp4' was changed while cospal was reading it" in capfd.readouterr().err


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_video_that_changes_while_it_is_drawn(
    fake: Fake, capfd: pytest.CaptureFixture[str], change: Callable[[], None]
) -> None:
    fake.while_drawing = change
    assert run(["ground", "clip.mp4", QUERY]) == 4
    assert files() == {str(JSON)}
    assert "was changed while" in capfd.readouterr().err


def test_a_video_that_is_removed_between_the_passes(
    fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    fake.while_watching = lambda: os.remove("clip.mp4")
    assert run(["ground", "clip.mp4", QUERY]) == 4
    assert files() == {str(JSON)}
    assert "'clip.mp4' was removed while cospal was reading it" in capfd.readouterr().err


def test_a_video_that_is_removed_and_not_needed_again(fake: Fake) -> None:
    fake.while_watching = lambda: os.remove("clip.mp4")
    assert run(["ground", "clip.mp4", QUERY, "--no-video"]) == 0
    assert files() == {str(JSON)}


def test_a_folder_made_for_nothing_goes_again(fake: Fake) -> None:
    fake.while_watching = raising(InputError("cannot decode"))
    for folder in ("new", "new/deep", "clip/"):
        assert run(["ground", "clip.mp4", QUERY, "-o", folder]) == 4
        assert os.listdir() == ["clip.mp4"]
    Path("empty").mkdir()
    assert run(["ground", "clip.mp4", QUERY, "-o", "empty/deep"]) == 4
    assert sorted(os.listdir()) == ["clip.mp4", "empty"]

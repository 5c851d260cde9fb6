"""Standard streams that are closed, full or left by their reader."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from cospal_cli.commands.console import emit, say, silence_stdout
from cospal_cli.core.errors import DeviceError
from tests import media

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="streams are closed by a shell")
SHORT = ["--end", "3", "--set", "video.work_side=160"]


def cospal(arguments: Sequence[str], redirect: str, folder: Path) -> tuple[int, bytes, bytes]:
    """Exit code, stdout and stderr of a command line to which a shell's ``redirect`` is added."""
    script = f'exec "$@" {redirect}'
    command = ["sh", "-c", script, "sh", sys.executable, "-m", "cospal_cli", *arguments]
    done = subprocess.run(command, capture_output=True, cwd=folder, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("streams")
    media.make(made / "v.mp4", frames=6)
    return made


PRINTS = [["config", "show"], ["config", "show", "--json"], ["models", "list"]]


HELP = [["--help"], ["ground", "--help"], ["--version"]]


@pytest.mark.parametrize("arguments", [*PRINTS, ["doctor"], ["doctor", "--json"]], ids=" ".join)
@pytest.mark.parametrize("redirect", [">&-", ">/dev/full"])
def test_output_that_nothing_takes_is_one_clear_end(
    arguments: list[str], redirect: str, folder: Path
) -> None:
    code, _, err = cospal(arguments, redirect, folder)
    assert code == 6
    lines = err.decode().splitlines()
    assert lines[0].startswith("error: cannot write to stdout: ")
    assert len(lines) <= 2


@pytest.mark.parametrize(
    "arguments", [["--help"], ["ground", "--help"], ["--version"]], ids=" ".join
)
def test_help_that_nothing_takes(arguments: list[str], folder: Path) -> None:
    code, _, err = cospal(arguments, ">/dev/full", folder)
    assert code == 6
    assert b"Traceback" not in err
    assert b"Exception ignored" not in err
    code, _, err = cospal(arguments, ">&-", folder)
    assert (code, err) == (0, b"")


@pytest.mark.parametrize("arguments", PRINTS, ids=" ".join)
def test_a_reader_that_has_left_is_told_nothing(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "cospal_cli", *arguments]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_files_are_written_with_every_stream_closed(folder: Path) -> None:
    """No file gets the number of a closed stream, and with it what libraries print."""
    arguments = ["ground", "v.mp4", "a person", *SHORT, "-o", "closed/"]
    code, _, _ = cospal(arguments, "<&- >&- 2>&-", folder)
    assert code == 0
    assert sorted(os.listdir(folder / "closed")) == ["v.tube.json", "v.tube.mp4"]
    document = json.loads((folder / "closed" / "v.tube.json").read_text())
    assert document["status"] == "complete"
    assert (folder / "closed" / "v.tube.mp4").read_bytes()[4:8] == b"ftyp"


def test_json_that_nothing_takes_leaves_the_files(folder: Path) -> None:
    arguments = ["ground", "v.mp4", "a person", *SHORT, "-o", "full/", "--json"]
    code, _, err = cospal(arguments, ">/dev/full", folder)
    assert code == 6
    assert b"error: cannot write to stdout: No space left on device" in err
    assert (folder / "full" / "v.tube.json").exists()


def test_messages_do_not_go_to_stdout_where_stderr_is_closed(folder: Path) -> None:
    arguments = ["ground", "v.mp4", "a person", *SHORT, "--json", "-v"]
    code, out, _ = cospal(arguments, "2>&-", folder)
    assert code == 0
    assert json.loads(out)["schema"] == "cospal/tube@1"
    code, out, _ = cospal(["ground", "none.mp4", "a person"], "2>&-", folder)
    assert (code, out) == (4, b"")


def test_a_closed_stdout_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(DeviceError, match="it is closed"):
        emit("x")
    silence_stdout()


def test_a_closed_stderr_takes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    say("x")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "char", ["\x7f", "\x85", "\x9b", "\u202e", "\u2066", "\u200f", "\u2028", "\x1b", "\ud800"]
)
def test_json_on_stdout_moves_no_cursor(
    char: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    value = {"text": f"a{char}b", "more": ["ü", "\n"]}
    for ascii_only in (True, False):
        emit(json.dumps(value, ensure_ascii=ascii_only, indent=1))
        out = capfdbinary.readouterr().out
        assert json.loads(out) == value
        shown = out.decode()
        assert all(one.isprintable() or one == "\n" for one in shown)

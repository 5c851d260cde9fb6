"""Who writes where: claims that two runs never share, and what killed runs left."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cospal_cli.core import claims, files
from cospal_cli.core.errors import DeviceError, UsageError

# A run that claims, begins a file and a folder, says so and waits.
RUN = """
import sys, time
from pathlib import Path
from cospal_cli.core import files
targets = [Path(name) for name in sys.argv[1:]]
with files.claimed(targets):
    with files.replacing(targets[0]) as part:
        part.write_bytes(b"half")
        print("ready", flush=True)
        sys.stdin.read()
"""
# One that is killed between the two renames that put a folder in another's place.
SWAP = """
import os, signal, sys
from pathlib import Path
from cospal_cli.core import files
target = Path(sys.argv[1])
rename = os.rename
def renamed(old, new):
    rename(old, new)
    os.kill(os.getpid(), signal.SIGKILL)
os.rename = renamed
with files.replacing_folder(target) as part:
    (part / "new").write_text("new")
"""


def started(*targets: Path) -> subprocess.Popen[bytes]:
    """A run that holds ``targets`` until its stdin is closed."""
    command = [sys.executable, "-c", RUN, *map(str, targets)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another run, on a.json and a.mp4."""
    process = started(tmp_path / "a.json", tmp_path / "a.mp4")
    yield process
    process.kill()
    process.communicate()


def names(folder: Path) -> set[str]:
    return set(os.listdir(folder))


@pytest.mark.parametrize("wanted", [["a.mp4"], ["b.json", "a.json"], ["a.json", "a.mp4"]])
def test_the_second_run_is_refused_and_names_the_first(
    tmp_path: Path, other: subprocess.Popen[bytes], wanted: list[str]
) -> None:
    before = names(tmp_path)
    with (
        pytest.raises(UsageError, match=f"process {other.pid}$") as caught,
        files.claimed([tmp_path / name for name in wanted]),
    ):
        pass
    assert "wait" in caught.value.hint
    assert names(tmp_path) == before


def test_other_names_in_the_folder_are_free(tmp_path: Path, other: subprocess.Popen[bytes]) -> None:
    with files.claimed([tmp_path / "b.json"]), files.alone(tmp_path):
        files.write_text(tmp_path / "b.json", "b")
    assert other.poll() is None
    assert (tmp_path / "b.json").read_text() == "b"


def test_a_link_to_the_folder_leads_to_the_same_claim(
    tmp_path: Path, other: subprocess.Popen[bytes]
) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(UsageError, match="another run"), files.claimed([link / "a.json"]):
        pass


def test_of_several_folders_all_or_none_is_held(
    tmp_path: Path, other: subprocess.Popen[bytes]
) -> None:
    free = tmp_path / "A free folder"
    free.mkdir()
    with (
        pytest.raises(UsageError, match="another run"),
        files.claimed([tmp_path / "a.json", free / "a.json"]),
    ):
        pass
    assert names(free) == set()


def test_a_run_that_ends_leaves_nothing(tmp_path: Path, other: subprocess.Popen[bytes]) -> None:
    other.communicate(b"")
    assert names(tmp_path) == {"a.json"}
    with files.claimed([tmp_path / "a.json"]):
        pass


def test_claims_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    with (
        files.claimed([target]),
        pytest.raises(UsageError, match="this very process"),
        files.claimed([target]),
    ):
        pass
    with (
        files.alone(tmp_path),
        pytest.raises(UsageError, match="another process"),
        files.alone(tmp_path),
    ):
        pass
    assert names(tmp_path) == set()


@pytest.mark.parametrize("how", ["claim", "alone", "write", "check"])
def test_what_a_killed_run_left_goes_with_the_next(
    tmp_path: Path, other: subprocess.Popen[bytes], how: str
) -> None:
    (tmp_path / ".cospal-notes.part").write_text("mine")  # nearly our mark, but somebody's
    (tmp_path / "a.json.part").write_text("mine")
    other.kill()
    other.wait()
    assert len(names(tmp_path)) == 4
    if how == "claim":
        with files.claimed([tmp_path / "b.json"]):
            pass
    elif how == "alone":
        with files.alone(tmp_path):
            pass
    elif how == "write":
        claims._cleared.clear()
        files.write_text(tmp_path / ".cospal-notes.part", "mine")
    else:
        claims._cleared.clear()
        files.check_outputs([tmp_path / "b.json"], {}, overwrite=False)
    assert names(tmp_path) == {".cospal-notes.part", "a.json.part"}


def test_what_a_living_run_is_writing_stays(tmp_path: Path, other: subprocess.Popen[bytes]) -> None:
    before = names(tmp_path)
    claims.clear(tmp_path)
    assert names(tmp_path) == before
    other.send_signal(signal.SIGSTOP)  # asleep is not dead
    claims.clear(tmp_path)
    assert names(tmp_path) == before
    other.send_signal(signal.SIGCONT)
    other.communicate(b"")
    assert (tmp_path / "a.json").read_bytes() == b"half"


def test_what_another_machine_left_is_not_judged_from_here(
    tmp_path: Path, other: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    other.kill()
    other.wait()
    before = names(tmp_path)
    monkeypatch.setattr(claims, "machine", lambda: ("1" * 8, "2" * 8))
    claims.clear(tmp_path)
    assert names(tmp_path) == before
    with (
        pytest.raises(UsageError, match="of another machine") as caught,
        files.claimed([tmp_path / "a.json"]),
    ):
        pass
    assert "remove" in caught.value.hint


def test_a_container_of_the_same_boot_is_the_same_machine(
    tmp_path: Path, other: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    other.kill()
    other.wait()
    boot = claims.machine()[1]
    monkeypatch.setattr(claims, "machine", lambda: ("1" * 8, boot))
    claims.clear(tmp_path)
    assert names(tmp_path) == set()


def test_a_folder_moved_aside_by_a_killed_run_comes_back(tmp_path: Path) -> None:
    target = tmp_path / ("last" + "é" * 110)  # its hidden name is cut
    target.mkdir()
    (target / "old").write_text("old")
    done = subprocess.run([sys.executable, "-c", SWAP, str(target)])
    assert done.returncode == -signal.SIGKILL
    assert target.name not in names(tmp_path)
    claims.clear(tmp_path)
    assert names(tmp_path) == {target.name}
    assert names(target) == {"old"}


def test_a_file_system_without_locks_still_takes_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "obtain", lambda path, patience_s: None)
    with files.claimed([tmp_path / "a.json"]):
        files.write_text(tmp_path / "a.json", "a")
    files.write_text(tmp_path / "b.json", "b")
    assert names(tmp_path) == {"a.json", "b.json"}


def test_names_that_differ_in_case_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = [tmp_path / "a.json", tmp_path / "A.json"]
    monkeypatch.setattr(claims, "_folding", lambda folder: str.casefold)
    with pytest.raises(UsageError, match="share a name"), files.claimed(both):
        pass
    with (
        files.claimed(both[:1]),
        pytest.raises(UsageError, match="another run"),
        files.claimed(both[1:]),
    ):
        pass
    monkeypatch.undo()
    if not (tmp_path / "A.JSON").exists():
        with files.claimed(both):
            pass


def test_many_runs_at_once_never_share(tmp_path: Path) -> None:
    """Each of several processes claims, counts up in a file and lets go, over and over."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from cospal_cli.core import files\n"
        "from cospal_cli.core.errors import DeviceError, UsageError\n"
        "target, done = Path(sys.argv[1]), 0\n"
        "while done < 25:\n"
        "    try:\n"
        "        with files.claimed([target]):\n"
        "            files.write_text(target, str(int(target.read_text()) + 1))\n"
        "            done += 1\n"
        "    except UsageError:\n"
        "        pass\n"
    )
    target = tmp_path / "count"
    target.write_text("0")
    running = [subprocess.Popen([sys.executable, "-c", code, str(target)]) for _ in range(4)]
    assert [process.wait(120) for process in running] == [0] * 4
    assert target.read_text() == "100"
    assert names(tmp_path) == {"count"}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_is_full_from_the_start(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(claims, "write_note", full)
    with pytest.raises(DeviceError, match="no space left"), files.claimed([tmp_path / "a"]):
        pass
    with pytest.raises(DeviceError, match="no space left"):
        files.check_outputs([tmp_path / "a"], {}, overwrite=False)
    with pytest.raises(DeviceError, match="no space left"):
        files.write_text(tmp_path / "a", "a")
    assert names(tmp_path) == set()

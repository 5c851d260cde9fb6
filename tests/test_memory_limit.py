"""A limit on memory that does not suffice ends with 6, wherever it bites."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cospal_cli.core.errors import DeviceError
from cospal_cli.devices import memory, processors
from tests import media

resource = pytest.importorskip("resource")
if sys.platform != "linux":
    pytest.skip("only Linux holds processes to it", allow_module_level=True)


def under(limit_mb: int, *arguments: str, folder: Path) -> tuple[int, str]:
    """Exit code and stderr of a command line whose process may have ``limit_mb`` of addresses."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit_mb * 2**20,) * 2)

    command = [sys.executable, "-m", "cospal_cli", *arguments]
    done = subprocess.run(
        command, preexec_fn=limit, capture_output=True, text=True, cwd=folder, timeout=120,
        check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize("limit_mb", [120, 300, 450])
def test_too_little_memory_ends_with_6(limit_mb: int, tmp_path: Path) -> None:
    media.make(tmp_path / "v.mp4", frames=6, size=(640, 480))
    code, err = under(limit_mb, "ground", "v.mp4", "a person", "-o", "out/", folder=tmp_path)
    assert code == 6
    assert "not enough memory" in err
    assert "Traceback" not in err
    assert not list(tmp_path.glob("out/[!.]*"))


def test_what_needs_little_works_with_little(tmp_path: Path) -> None:
    assert under(150, "config", "show", folder=tmp_path)[0] == 0
    assert under(150, "--help", folder=tmp_path)[0] == 0


def test_the_need_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_limit_mb", lambda: 100)
    with pytest.raises(DeviceError, match="100 MB of address space, it needs") as caught:
        memory.check_room()
    assert "ulimit -v" in caught.value.hint
    monkeypatch.setattr(memory, "_limit_mb", lambda: 10_000 * processors())
    memory.check_room()
    monkeypatch.setattr(memory, "_limit_mb", lambda: None)
    memory.check_room()

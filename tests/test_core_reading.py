"""Small files are read one way: regular ones only, sizes first, depth limited."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cospal_cli.core import reading
from cospal_cli.core.errors import CospalError, InputError, UsageError, WeightsError
from cospal_cli.core.reading import (
    DEEPEST,
    json_lines,
    parse_json,
    read_bytes,
    read_json,
    read_lines,
    read_table,
    read_text,
)

Read = Callable[[Path, type[CospalError]], Any]
ALL: list[Read] = [
    read_bytes,
    read_text,
    read_json,
    read_table,
    lambda path, kind: list(read_lines(path, kind)),
    lambda path, kind: list(json_lines(path, kind)),
]


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """A reader that waits for the other end of a pipe gets one, late, and the test fails."""
    timer = threading.Timer(20, os.abort)
    timer.start()
    yield
    timer.cancel()


def special(tmp_path: Path) -> dict[str, Path]:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(tmp_path)  # names of sockets are short
        listener.bind("socket")
        os.chdir(here)
    return {
        "a pipe": tmp_path / "fifo",
        "a socket": tmp_path / "socket",
        "a device": Path("/dev/zero"),
        "a folder": tmp_path,
    }


@pytest.mark.parametrize("read", ALL, ids=range(len(ALL)))
@pytest.mark.parametrize("kind", [InputError, UsageError, WeightsError])
def test_what_is_no_file_is_refused_at_once(
    tmp_path: Path, read: Read, kind: type[CospalError]
) -> None:
    for name, path in special(tmp_path).items():
        with pytest.raises(kind, match=f"{path}: this is {name}"):
            read(path, kind)


@pytest.mark.parametrize("read", ALL, ids=range(len(ALL)))
@pytest.mark.parametrize("name", ["none", "x" * 300, "file/x", "loop", "loop/x", "a\0b"])
def test_paths_that_the_system_refuses(tmp_path: Path, read: Read, name: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InputError):
        read(tmp_path / name, InputError)


def test_a_size_above_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with open(path, "wb") as file:
        file.truncate(2**40)
    for read in (read_bytes, read_text, read_json):
        with pytest.raises(InputError, match="too large: 1,099,511,627,776 bytes"):
            read(path, InputError, limit=100)


def test_a_size_that_is_a_lie_is_noticed() -> None:
    with pytest.raises(InputError, match="too large"):  # its size is 0 by the directory
        read_bytes(Path("/proc/self/status"), InputError, limit=10)


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LINE", 100)
    path = tmp_path / "lines"
    path.write_bytes(b"{}\n" + b" " * 1000)
    with pytest.raises(InputError, match=f"{path}:2: a line of more than 100 bytes"):
        list(json_lines(path, InputError))


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\n')
    assert read_text(path, InputError) == '{"a": 1}\n'
    assert read_json(path, InputError) == {"a": 1}
    assert list(json_lines(path, InputError)) == [(f"{path}:1", {"a": 1})]


@pytest.mark.parametrize(
    "text", ["[" * 50_000, "[" * 900 + "]" * 900, '{"a":' * 5000, "[" * (DEEPEST + 1)]
)
def test_json_nested_deeply_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"nested|Expecting"):
        parse_json(text)


def test_json_nested_just_so_deeply_is_read() -> None:
    assert parse_json("[" * DEEPEST + "]" * DEEPEST)


@pytest.mark.parametrize("data", [b"", b" \n", b"{", b"[1", b"nul", b"\xff", b"9" * 5000, b"1 2"])
def test_what_is_no_json_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=r"x\.json") as caught:
        read_json(path, WeightsError, "hint")
    assert caught.value.hint == "hint"
    assert "\n" not in caught.value.message


def test_text_that_is_not_utf_8_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"a\nb\n\xff")
    with pytest.raises(InputError, match=f"{path}:3: not UTF-8"):
        read_text(path, InputError)


@pytest.mark.parametrize("value", [[], 1, "x", None, True])
def test_a_table_is_an_object(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "x"
    path.write_text(json.dumps(value))
    with pytest.raises(InputError, match="expected an object"):
        read_table(path, InputError)
    with pytest.raises(InputError, match=f"{path}:1: expected an object"):
        list(json_lines(path, InputError))

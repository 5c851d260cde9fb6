"""What the system and the libraries raise becomes ours, in one line and with the right code."""

from __future__ import annotations

import errno
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import yaml
from safetensors import SafetensorError, safe_open

from cospal_cli.core.errors import (
    CospalError,
    DeviceError,
    InputError,
    TrainingError,
    UsageError,
    WeightsError,
)
from cospal_cli.core.foreign import errors_as, of_system, reason, short, shortage


def caught(error: BaseException, kind: type[CospalError] = InputError) -> CospalError:
    with pytest.raises(CospalError) as found, errors_as(kind, "a.bin", "do this"):
        raise error
    assert "\n" not in found.value.message
    return found.value


def raised(act: Callable[[], object]) -> Exception:
    try:
        act()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


READERS: list[Callable[[], object]] = [
    lambda: json.loads("{"),
    lambda: json.loads("[" * 50_000),
    lambda: yaml.safe_load("a: [\n"),
    lambda: yaml.safe_load("\x07"),
    lambda: struct.unpack("<Q", b"123"),
    lambda: pickle.loads(b"."),
    lambda: pickle.loads(b"garbage"),
    lambda: zipfile.ZipFile(os.devnull),
    lambda: b"\xff".decode(),
    lambda: safe_open(os.devnull, "numpy"),
    lambda: av.open(os.devnull),
    lambda: np.array([[1], [1, 2]], float),
    lambda: np.array([10**400], float),
    lambda: [][0],
    lambda: {}["a"],
    lambda: None.a,  # type: ignore[attr-defined]
    lambda: int("9" * 5000),
    lambda: 1 / 0,
]


@pytest.mark.parametrize("act", READERS, ids=range(len(READERS)))
@pytest.mark.parametrize("kind", [InputError, UsageError, WeightsError])
def test_whatever_a_reader_raises_is_of_the_borders_kind(
    act: Callable[[], object], kind: type[CospalError]
) -> None:
    error = caught(raised(act), kind)
    assert type(error) is kind
    assert error.message.startswith("a.bin: ")
    assert error.hint == "do this"
    assert error.__cause__ is not None  # for --debug


REFUSALS = "ENOENT ENAMETOOLONG ENOTDIR ELOOP EISDIR EACCES EPERM EIO ESTALE ENXIO EINVAL".split()


@pytest.mark.parametrize("name", REFUSALS)
def test_a_file_that_the_system_refuses_is_of_the_borders_kind(name: str) -> None:
    error = caught(OSError(getattr(errno, name), os.strerror(getattr(errno, name)), "a.bin"))
    assert type(error) is InputError
    assert error.message == f"a.bin: {os.strerror(getattr(errno, name))}"


def test_a_file_that_the_border_does_not_name_is_named() -> None:
    assert "'b.bin': " in caught(OSError(errno.EIO, "broken", "b.bin")).message


@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT", "EFBIG", "EMFILE", "ENFILE", "ENOMEM"])
def test_what_the_machine_lacks_is_a_device_error(name: str) -> None:
    error = caught(OSError(getattr(errno, name), "x"), WeightsError)
    assert type(error) is DeviceError
    assert error.hint


SHORT_OF_MEMORY = [
    MemoryError(),
    raised(lambda: np.empty(2**45)),
    av.error.MemoryError(errno.ENOMEM, "Cannot allocate memory"),
    RuntimeError("std::bad_alloc"),
    RuntimeError("Failed to allocate memory for requested buffer of size 1"),
    RuntimeError("can't start new thread"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
    ImportError("libx.so: failed to map segment from shared object"),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
    BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
]


@pytest.mark.parametrize("error", SHORT_OF_MEMORY, ids=repr)
def test_memory_that_runs_out_is_a_device_error_whatever_says_so(error: Exception) -> None:
    found = caught(error, WeightsError)
    assert type(found) is DeviceError
    assert "not enough memory" in found.message
    ours = of_system(error)
    assert type(ours) is DeviceError


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, "No such file", "out of memory.json"),
        ValueError("'label': found 'std::bad_alloc'"),
        KeyError("not enough memory"),
    ],
    ids=repr,
)
def test_names_and_values_that_speak_of_memory_are_not_its_lack(error: Exception) -> None:
    assert type(caught(error)) is InputError


def test_memory_that_ran_out_below_another_error_counts() -> None:
    outer = RuntimeError("the model could not be built")
    outer.__cause__ = MemoryError()
    assert shortage(outer, "x") is not None


def test_errors_of_ours_pass_unchanged() -> None:
    error = TrainingError("m", "h")
    assert caught(error) is error


@pytest.mark.parametrize("error", [NameError("x"), ImportError("no module y")])
def test_a_mistake_in_the_code_is_no_fault_of_the_file(error: Exception) -> None:
    with pytest.raises(type(error)), errors_as(InputError, "a"):
        raise error


def test_a_border_decorates_a_function_again_and_again() -> None:
    @errors_as(InputError, "a")
    def read(text: str) -> int:
        return int(text)

    for _ in range(2):
        with pytest.raises(InputError, match="a: invalid literal"):
            read("x")
    assert read("1") == 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file", "x"), InputError),
        (OSError(errno.ENAMETOOLONG, "File name too long", b"x\xff"), InputError),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "x"), InputError),
        (PermissionError(errno.EACCES, "Permission denied", "x"), InputError),
        (OSError(errno.EIO, "Input/output error", "x"), DeviceError),
        (OSError(errno.EIO, "Input/output error"), DeviceError),
        (OSError(errno.EROFS, "Read-only file system", "x"), DeviceError),
        (OSError(errno.ENOSPC, "No space left on device"), DeviceError),
        (OSError(errno.EMFILE, "Too many open files", "x"), DeviceError),
    ],
)
def test_the_last_net_takes_what_the_system_raises(error: OSError, kind: type[CospalError]) -> None:
    found = of_system(error)
    assert type(found) is kind
    assert found.hint


@pytest.mark.parametrize(
    "error",
    [TypeError("x"), ValueError("x"), KeyError("x"), IndexError(), AttributeError("x"),
     RecursionError("x"), AssertionError(), ZeroDivisionError(), OSError("own words"),
     OSError(errno.EBADF, "Bad file descriptor")],
    ids=repr,
)  # fmt: skip
def test_a_bug_stays_a_bug(error: Exception) -> None:
    assert of_system(error) is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (raised(lambda: json.loads('{"a":\n x')), "not JSON: Expecting value in line 2"),
        (raised(lambda: b"a\xff".decode()), "not UTF-8 text"),
        (RecursionError("maximum recursion depth exceeded"), "nested too deeply"),
        (KeyError("boxes"), "'boxes' is missing"),
        (EOFError(), "cut short"),
        (ValueError("two\nlines   and\tmore"), "two lines and more"),
        (IndexError(), "IndexError"),
        (SafetensorError("header"), "SafetensorError header"),
        (ValueError("x" * 5000), "x" * 200 + "..."),
    ],
)
def test_reasons_are_one_short_line(error: Exception, words: str) -> None:
    assert reason(error) == words


def test_values_are_shown_short(tmp_path: Path) -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    for value in (deep, "x" * 10**6, list(range(10**5)), {str(n): n for n in range(10**4)}):
        assert len(short(value)) < 300

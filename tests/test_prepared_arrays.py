"""Prepared arrays: a flipped bit is noticed where it is read; files of 0.1.0 are read as before."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from cospal_cli.core.errors import InputError
from cospal_cli.prepared import texts as cache
from cospal_cli.prepared.arrays import ArrayFile, described, digest
from tests.hostile import refused

ARRAYS = {
    "a": np.arange(12, dtype=np.float32).reshape(3, 4),
    "b": np.ones((2, 3), np.float16),
    "none": np.zeros((0, 4), np.int64),
}
ABOUT = {"format": "x@1", "names": ["ü", "\ud800"], "end_s": 1.25}


def written(path: Path, *, old: bool = False) -> Path:
    digests = {name: digest(array) for name, array in ARRAYS.items()}
    about = {"cospal": json.dumps(ABOUT)} if old else described(ABOUT, digests)
    path.write_bytes(save(ARRAYS, about))
    return path


def read(path: Path) -> dict[str, np.ndarray]:
    file = ArrayFile(path)
    assert file.description("x@1") == ABOUT
    file.check_all()
    with file.opened() as opened:
        return {name: file.array(opened, name) for name in ARRAYS}


@pytest.mark.parametrize("old", [False, True])
def test_what_is_whole_is_read(tmp_path: Path, old: bool) -> None:
    found = read(written(tmp_path / "x.safetensors", old=old))
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path / "x.safetensors")
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        if not refused(lambda: read(path), InputError):  # a byte that says nothing: a space
            found = read(path)
            assert all(np.array_equal(found[name], array) for name, array in ARRAYS.items())


def test_the_digest_is_of_bytes_and_shape(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float32)
    path = tmp_path / "x"
    path.write_bytes(array.tobytes())
    with open(path, "rb") as file:
        assert digest(file, (6,)) == digest(array) == digest(array.tobytes(), (6,))
    assert digest(array[::-1]) != digest(array) != digest(array[None])
    assert digest(np.zeros((0, 3))) == digest(b"", (0, 3))


def test_an_array_without_a_digest_beside_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(save(ARRAYS, described(ABOUT, {"a": digest(ARRAYS["a"])})))
    with pytest.raises(InputError, match=r"(b|none) is damaged"):
        read(path)


def test_a_pipe_is_no_file_of_arrays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.safetensors")
    with pytest.raises(InputError, match="this is a pipe"):
        ArrayFile(tmp_path / "x.safetensors")


def test_flipped_word_vectors_are_noticed(tmp_path: Path) -> None:
    class Encoder:
        dim, model_sha256, model_id = 4, "m", "m"

        def words_of(self, texts: list[str]) -> list[object]:
            from cospal_cli.core.phrases import WordVectors

            return [WordVectors(((0, 1),), np.full((1, 4), 1.5, np.float32)) for _ in texts]

    path = tmp_path / "t.safetensors"
    key = {"model": "m"}
    assert cache.write(path, ["a", "b"], Encoder(), key)  # type: ignore[arg-type]
    assert cache.whole(path, key)
    assert cache.TextsFile(path).words("b").vectors.tolist() == [[1.5] * 4]
    data = path.read_bytes()
    at = data.rindex(np.float16(1.5).tobytes())
    path.write_bytes(data[:at] + np.float16(1.25).tobytes() + data[at + 2 :])
    assert not cache.whole(path, key)
    with pytest.raises(InputError, match="vectors is damaged"):
        cache.TextsFile(path)

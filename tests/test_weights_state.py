"""Checkpoints are read as tensors or refused; nothing hidden in one ever runs."""

from __future__ import annotations

import json
import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from cospal_cli.backbones.state import read_state
from cospal_cli.core.errors import WeightsError
from tests.hostile import refused

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.count": torch.tensor(3)}


def refusal(path: Path) -> WeightsError:
    """The error that reading ``path`` raises: it names the file and says what to run."""
    with pytest.raises(WeightsError) as caught:
        read_state(path)
    assert caught.value.exit_code == 5
    assert str(path) in caught.value.message
    assert "cospal models" in caught.value.hint
    return caught.value


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".safetensors"])
@pytest.mark.parametrize("wrap", ["", "model", "state_dict"])
def test_reads_every_format(tmp_path: Path, suffix: str, wrap: str) -> None:
    path = tmp_path / f"weights{suffix}"
    if suffix == ".safetensors":
        save_file(WEIGHTS, path)
    else:
        torch.save({wrap: OrderedDict(WEIGHTS), "epoch": 3} if wrap else WEIGHTS, path)
    state = read_state(path)
    assert state.keys() == WEIGHTS.keys()
    assert all(torch.equal(state[name], WEIGHTS[name]) for name in WEIGHTS)


def test_takes_off_the_prefix_of_parallel_training(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"model": {f"module.{name}": value for name, value in WEIGHTS.items()}}, path)
    assert read_state(path).keys() == WEIGHTS.keys()
    torch.save({"module.a": torch.ones(1), "b": torch.ones(1)}, path)
    assert set(read_state(path)) == {"module.a", "b"}


def test_reads_the_format_from_before_zip(tmp_path: Path) -> None:
    path = tmp_path / "old.pt"
    torch.save(WEIGHTS, path, _use_new_zipfile_serialization=False)
    assert torch.equal(read_state(path)["a.weight"], WEIGHTS["a.weight"])


class Payload:
    """Unpickled, it would make the file ``witness``."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.witness,)


@pytest.mark.parametrize("writer", ["torch", "torch before zip", "pickle"])
def test_a_payload_is_refused_and_does_not_run(tmp_path: Path, writer: str) -> None:
    path, witness = tmp_path / "weights.pth", tmp_path / "witness"
    content = {"model": WEIGHTS, "extra": Payload(witness)}
    if writer == "pickle":
        path.write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=writer == "torch")
    error = refusal(path)
    assert "weights_only" not in error.message + error.hint  # torch's advice to trust the file
    assert not witness.exists()
    if writer == "pickle":  # the fixture is what it claims to be
        pickle.loads(path.read_bytes())
        assert witness.exists()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95])
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f"weights{suffix}"
    weights = {"a": torch.rand(100, 100)}
    save_file(weights, path) if suffix == ".safetensors" else torch.save(weights, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    refusal(path)


def safetensors_file(path: Path, header: dict[str, Any], data: bytes) -> Path:
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def tensor(begin: int, end: int) -> dict[str, Any]:
    return {"dtype": "F32", "shape": [(end - begin) // 4], "data_offsets": [begin, end]}


def test_safetensors_with_a_huge_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.safetensors"
    path.write_bytes(struct.pack("<Q", 2**62) + b"{}")
    refusal(path)


@pytest.mark.parametrize("spans", [[(0, 8), (4, 12)], [(0, 4), (8, 12)], [(0, 4), (4, 400)]])
def test_safetensors_with_bad_offsets_is_refused(
    tmp_path: Path, spans: list[tuple[int, int]]
) -> None:
    header = {str(number): tensor(*span) for number, span in enumerate(spans)}
    refusal(safetensors_file(tmp_path / "offsets.safetensors", header, bytes(12)))
    good = {"0": tensor(0, 8), "1": tensor(8, 12)}
    assert len(read_state(safetensors_file(tmp_path / "good.safetensors", good, bytes(12)))) == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_that_are_not_numbers_are_refused(
    tmp_path: Path, suffix: str, value: float
) -> None:
    path = tmp_path / f"weights{suffix}"
    weights = {"good": torch.ones(3), "bad": torch.tensor([1.0, value]).half()}
    save_file(weights, path) if suffix == ".safetensors" else torch.save(weights, path)
    assert "bad" in refusal(path).message


@pytest.mark.parametrize("content", [{}, [1, 2], {"optimizer": {"lr": 0.1}}, {"a": 3}, {1: 2}])
def test_other_contents_are_refused(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    with pytest.raises(WeightsError, match=r"weights\.pth"):
        read_state(path)


def test_missing_and_unknown_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such file"):
        read_state(tmp_path / "none.pth")
    (tmp_path / "weights.zip").touch()
    with pytest.raises(WeightsError) as caught:
        read_state(tmp_path / "weights.zip")
    assert ".safetensors" in caught.value.hint


PICKLES = {
    "a stop alone": b".",
    "nothing": b"",
    "half a protocol": b"\x80",
    "an unknown memo": b"h\x05.",
    "a length of 4 EB": b"\x8e" + (2**62).to_bytes(8, "little"),
    "a length of 2 GB": b"X\xff\xff\xff\x7f",
    "a negative length": b"T" + b"\xff" * 4,
    "a tuple without a mark": b"t.",
    "pairs that are none": b"}(Nu.",
    "a number that is none": b"I99x\n.",
    "deep lists": b"(" * 50_000 + b"l" * 50_000 + b".",
    "a foreign id": b"Px\n.",
    "zeros": bytes(100),
}


@pytest.mark.parametrize("name", PICKLES)
@pytest.mark.filterwarnings("error")
def test_pickles_that_are_none_are_refused_in_a_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.pth"
    path.write_bytes(PICKLES[name])
    error = refusal(path)
    assert "\n" not in error.message


@pytest.mark.parametrize("zipped", [True, False])
def test_flipped_bytes_end_in_a_line_or_in_weights(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "x.pth"
    torch.save({"a": torch.zeros(3)}, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        refused(lambda: read_state(path), WeightsError)

"""Devices and precisions of torch, and what happens when its memory does not suffice."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator, Sequence

import pytest
import torch

from cospal_cli.core.errors import DeviceError, UsageError
from cospal_cli.devices import processors
from cospal_cli.devices.torch_device import Halving, Placement, choose, use_threads


@pytest.fixture
def cuda_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)


@pytest.fixture
def no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("no_cuda")
@pytest.mark.parametrize(
    ("precision", "dtype"),
    [
        ("auto", torch.float32),
        ("fp32", torch.float32),
        ("fp16", torch.float16),
        ("bf16", torch.bfloat16),
    ],
)
def test_the_cpu_is_chosen_where_there_is_no_gpu(precision: str, dtype: torch.dtype) -> None:
    place = choose("auto", precision)
    assert place == Placement(torch.device("cpu"), dtype)
    assert not place.cuda


@pytest.mark.usefixtures("cuda_here")
def test_a_gpu_is_chosen_in_half_precision_where_there_is_one() -> None:
    assert choose("auto", "auto") == Placement(torch.device("cuda"), torch.float16)
    assert choose("cuda:1", "fp32") == Placement(torch.device("cuda:1"), torch.float32)
    assert choose("cpu", "auto").dtype == torch.float32
    with pytest.raises(DeviceError, match="GPUs available: 2"):
        choose("cuda:2", "auto")


@pytest.mark.usefixtures("no_cuda")
@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_cuda_that_is_not_there(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(DeviceError, match=r"torch .* is built without CUDA") as caught:
        choose(device, "auto")
    assert caught.value.exit_code == 6
    assert "--device cpu" in caught.value.hint
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    with pytest.raises(DeviceError, match=r"built for CUDA 13\.0 but finds no GPU"):
        choose(device, "auto")


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:-1", "mps", "cuda:x", ""])
def test_unknown_devices(device: str) -> None:
    with pytest.raises(UsageError, match="unknown device") as caught:
        choose(device, "auto")
    assert "cuda:N" in caught.value.hint


def test_unknown_precision() -> None:
    with pytest.raises(UsageError, match="unknown precision 'fp8'") as caught:
        choose("cpu", "fp8")
    assert "bf16" in caught.value.hint


@pytest.mark.usefixtures("threads")
def test_threads_are_those_given_or_all_but_one() -> None:
    cpu = Placement(torch.device("cpu"), torch.float32)
    use_threads(cpu, 3)
    assert torch.get_num_threads() == 3
    use_threads(Placement(torch.device("cuda"), torch.float16), 7)
    assert torch.get_num_threads() == 3
    use_threads(cpu, 0)
    assert torch.get_num_threads() == max(1, processors() - 1)


class Room:
    """Memory for so many items at a time."""

    def __init__(self, items: int, error: type[Exception] | None = None, text: str = "") -> None:
        self.items = items
        self.error = (error or torch.OutOfMemoryError)(text or "CUDA out of memory")
        self.tried: list[int] = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.tried.append(len(items))
        if len(items) > self.items:
            raise self.error
        return [item * item for item in items]


@pytest.mark.parametrize(("count", "room"), [(8, 8), (8, 3), (7, 1), (5, 4), (0, 1)])
def test_halves_give_what_one_batch_would(count: int, room: int) -> None:
    run = Room(room)
    assert Halving("frame")(run, list(range(count))) == [n * n for n in range(count)]


def test_the_smaller_batch_is_remembered() -> None:
    fit, run = Halving("frame"), Room(2)
    fit(run, range(8))
    assert run.tried == [8, 4, 2, 2, 2, 2]
    run.tried.clear()
    assert fit(run, range(5)) == [0, 1, 4, 9, 16]
    assert run.tried == [2, 2, 1]


def test_one_item_that_does_not_fit() -> None:
    fit, run = Halving("frame"), Room(0)
    with pytest.raises(DeviceError, match="out of memory with a single frame") as caught:
        fit(run, range(4))
    assert run.tried == [4, 2, 1]
    assert caught.value.exit_code == 6
    assert "--precision fp16" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory: you tried",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    ],
)
def test_other_ways_to_say_out_of_memory(text: str) -> None:
    run = Room(1, RuntimeError, text)
    assert Halving("frame")(run, [1, 2]) == [1, 4]


def test_other_errors_are_left_alone() -> None:
    run = Room(1, RuntimeError, "mat1 and mat2 shapes cannot be multiplied")
    with pytest.raises(RuntimeError, match="mat1"):
        Halving("frame")(run, [1, 2])
    assert run.tried == [2]


def test_what_failed_is_freed_before_the_next_attempt() -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    def run(items: Sequence[int]) -> list[int]:
        gc.disable()  # only what nothing refers to any more may be gone
        assert all(tensor() is None for tensor in held)
        activations = torch.zeros(10)
        held.append(weakref.ref(activations))
        if len(items) > 1:
            raise torch.OutOfMemoryError
        return list(items)

    try:
        assert Halving("frame")(run, [1, 2]) == [1, 2]
    finally:
        gc.enable()
    assert len(held) == 3

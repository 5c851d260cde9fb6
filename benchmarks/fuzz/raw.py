"""Mutations of bytes: what disks, networks and careless programs do to a file, and worse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

INTEGERS = (0, 1, 2, 3, 7, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000)
INTEGERS += (0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 0x100000000)
INTEGERS += (0x1FFFFFFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF)
EDGE = 512  # headers and indices lie at a file's ends

Mutation = Callable[[bytearray, Random], None]


def mutated(data: bytes, rng: Random, others: Sequence[bytes] = ()) -> bytes:
    """``data`` after one to four mutations; a part of one of ``others`` may take its place."""
    found = bytearray(data)
    if others and rng.random() < 0.08:
        found = _splice(found, rng.choice(others), rng)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        if found:
            rng.choice(MUTATIONS)(found, rng)
    return bytes(found)


def place(size: int, rng: Random) -> int:
    """An offset below ``size``; as often as not near one of its ends."""
    near = min(size, EDGE)
    where = rng.random()
    if where < 0.5:
        return rng.randrange(size)
    return rng.randrange(near) if where < 0.8 else size - 1 - rng.randrange(near)


def _block(data: bytearray, rng: Random) -> slice:
    start = place(len(data), rng)
    longest = max(1, min(len(data) - start, rng.choice((4, 16, 64, 512, 4096, 1 << 20))))
    return slice(start, start + rng.randint(1, longest))


def _flip(data: bytearray, rng: Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 4, 16, 64))):
        data[place(len(data), rng)] ^= 1 << rng.randrange(8)


def _byte(data: bytearray, rng: Random) -> None:
    data[place(len(data), rng)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def _integer(data: bytearray, rng: Random) -> None:
    width = rng.choice((1, 2, 4, 4, 8))
    at = place(len(data), rng)
    value = rng.choice(INTEGERS) % (1 << 8 * width)
    new = value.to_bytes(width, rng.choice(("big", "little")))[: len(data) - at]
    data[at : at + len(new)] = new


def _add(data: bytearray, rng: Random) -> None:
    """A field a little larger or smaller than it was."""
    width, order = rng.choice((1, 2, 4, 8)), rng.choice(("big", "little"))
    at = place(len(data), rng)
    old = data[at : at + width]
    value = int.from_bytes(old, order) + rng.choice((-16, -2, -1, 1, 2, 16))
    data[at : at + width] = (value % (1 << 8 * len(old))).to_bytes(len(old), order)


def _truncate(data: bytearray, rng: Random) -> None:
    del data[place(len(data), rng) :]


def _remove(data: bytearray, rng: Random) -> None:
    del data[_block(data, rng)]


def _repeat(data: bytearray, rng: Random) -> None:
    block = _block(data, rng)
    data[block.stop : block.stop] = data[block] * rng.choice((1, 1, 2, 20))


def _move(data: bytearray, rng: Random) -> None:
    block = _block(data, rng)
    taken = data[block]
    del data[block]
    at = rng.randint(0, len(data))
    data[at:at] = taken


def _noise(data: bytearray, rng: Random) -> None:
    block = _block(data, rng)
    data[block] = rng.randbytes(block.stop - block.start)


def _blank(data: bytearray, rng: Random) -> None:
    block = _block(data, rng)
    data[block] = rng.choice((b"\0", b"\xff")) * (block.stop - block.start)


def _splice(data: bytearray, other: bytes, rng: Random) -> bytearray:
    """The beginning of one file and the end of the other."""
    return data[: rng.randint(0, len(data))] + other[rng.randint(0, len(other)) :]


MUTATIONS: tuple[Mutation, ...] = (
    _flip, _flip, _byte, _integer, _integer, _add, _truncate, _remove, _repeat, _move, _noise,
    _blank,
)  # fmt: skip

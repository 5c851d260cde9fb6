"""Files that are trees of chunks (MP4's boxes, RIFF, EBML): mutated as trees, with right sizes.

Damage that keeps the sizes right reaches the code behind the checks of the outermost layer.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from benchmarks.fuzz import raw

BOXES = set(b"moov trak mdia minf stbl edts udta moof traf mvex dinf tapt".split())
MASTERS = {0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0, 0xE1, 0x1F43B675, 0x1C53BB6B, 0xBB}
MASTERS |= {0xB7, 0x1A45DFA3, 0xA0, 0x6D80, 0x1254C367, 0x7373, 0x67C8, 0x114D9B74, 0x4DBB}
TAGS = (b"zzzz", b"\0\0\0\0", b"free", b"mdat", b"moov", b"trak", b"stts", b"ctts", b"stsz")
TAGS += (b"avc1", b"hev1", b"mp4v", b"mp4a", b"jpeg", b"raw ", b"text", b"elst", b"uuid", b"LIST")


@dataclass
class Chunk:
    """``body``: its bytes, or the chunks in it behind ``lead``."""

    tag: bytes
    body: bytes = b""
    lead: bytes = b""
    inner: list[Chunk] = field(default_factory=list)

    def all(self) -> Iterator[Chunk]:
        """Itself and all below it."""
        yield self
        for chunk in self.inner:
            yield from chunk.all()


Parse = Callable[[bytes], list[Chunk]]
Write = Callable[[Chunk], bytes]


def mutated(data: bytes, rng: Random) -> bytes | None:
    """``data`` with its tree changed in one to three places; None if it is no tree of chunks."""
    kind = _kind(data)
    if kind is None:
        return None
    parse, write = kind
    try:
        root = Chunk(b"", inner=parse(data))
    except (ValueError, IndexError):
        return None
    for _ in range(rng.choice((1, 1, 2, 3))):
        _change(root, rng)
    return b"".join(map(write, root.inner))


def _change(root: Chunk, rng: Random) -> None:
    parents = [chunk for chunk in root.all() if chunk.inner]
    if not parents:
        return
    siblings = rng.choice(parents).inner
    at, other = rng.randrange(len(siblings)), rng.randrange(len(siblings))
    chosen = siblings[at]
    match rng.choice(("remove", "repeat", "swap", "tag", "body", "body", "body", "cut", "graft")):
        case "remove":
            del siblings[at]
        case "repeat":
            siblings[at:at] = [chosen] * rng.choice((1, 1, 5))
        case "swap":
            siblings[at], siblings[other] = siblings[other], chosen
        case "tag":
            fitting = [tag for tag in TAGS if len(tag) == len(chosen.tag)]
            chosen.tag = rng.choice(fitting or [chosen.tag])
        case "body":
            leaves = [chunk for chunk in chosen.all() if chunk.body]
            if leaves:
                leaf = rng.choice(leaves)
                leaf.body = raw.mutated(leaf.body, rng)
        case "cut":
            chosen.body = chosen.body[: rng.randint(0, len(chosen.body))]
        case "graft":
            others = [one for one in root.all() if one is not root]
            siblings.insert(at, copy.deepcopy(rng.choice(others)))


def _kind(data: bytes) -> tuple[Parse, Write] | None:
    if data[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"styp"):
        return _boxes, _box
    if data[:4] == b"RIFF":
        return _riff, _riff_chunk
    if data[:4] == b"\x1a\x45\xdf\xa3":
        return _ebml, _element
    return None


def _boxes(data: bytes) -> list[Chunk]:
    found, at = [], 0
    while at + 8 <= len(data):
        size, tag = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if not 8 <= size <= len(data) - at:
            raise ValueError(size)
        body = data[at + 8 : at + size]
        found.append(Chunk(tag, inner=_boxes(body)) if tag in BOXES else Chunk(tag, body))
        at += size
    return found


def _box(chunk: Chunk) -> bytes:
    body = b"".join(map(_box, chunk.inner)) if chunk.inner else chunk.body
    return (len(body) + 8).to_bytes(4, "big") + chunk.tag + body


def _riff(data: bytes) -> list[Chunk]:
    found, at = [], 0
    while at + 8 <= len(data):
        tag, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if tag in (b"RIFF", b"LIST"):
            found.append(Chunk(tag, lead=body[:4], inner=_riff(body[4:])))
        else:
            found.append(Chunk(tag, body))
        at += 8 + size + size % 2
    return found


def _riff_chunk(chunk: Chunk) -> bytes:
    body = chunk.lead + b"".join(map(_riff_chunk, chunk.inner)) if chunk.inner else chunk.body
    return chunk.tag + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)


def _ebml(data: bytes) -> list[Chunk]:
    found, at = [], 0
    while at < len(data):
        width = 9 - data[at].bit_length()
        tag, at = data[at : at + width], at + width
        width = 9 - data[at].bit_length()
        size = int.from_bytes(data[at : at + width], "big") & (1 << 7 * width) - 1
        at += width
        if width > 8:
            raise ValueError(width)
        size = min(size, len(data) - at)  # "unknown" is all ones
        body, at = data[at : at + size], at + size
        inner = int.from_bytes(tag, "big") in MASTERS
        found.append(Chunk(tag, inner=_ebml(body)) if inner else Chunk(tag, body))
    return found


def _element(chunk: Chunk) -> bytes:
    body = b"".join(map(_element, chunk.inner)) if chunk.inner else chunk.body
    return chunk.tag + (len(body) | 1 << 56).to_bytes(8, "big") + body

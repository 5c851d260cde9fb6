"""Files that carry code. Where one is run, the folder ``CANARY`` appears beside the input."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from random import Random
from typing import Any

from benchmarks.fuzz import raw

CANARY = "canary"
YAML = (
    f"!!python/object/apply:os.mkdir [{CANARY}]\n",
    f"detector: !!python/object/apply:os.mkdir [{CANARY}]\n",
    f"video:\n  fps: !!python/object/new:os.mkdir\n    args: [{CANARY}]\n",
    f"!!python/object/apply:os.system ['mkdir {CANARY}']: 1\n",
    f"video: !!python/name:os.mkdir\nground: !!python/module:antigravity\nx: {CANARY}\n",
)


class Trap:
    """Makes the folder where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (CANARY,)


class Shell:
    """The same through a shell."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"mkdir {CANARY}",)


class Source:
    """The same through source code."""

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, (f"__import__('os').mkdir({CANARY!r})",)


def pickled(rng: Random) -> bytes:
    """A checkpoint that runs code when it is unpickled carelessly, in one of torch's two forms."""
    trap = rng.choice((Trap, Shell, Source))()
    held = rng.choice(({"model": trap}, {"model": {"weight": trap}}, [trap], trap, {trap: 1}))
    data = pickle.dumps(held, protocol=rng.choice((0, 2, 4)))
    if rng.random() < 0.3:  # before torch 1.6: magic number, protocol, system, then the object
        opening = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
        return b"".join(pickle.dumps(part, protocol=2) for part in opening) + data
    if rng.random() < 0.2:
        return data
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/data/0", raw.mutated(bytes(64), rng))
    return buffer.getvalue()

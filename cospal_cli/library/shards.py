"""Parts of a batch for several machines that know nothing of each other: ``--shard 3/16``.

A video's shard follows from its name among the inputs alone, not from the others: whoever computes
it, wherever and whenever, agrees, and a file that is added moves no other. Numbered names, as data
sets have them, are spread evenly (multiples of the golden ratio are), others by a hash.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import PurePosixPath

from cospal_cli.core.errors import UsageError
from cospal_cli.library.jobs import BatchJob

_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio
_WHOLE = 2**64
_NUMBER = re.compile(r"(\d+)(\D*)$")


def read_shard(text: str) -> tuple[int, int]:
    """ "3/16" as (3, 16); UsageError for anything else."""
    match = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+)\s*", text)
    number, count = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= number <= count:
        raise UsageError(
            f"--shard {text!r}: expected i/n with i from 1 to n",
            "such as --shard 3/16 for the third of sixteen",
        )
    return number, count


def shard_of(name: str, count: int) -> int:
    """Which of ``count`` shards, from 1, has the video of that name."""
    match = _NUMBER.search(str(PurePosixPath(name).with_suffix("")))
    prefix = name[: match.start()] if match else name
    number = int(match[1]) if match else 0
    digest = blake2b(prefix.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    place = (int.from_bytes(digest, "big") + number * _GOLDEN) % _WHOLE
    return place * count // _WHOLE + 1


def shard(jobs: Sequence[BatchJob], number: int, count: int) -> list[BatchJob]:
    """The jobs of shard ``number`` of ``count``."""
    return [job for job in jobs if shard_of(job.name, count) == number]

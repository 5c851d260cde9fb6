"""A child of the fuzzer that also knows kinds which do what no input must do."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.fuzz import worker
from benchmarks.fuzz.kinds import KINDS, Kind
from benchmarks.fuzz.payloads import CANARY


def _planted(act: Any) -> Kind:
    """A kind whose input is fine, and whose command does ``act`` instead."""

    def build(rng: Random, seeds: Any, here: Path) -> list[str]:
        import cospal_cli.cli

        def run(args: list[str]) -> int:
            print("error: planted", file=sys.stderr)
            return int(act() or 0)

        cospal_cli.cli.run = run
        return ["planted", str(rng.random())]

    return Kind("others", 1, build)


def _half_written() -> None:
    Path("out").mkdir()
    Path("out", "a.json").write_text('{"tubes": [')


def _greedy() -> int:
    try:
        bytearray(1 << 32)
    except MemoryError:
        return 6
    return 0


KINDS["sleeps"] = _planted(lambda: time.sleep(60))
KINDS["crashes"] = _planted(lambda: os.kill(os.getpid(), signal.SIGSEGV))
KINDS["explodes"] = _planted(lambda: os.mkdir(CANARY))
KINDS["half"] = _planted(_half_written)
KINDS["greedy"] = _planted(_greedy)
KINDS["fine"] = _planted(lambda: 4)
KINDS["bug"] = _planted(lambda: 1)

if __name__ == "__main__":
    worker.main()

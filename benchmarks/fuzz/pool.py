"""Children that are watched: asked for one input after another, ended and replaced where needed."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LONGEST_S = 20.0  # a command that computes for longer hangs,
PATIENCE = 5  # and so does one that takes as many times that by the clock, of a busy machine
MAKING_S = 120.0  # imports and the making of an input are no part of that
RUNS = 1000  # of one child, before a fresh one takes its place
MODULE = "benchmarks.fuzz.worker"
FINE = {0, 2, 3, 4, 5, 6, 7}  # exit codes that are documented and no bug


@dataclass(frozen=True)
class Outcome:
    """How one input ended. ``result``: "exit N", "signal NAME" or "hang"."""

    kind: str
    number: int
    result: str
    args: list[str] = field(default_factory=list)
    seconds: float = 0.0
    peak_mb: int = 0
    payload: bool = False
    wrong: str = ""
    stderr: str = ""

    @property
    def failed(self) -> bool:
        """Whether it must not be so, whatever the input."""
        fine = self.result in {f"exit {code}" for code in FINE}
        return not fine or self.payload or bool(self.wrong)

    @property
    def signature(self) -> str:
        """What outcomes with the same cause share, as far as one can tell."""
        if self.payload or self.wrong:
            return f"{self.result}: {'a payload ran' if self.payload else self.wrong:.60}"
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip()]
        places = [line for line in lines if line.startswith("File ") and "cospal" in line]
        last = [line for line in lines if not line.startswith(("File ", "error:", "hint:", "^"))]
        return f"{self.result}: {(places or ['?'])[-1]}: {(last or ['?'])[-1]:.80}"


class Worker:
    """One child and its folder below ``folder``."""

    def __init__(
        self, seed: int, seeds: Path, folder: Path, megabytes: int, module: str = MODULE
    ) -> None:
        self.module = module
        self.seed, self.seeds, self.folder, self.megabytes = seed, seeds, folder, megabytes
        self.scratch, self.log = folder / "input", folder / "log.txt"
        self._child: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._left = 0
        folder.mkdir(parents=True)

    def run(self, kind: str, number: int) -> Outcome:
        """One input. The child survives unless the input ends it."""
        if self._child is None or self._left <= 0:
            self._start()
        assert self._child is not None
        assert self._child.stdin is not None
        self._left -= 1
        self._child.stdin.write(json.dumps([kind, number]).encode() + b"\n")
        self._child.stdin.flush()
        args: list[str] = []
        try:
            args = self._answer(MAKING_S)["begins"]
            found = self._answer(PATIENCE * LONGEST_S, LONGEST_S)
        except TimeoutError:
            result = "hang" if args else "hang of the fuzzer"
            self._end(signal.SIGABRT)
        except EOFError:
            code = self._child.wait()
            result = f"signal {signal.Signals(-code).name}" if code < 0 else f"left with {code}"
            result += "" if args else " in the fuzzer"
            self._child = None
        else:
            found["result"] = f"exit {found.pop('code')}"
            return Outcome(kind, number, args=args, **found)
        return Outcome(kind, number, result, args, stderr=self._last_words())

    def keep(self, outcome: Outcome, target: Path) -> None:
        """Copy the input of ``outcome``, the last that ran, and what was said, to ``target``."""
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.scratch, target, symlinks=True, ignore_dangling_symlinks=True)
        (target / "stderr.txt").write_text(outcome.stderr, encoding="utf-8", errors="replace")

    def close(self) -> None:
        """End the child."""
        self._end(signal.SIGKILL)

    def _start(self) -> None:
        self._end(signal.SIGKILL)
        told = (self.seed, self.seeds, self.scratch, self.megabytes, self.log)
        command = [sys.executable, "-m", self.module, *map(str, told)]
        self._child = subprocess.Popen(
            command, env=_environment(self.folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._rest, self._left = b"", RUNS
        self._answer(MAKING_S)

    def _answer(self, patience_s: float, computing_s: float = float("inf")) -> dict[str, Any]:
        """The next line of the child. TimeoutError or EOFError if there is none within
        ``patience_s`` by the clock and ``computing_s`` of the child's own."""
        assert self._child is not None
        assert self._child.stdout is not None
        until = time.monotonic() + patience_s
        pipe = self._child.stdout.fileno()
        most_s = _computed_s(self._child.pid) + computing_s
        while b"\n" not in self._rest:
            if not select.select([pipe], [], [], 0.5)[0]:
                if time.monotonic() > until or _computed_s(self._child.pid) > most_s:
                    raise TimeoutError
                continue
            new = os.read(pipe, 1 << 16)
            if not new:
                raise EOFError
            self._rest += new
        line, _, self._rest = self._rest.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def _end(self, how: signal.Signals) -> None:
        if self._child is not None:
            self._child.send_signal(how)
            try:
                self._child.wait(5)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
            self._child = None

    def _last_words(self) -> str:
        return self.log.read_text("utf-8", "replace")[-6000:] if self.log.exists() else ""


def _computed_s(pid: int) -> float:
    """Processor time of a process so far; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _environment(home: Path) -> dict[str, str]:
    """No network, no home of a person, one thread: what is measured is the same everywhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COSPAL")}
    own = {"HOME": str(home), "HF_HUB_OFFLINE": "1", "COSPAL_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    own |= {"XDG_CACHE_HOME": str(home / "cache"), "PYTHONPATH": os.getcwd(), "NO_COLOR": "1"}
    return kept | own

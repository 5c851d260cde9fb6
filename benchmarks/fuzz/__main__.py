"""Fuzzing: seeded mutations of every kind of input, through the command line entry.

    python -m benchmarks.fuzz --seconds 60                     # every kind, as many as fit
    python -m benchmarks.fuzz --kinds media --count 20000 --jobs 2 -o results/
    python -m benchmarks.fuzz --kinds mp4 --only 123           # one input again

Run in the checkout, with the development tools installed. The same seed makes the same inputs. A
damaged input must be refused or survived: exit codes 0 and 2 to 7. Counted as failures: exit 1
(a bug), the end by a signal, more than 20 seconds of computing (or 100 by the clock), code that
came with a file and was run, and results that are not whole. They are kept, with the line that
makes each again. Exits with 1 if there are any.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.fuzz.kinds import KINDS, chosen
from benchmarks.fuzz.pool import Outcome, Worker
from benchmarks.fuzz.seeds import Seeds

MARKS = ("payload run", "promise broken")  # counted beside how the command ended
TOLD_EVERY_S = 60.0
KEPT = 3  # inputs of one signature


class Results:
    """Counts of outcomes, and what failed. Safe to be added to from several threads."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed = folder, seed
        self.counts: dict[str, Counter[str]] = {}
        self.seconds: dict[str, float] = {}
        self.peaks: dict[str, Outcome] = {}
        self.slowest: dict[str, Outcome] = {}
        self.failed: dict[str, list[Outcome]] = {}
        self._lock = threading.Lock()

    def add(self, outcome: Outcome, worker: Worker) -> None:
        """Count; keep the input of a failure that is new."""
        with self._lock:
            group = KINDS[outcome.kind].group
            marks = zip(MARKS, (outcome.payload, outcome.wrong), strict=True)
            names = [outcome.result, *(name for name, marked in marks if marked)]
            self.counts.setdefault(outcome.kind, Counter()).update(names)
            for name in (outcome.kind, "all"):
                self.seconds[name] = self.seconds.get(name, 0.0) + outcome.seconds
            for best, key in ((self.peaks, "peak_mb"), (self.slowest, "seconds")):
                if group not in best or getattr(best[group], key) < getattr(outcome, key):
                    best[group] = outcome
            if outcome.failed:
                same = self.failed.setdefault(outcome.signature, [])
                same.append(outcome)
                if len(same) <= KEPT:
                    worker.keep(outcome, self.folder / f"{outcome.kind}-{outcome.number}")
                if len(same) == 1:
                    print(f"FAILED {outcome.signature}\n  {self.again(outcome)}", flush=True)

    def again(self, outcome: Outcome) -> str:
        """The command that runs the same input."""
        return (
            f"python -m benchmarks.fuzz --seed {self.seed} --kinds {outcome.kind} "
            f"--only {outcome.number}"
        )

    @property
    def runs(self) -> int:
        """How many inputs were run."""
        names = (item for counts in self.counts.values() for item in counts.items())
        return sum(count for name, count in names if name not in MARKS)

    def table(self) -> str:
        """One line a kind, and the sums."""
        total = sum(self.counts.values(), Counter())
        names = sorted(total)
        rows = [(kind, self.counts[kind]) for kind in KINDS if kind in self.counts]
        lines = ["  ".join([f"{'kind':<12}{'inputs':>8}{'s each':>8}", *names])]
        for kind, counts in [*rows, ("all", total)]:
            runs = sum(counts[name] for name in names if name not in MARKS)
            mean = self.seconds[kind] / runs
            cells = [f"{counts[name]:>{len(name)}}" for name in names]
            lines.append("  ".join([f"{kind:<12}{runs:>8}{mean:>8.3f}", *cells]))
        for group, one in self.peaks.items():
            slow = self.slowest[group]
            lines.append(
                f"{group}: peak memory {one.peak_mb} MB ({one.kind} {one.number}), "
                f"longest computing {slow.seconds:.1f} s ({slow.kind} {slow.number})"
            )
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "seed": self.seed,
            "counts": {kind: dict(counts) for kind, counts in self.counts.items()},
            "peak_mb": {group: one.peak_mb for group, one in self.peaks.items()},
            "longest_s": {group: round(one.seconds, 2) for group, one in self.slowest.items()},
            "failures": [
                {"signature": name, "count": len(same), "again": self.again(same[0]),
                 "args": same[0].args, "stderr": same[0].stderr[-1500:]}
                for name, same in self.failed.items()
            ],
        }  # fmt: skip


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kinds", default="media,others", help="kinds or groups, with commas")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, help="inputs; default: as many as --seconds allows")
    parser.add_argument("--seconds", type=float, default=60.0, help="without --count")
    parser.add_argument("--only", type=int, help="the number of one input")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--memory", type=int, default=4096, help="MB of address space for an input")
    parser.add_argument("--seeds", type=Path, help="folder of the whole inputs, made if missing")
    parser.add_argument("-o", "--output", type=Path, default=Path("fuzz-results"))
    options = parser.parse_args()
    kinds = chosen(options.kinds.split(","))
    results = Results(options.output, options.seed)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        seeds = (options.seeds or Path(scratch, "seeds")).resolve()
        seeds.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        Seeds(seeds).make({part for kind in kinds for part in KINDS[kind].needs})
        print(f"whole inputs: {time.monotonic() - started:.0f} s", flush=True)
        if options.only is not None:
            planned = iter([(kind, options.only) for kind in kinds])
        else:
            planned = _limited(_plan(kinds, options.seed), options.count, options.seconds)
        started = time.monotonic()
        _run_all(planned, results, seeds, Path(scratch), options.jobs, options.memory)
        seconds = time.monotonic() - started
    print(f"{results.table()}\n{seconds:.0f} s")
    options.output.mkdir(parents=True, exist_ok=True)
    report = json.dumps({"seconds": round(seconds), **results.as_dict()}, indent=1)
    (options.output / "fuzz.json").write_text(report + "\n")
    if results.failed:
        raise SystemExit(f"{len(results.failed)} kinds of failures; see {options.output}")


def _plan(kinds: list[str], seed: int) -> Iterator[tuple[str, int]]:
    """(kind, number) without end: each round holds every kind by its weight, shuffled."""
    rng, number = Random(seed), 0
    while True:
        turn = [kind for kind in kinds for _ in range(KINDS[kind].weight)]
        rng.shuffle(turn)
        for kind in turn:
            yield kind, number
            number += 1


def _limited(
    plan: Iterator[tuple[str, int]], count: int | None, seconds: float
) -> Iterator[tuple[str, int]]:
    if count is not None:
        yield from islice(plan, count)
        return
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield next(plan)


def _run_all(
    planned: Iterator[tuple[str, int]],
    results: Results,
    seeds: Path,
    scratch: Path,
    jobs: int,
    megabytes: int,
) -> None:
    """Work through ``planned`` with ``jobs`` children, each fed by a thread."""
    lock = threading.Lock()

    def feed(worker: Worker) -> None:
        while True:
            with lock:
                item = next(planned, None)
            if item is None:
                break
            results.add(worker.run(*item), worker)
        worker.close()

    workers = [
        Worker(results.seed, seeds, scratch / f"worker{number}", megabytes)
        for number in range(max(1, jobs))
    ]
    shutil.rmtree(results.folder, ignore_errors=True)
    threads = [threading.Thread(target=feed, args=[worker]) for worker in workers]
    for thread in threads:
        thread.start()
    told = time.monotonic()
    while any(thread.is_alive() for thread in threads):
        for thread in threads:
            thread.join(timeout=1.0)
        if time.monotonic() - told > TOLD_EVERY_S:
            told = time.monotonic()
            print(f"{results.runs} inputs, {len(results.failed)} kinds of failures", flush=True)


if __name__ == "__main__":
    main()

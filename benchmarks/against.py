"""Time of ``cospal ground`` (JSON only) against another checkout's, in turns.

    git worktree add ../before COMMIT
    python benchmarks/against.py ../before CLIP "the person in the orange top moves the cups"

Prints a table: a moving scene (the clip), and a static one: its first frame with a camera's noise,
as long and as fast as the clip. Each by the clock and by processor time, which other work on the
machine disturbs less; medians, and the ratio of the least times. Both checkouts run from compiled
modules, as an installation does. ``--scene`` measures one scene alone.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

HERE = Path(__file__).parent.parent
SCENES = ("moving", "static")


class Spent(NamedTuple):
    """Seconds of one process: by the clock, of the processors in the program and altogether."""

    clock: float
    user: float
    processor: float


def spent(checkout: Path, video: Path, query: str, extra: list[str], folder: Path) -> Spent:
    """By one process of the command, from the code in ``checkout``, compiled under ``folder``."""
    out = str(folder / checkout.resolve().name)
    words = ["ground", str(video), query, "--quiet", "--no-video", "--overwrite", "-o", out, *extra]
    environment = os.environ | {
        "PYTHONPATH": str(checkout.resolve()),
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    used, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "cospal_cli", *words], check=True, env=environment, cwd=folder
    )
    clock, now = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    user = now.ru_utime - used.ru_utime
    return Spent(clock, user, user + now.ru_stime - used.ru_stime)


def still_life(video: Path, target: Path) -> Path:
    """The first frame of ``video`` over and over, with noise of three levels of brightness."""
    import av

    with av.open(str(video)) as source, av.open(str(target), "w") as sink:
        frames = source.streams.video[0].frames or 300
        rate = Fraction(source.streams.video[0].average_rate or 30)
        first = next(source.decode(video=0)).to_ndarray(format="rgb24").astype(np.int16)
        stream = sink.add_stream("libx264", rate=rate)
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = "yuv420p"
        rng = np.random.default_rng(0)
        noise = rng.normal(0, 3, (8, *first.shape)).astype(np.int16)
        for number in range(frames):
            noisy = np.clip(first + noise[number % 8], 0, 255).astype(np.uint8)
            sink.mux(stream.encode(av.VideoFrame.from_ndarray(noisy, format="rgb24")))
        sink.mux(stream.encode())
    return target


def compared(
    before: Path, video: Path, query: str, extra: list[str], rounds: int, folder: Path
) -> list[str]:
    """The cells of a row for each measure; the two checkouts take turns, after a run of each."""
    sides = {before: [], HERE: extra}
    for checkout, words in sides.items():
        spent(checkout, video, query, words, folder)
    times = {
        number: [spent(checkout, video, query, words, folder) for checkout, words in sides.items()]
        for number in range(rounds)
    }
    rows = []
    for measure in Spent._fields:
        old, new = ([getattr(pair[side], measure) for pair in times.values()] for side in (0, 1))
        middle, least = statistics.median(new) / statistics.median(old), min(new) / min(old)
        old_s, new_s = statistics.median(old), statistics.median(new)
        rows.append(f"{measure} | {old_s:.2f} | {new_s:.2f} | {middle:.2f} | {least:.2f}")
    return rows


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path, help="the other checkout")
    parser.add_argument("video", type=Path)
    parser.add_argument("query")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scene", choices=SCENES, action="append", default=[])
    parser.add_argument("--set", dest="sets", action="append", default=[], help="for this checkout")
    asked = parser.parse_args()
    extra = [word for one in asked.sets for word in ("--set", one)]
    print(f"{len(os.sched_getaffinity(0))} processors, {asked.rounds} rounds")
    print("| scene | seconds | before | now | ratio of medians | of the least |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for scene in asked.scene or SCENES:
            video = asked.video.resolve()
            if scene == "static":
                video = still_life(video, folder / "still.mp4")
            for row in compared(asked.before, video, asked.query, extra, asked.rounds, folder):
                print(f"| {scene} | {row} |", flush=True)


if __name__ == "__main__":
    main()

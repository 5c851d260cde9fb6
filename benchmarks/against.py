"""Time of ``cospal ground`` (JSON only) against another checkout's, in turns.

    git worktree add ../before COMMIT
    python benchmarks/against.py ../before CLIP "the person in the orange top moves the cups"

``--static`` films the clip's first frame instead: the same picture with a camera's noise, as long
and as fast as the clip. ``--processor`` counts processor time, which other work on the machine
disturbs less than it does the clock. Prints one JSON object; the ratio is of medians.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent.parent


def seconds(checkout: Path, video: Path, query: str, extra: list[str], processor: bool) -> float:
    """Of one process of the command, from the code in ``checkout``."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["ground", str(video), query, "--quiet", "--no-video", "-o", folder, *extra]
        environment = os.environ | {"PYTHONPATH": str(checkout.resolve())}
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "cospal_cli", *words], check=True, env=environment, cwd=folder
        )
        spent = time.perf_counter() - start
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return worked if processor else spent


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


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path, help="the other checkout")
    parser.add_argument("video", type=Path)
    parser.add_argument("query")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--static", action="store_true")
    parser.add_argument("--processor", action="store_true")
    parser.add_argument("--set", dest="sets", action="append", default=[], help="for this checkout")
    arguments = parser.parse_args()
    extra = [word for one in arguments.sets for word in ("--set", one)]
    with tempfile.TemporaryDirectory() as folder:
        video = arguments.video.resolve()
        if arguments.static:
            video = still_life(video, Path(folder) / "still.mp4")
        times: dict[str, list[float]] = {"before": [], "now": []}
        for _ in range(arguments.rounds):
            for name, checkout, words in (("before", arguments.before, []), ("now", HERE, extra)):
                spent = seconds(checkout, video, arguments.query, words, arguments.processor)
                times[name].append(spent)
    medians = {f"{name}_s": statistics.median(spent) for name, spent in times.items()}
    least = {f"{name}_least_s": min(spent) for name, spent in times.items()}
    ratios = {
        "ratio": medians["now_s"] / medians["before_s"],
        "ratio_of_least": least["now_least_s"] / least["before_least_s"],
        "cpus": len(os.sched_getaffinity(0)),
    }
    print(json.dumps({k: round(v, 3) for k, v in (medians | least | ratios).items()}, indent=1))


if __name__ == "__main__":
    main()

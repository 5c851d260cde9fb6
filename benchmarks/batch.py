"""Many short clips by one ``cospal ground``, by a shell loop and by ``xargs -P``.

    python -m benchmarks.batch [--clips 40] [--seconds 4] [--source examples/bikes.mp4]

The clips are cut from ``--source`` at as many places and made 768×432. The three take turns over
the same clips, each writing JSON and MP4; what is compared is their time within this run, and the
processor time that they and all their children took, which other work on the machine changes less.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av

from cospal_cli.devices import processors

ROOT = Path(__file__).parent.parent
SENTENCE = "the cyclist with the helmet"
SIZE = (768, 432)


def cut(source: Path, folder: Path, clips: int, seconds: float) -> None:
    """Write ``clips`` parts of ``source`` of so many seconds, spread over its length."""
    with av.open(str(source)) as container:
        rate = container.streams.video[0].average_rate or 25
        frames = [frame.reformat(*SIZE, format="yuv420p") for frame in container.decode(video=0)]
    length = min(len(frames), round(seconds * float(rate)))
    for number in range(clips):
        first = round(number * (len(frames) - length) / max(clips - 1, 1))
        with av.open(str(folder / f"clip_{number:03d}.mp4"), "w") as out:
            stream = out.add_stream("libx264", rate=rate, options={"preset": "veryfast"})
            stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
            for at, frame in enumerate(frames[first : first + length]):
                frame.pts, frame.time_base = at, 1 / rate
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))


def timed(command: list[str]) -> tuple[float, float]:
    """Seconds, and processor seconds of the command and all its children."""
    before, began = os.times(), time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds, after = time.monotonic() - began, os.times()
    spent = after.children_user + after.children_system
    return seconds, spent - before.children_user - before.children_system


def commands(cospal: str, clips: Path, out: Path) -> dict[str, list[str]]:
    """The three ways."""
    sentence, one = shlex.quote(SENTENCE), f"{cospal} ground"
    quoted = shlex.quote(str(clips))
    loop = f'for clip in {quoted}/*.mp4; do {one} "$clip" {sentence} -o {out}/loop/; done'
    count = processors()
    each = f"{one} {{}} {sentence} -o {out}/xargs/"
    xargs = f"printf '%s\\0' {quoted}/*.mp4 | xargs -0 -P {count} -I {{}} {each}"
    return {
        "shell loop": ["sh", "-c", loop],
        f"xargs -P {count}": ["sh", "-c", xargs],
        "cospal ground clips/": [*shlex.split(one), str(clips), SENTENCE, "-o", f"{out}/batch"],
    }


def measure(
    clips: Path, folder: Path, rounds: int, time_one: Callable[[list[str]], tuple[float, float]]
) -> list[dict[str, tuple[float, float]]]:
    """Each round's times by the name of the way, every other round in reverse order."""
    cospal = shlex.join([sys.executable, "-m", "cospal_cli"])
    every = []
    for number in range(rounds):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        ways = commands(cospal, clips, folder)
        order = list(ways) if number % 2 == 0 else list(ways)[::-1]
        every.append({name: time_one(ways[name]) for name in order})
        print(json.dumps(every[-1]), file=sys.stderr, flush=True)
    return every


def report(rounds: list[dict[str, tuple[float, float]]]) -> str:
    """A table: seconds of all rounds together, and how many times the batch is faster."""
    names = list(rounds[0])
    sums = {name: [sum(one[name][at] for one in rounds) for at in (0, 1)] for name in names}
    base = sums[next(name for name in names if name.startswith("cospal"))]
    lines = ["| way | seconds | × | processor seconds | × |", "|---|---|---|---|---|"]
    for name, (wall, spent) in sums.items():
        ratios = wall / base[0], spent / base[1]
        lines.append(f"| {name} | {wall:.1f} | {ratios[0]:.2f} | {spent:.1f} | {ratios[1]:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Cut, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--source", type=Path, default=ROOT / "examples" / "bikes.mp4")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        clips = Path(name) / "clips"
        clips.mkdir()
        cut(asked.source, clips, asked.clips, asked.seconds)
        print(report(measure(clips, Path(name) / "out", asked.rounds, timed)))


if __name__ == "__main__":
    main()

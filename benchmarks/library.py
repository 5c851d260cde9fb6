"""A library's figures: a second question, search over many videos, sizes, kills, the right clip.

    python -m benchmarks.library questions FOLDER          a second question, from the shell
    python -m benchmarks.library search FOLDER --count 1000 search over videos made from FOLDER's
    python -m benchmarks.library right FOLDER/groundtruth.json   is the right clip first?
    python -m benchmarks.library kill FOLDER --kills 30    kill -9 in the middle, then again

``search`` makes its videos from the observations of real clips, cut at random places and shifted
sideways; above ``--files`` of them several share a file. Times are medians; "cold" is after the
library's files were dropped from the page cache.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cospal_cli import Library
from cospal_cli.core.errors import InputError
from cospal_cli.core.observation import FrameSpan, Observation
from cospal_cli.evaluation.clips import read_clips
from cospal_cli.library.keys import ObservationKey
from cospal_cli.library.store import Store
from cospal_cli.library.stored import StoredObservation

COSPAL = [sys.executable, "-m", "cospal_cli"]
SENTENCES = (
    "the woman in white", "the man in red walks to the left", "the dog runs",
    "the person with a hat", "the white car drives away", "the man on the left",
)  # fmt: skip


def clips(folder: Path) -> list[Path]:
    """The videos in ``folder``."""
    return sorted(folder.glob("*.mp4"))


def indexed(folder: Path, place: Path) -> Library:
    """A library of the videos in ``folder``; itself, if it is one."""
    if (folder / "library.json").exists():
        return Library(folder)
    library = Library(place)
    library.index(clips(folder), None)
    return library


def timed(work: Callable[[], object], runs: int) -> list[float]:
    """Seconds of each run, by the clock."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return times


def shell(*arguments: str) -> tuple[float, float, float]:
    """Seconds by the clock, of the processor, and MB at the most, of one command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    script = (
        "import sys; from cospal_cli.cli import run; code = run(sys.argv[1:]);"
        "most = open('/proc/self/status').read().split('VmHWM:')[1].split()[0];"
        "print(most, file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    clock = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return clock, used, int(done.stderr.split()[-1]) / 1000


def show(what: str, rows: Sequence[tuple[float, ...]], unit: str = "s") -> None:
    """Medians and least of several runs."""
    columns = list(zip(*rows, strict=True))
    names = ("clock", "processor", "MB")
    parts = [
        f"{name} median {statistics.median(column):.3f} least {min(column):.3f}"
        for name, column in zip(names, columns, strict=False)
    ]
    print(f"{what}: {'; '.join(parts)} ({unit}, {len(rows)} runs)", flush=True)


def questions(folder: Path, runs: int) -> None:
    """A second question about an indexed video."""
    with tempfile.TemporaryDirectory() as place:
        library = Library(place)
        video = clips(folder)[0]
        library.index([video])
        arguments = ["ground", str(video), SENTENCES[0], "--library", place, "--json", "--quiet"]
        show("a question from the shell", [shell(*arguments) for _ in range(runs)])
        show("cospal --help", [shell("--help") for _ in range(runs)])
        library.ground(video, SENTENCES[1])
        for sentence in SENTENCES:
            times = timed(lambda said=sentence: library.ground(video, said), runs)
            show(f"in Python, {sentence!r}", [(1000 * one,) for one in times], "ms")


def made(store: Store, source: Library, count: int, files: int) -> None:
    """``count`` videos in ``store``, from those of ``source``."""
    rng = random.Random(0)
    every = [StoredObservation(source.store.path(one.file)) for one in source.entries()]
    seen = [(file, file.observation()) for file in every]
    entries = []
    for number in range(count):
        if number >= files:  # shares a file; its numbers are its own
            first = entries[number % files]
            name = ObservationKey(f"/made/{number}.mp4", 1, 1, {}, "").name
            os.link(store.path(first.file), store.path(name))
            rows = first.read_numbers().rows.astype(np.float32)
            rows *= np.random.default_rng(number).uniform(0.95, 1.05, rows.shape)
            numbers = rows.astype(np.float16).tobytes()
            entries.append(replace(first, file=name, path=f"/made/{number}.mp4", numbers=numbers))
            continue
        file, observation = rng.choice(seen)
        part = shifted(observation, rng)
        key = ObservationKey(f"/made/{number}.mp4", 1, 1, file.key.recipe, "")
        entries.append(store.write(key, part, file.config(source.config), file.extras))
    store.catalogue.put(entries)


def shifted(seen: Observation, rng: random.Random) -> Observation:
    """A random part of at least half its time, moved sideways."""
    count = len(seen.timeline.indices)
    first = rng.randrange(max(count // 2, 1))
    last = rng.randrange(first + count // 2, count + 1)
    try:
        part = seen.within(FrameSpan(first, last))
    except InputError:
        part = seen
    by = rng.uniform(-0.2, 0.2) * seen.info.width
    tubelets = []
    for one in part.tubelets:
        boxes = one.boxes_xyxy.copy()
        boxes[:, ::2] = np.clip(boxes[:, ::2] + by, 0, seen.info.width)
        boxes[:, 2] = np.maximum(boxes[:, 2], boxes[:, 0] + 1)
        tubelets.append(replace(one, boxes_xyxy=boxes))
    return replace(part, tubelets=tuple(tubelets))


def search(folder: Path, count: int, files: int, runs: int) -> None:
    """Search over ``count`` videos."""
    with tempfile.TemporaryDirectory() as place:
        source = indexed(folder, Path(place) / "source")
        sizes = [one.stored_bytes / one.duration_s * 60 / 1e6 for one in source.entries()]
        print(f"MB a minute: median {statistics.median(sizes):.2f}, most {max(sizes):.2f}")
        lib = Path(place) / "lib"
        store = Store.open(lib, create=True)
        began = time.perf_counter()
        made(store, source, count, min(files, count))
        print(f"{count} videos made in {time.perf_counter() - began:.0f} s")
        arguments = ["search", SENTENCES[0], "--library", str(lib), "--json", "--quiet"]
        show("from the shell, warm", [shell(*arguments) for _ in range(runs)])
        cold = []
        for _ in range(max(2, runs // 2)):
            dropped(lib)
            cold.append(shell(*arguments))
        show("from the shell, files cold", cold)
        library = Library(lib)
        first = timed(lambda: library.search(SENTENCES[0]), 1)
        show("in Python, first", [(1000 * one,) for one in first], "ms")
        for sentence in SENTENCES:
            times = timed(lambda said=sentence: library.search(said), runs)
            show(f"in Python, {sentence!r}", [(1000 * one,) for one in times], "ms")


def dropped(folder: Path) -> None:
    """Ask the system to forget the pages of every file in ``folder``."""
    for path in folder.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            os.fsync(handle)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def right(truth: Path, library: Path | None) -> None:
    """How often the annotated clip is found first by its own sentence."""
    queries = read_clips(truth)
    with tempfile.TemporaryDirectory() as place:
        lib = Library(library or place)
        lib.index(dict.fromkeys(one.video for one in queries), None)
        ranks = []
        for query in queries:
            order = [hit.video for hit in lib.search(query.text)]
            wanted = os.path.abspath(query.video)
            ranks.append(order.index(wanted) + 1 if wanted in order else 99)
            print(f"{ranks[-1]:3d} {Path(query.video).name:14s} {query.text}", flush=True)
    for most in (1, 3, 5):
        share = sum(rank <= most for rank in ranks) / len(ranks)
        print(f"R@{most} {share:.3f} of {len(ranks)}")


def kill(folder: Path, kills: int, seed: int) -> None:
    """Kill an index at random moments, run it again, and compare with one that was not killed."""
    rng = random.Random(seed)
    videos = [str(video) for video in clips(folder)]
    with tempfile.TemporaryDirectory() as place:
        whole, lib = str(Path(place) / "whole"), str(Path(place) / "killed")
        index = [*COSPAL, "index", *videos, "--json", "--workers", "1", "--library"]
        began = time.perf_counter()
        subprocess.run([*index, whole], check=True, capture_output=True)
        length = time.perf_counter() - began
        done = again = 0
        for number in range(kills):
            if number % 5 == 0:
                shutil.rmtree(lib, ignore_errors=True)
                done = 0
            process = subprocess.Popen(
                [*index, lib], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            time.sleep(rng.uniform(0, length * 0.6))
            process.send_signal(signal.SIGKILL)
            process.wait()
            now = len(list(Path(lib).glob("videos/*.safetensors")))
            again += now < done  # something that was there is gone
            done = now
            if number % 5 == 4:
                out = subprocess.run([*index, lib], check=True, capture_output=True).stdout
                report = json.loads(out)
                again += report["added"] != len(videos) - done
                print(f"{number + 1} kills: {done} there, {report['added']} added", flush=True)
                compare(Path(whole), Path(lib))
        print(f"{kills} kills: {again} videos done twice")


def compare(one: Path, other: Path) -> None:
    """RuntimeError unless both libraries hold the same, byte for byte."""
    files = [{p.name: p.read_bytes() for p in (x / "videos").glob("*.saf*")} for x in (one, other)]
    if files[0] != files[1]:
        raise RuntimeError("the files differ")
    if Library(one).store.catalogue.entries(True) != Library(other).store.catalogue.entries(True):
        raise RuntimeError("the catalogues differ")
    if problems := Library(other).verify():
        raise RuntimeError(f"{problems}")
    left = [p.name for p in other.rglob(".cospal*") if not p.name.endswith(".lock")]
    if left:
        raise RuntimeError(f"left over: {left}")


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("questions", "search", "right", "kill"))
    parser.add_argument("place", type=Path)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--library", type=Path, help="one that holds the clips of 'right'")
    parser.add_argument("--seed", type=int, default=0)
    own = parser.parse_args()
    if own.what == "questions":
        questions(own.place, own.runs)
    elif own.what == "search":
        search(own.place, own.count, own.files, own.runs)
    elif own.what == "right":
        right(own.place, own.library)
    else:
        kill(own.place, own.kills, own.seed)


if __name__ == "__main__":
    main()

"""Speed and memory of ``ground``, each as a ratio measured in one run.

    python benchmarks/ground_speed.py VIDEO "the person in the orange top" [--rounds 5]

Prints one JSON object: the first pass and its answer against the clip's length and against the
detector's forward passes alone (same frames, batches and threads); a second query against the
first; the whole command with and without the MP4; peak memory, and its growth from a one-minute to
a ten-minute loop of the video. Rounds alternate, so that a drift of the machine meets all alike;
the figures are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from cospal_cli.core.frames import FrameBatch
from cospal_cli.detect.nanodet import NanoDet
from cospal_cli.devices import processors
from cospal_cli.features.box_colours import box_colours
from cospal_cli.features.crops import CropKeeper
from cospal_cli.grounder import Grounder
from cospal_cli.language.parser.parse import parse
from cospal_cli.settings import Config, DetectorConfig
from cospal_cli.track import open_tracker
from cospal_cli.video.reader import VideoReader

# A small process of its own: a child's peak counts the memory of the process that it forked from.
_TIMED = """
import resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], check=True)
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def command(video: Path, query: str, *flags: str) -> tuple[float, float]:
    """Wall seconds and peak MB of one ``cospal ground`` process."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "cospal_cli", "ground", str(video), query, "--quiet"]
        output = subprocess.check_output(
            [sys.executable, "-c", _TIMED, *words, "-o", folder, *flags]
        )
        wall, peak_kb = output.split()[-2:]
        return float(wall), float(peak_kb) / 1024


def looped(video: Path, target: Path, length_s: float) -> Path:
    """``video`` repeated up to ``length_s`` without re-encoding."""
    import av

    with av.open(str(video)) as source, av.open(str(target), "w") as sink:
        stream = source.streams.video[0]
        copy = sink.add_stream_from_template(stream)
        packets = [p for p in source.demux(stream) if p.dts is not None]
        step = max((p.pts or 0) + (p.duration or 1) for p in packets)
        step -= min(p.pts or 0 for p in packets)
        time_base = stream.time_base or 1
        for turn in range(int(length_s / float(step * time_base)) + 1):
            source.seek(0)
            for packet in source.demux(stream):
                if packet.dts is None or packet.pts is None:
                    continue
                packet.pts += turn * step
                packet.dts += turn * step
                packet.stream = copy
                sink.mux(packet)
    return target


def steps(batches: list[FrameBatch], detector: NanoDet, config: Config) -> dict[str, float]:
    """Milliseconds per sampled frame of each step of the first pass, one after the other."""
    spent: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        made = work()
        spent[name] = spent.get(name, 0.0) + time.perf_counter() - start
        return made

    size = batches[0].size
    tracker, crops = open_tracker(config.tracker, size, detector.classes), CropKeeper()
    for batch in batches:
        pixels = timed("prepare", partial(detector.prepare, batch))
        outputs = timed("forward", partial(detector.run, pixels))
        found = timed("decode", partial(detector.decode, outputs, batch))
        for image, at, boxes in zip(batch.images, batch.times_s.tolist(), found, strict=True):
            seen = timed("looks", partial(box_colours, image, boxes.boxes_xyxy, size))
            ids = timed("track", partial(tracker.update, boxes, at, seen, image))
            timed("crops", partial(crops.update, image, boxes.boxes_xyxy, size, ids, at))
    frames = sum(map(len, batches))
    return {f"{name}_ms_a_frame": 1000 * total / frames for name, total in spent.items()}


def measure(video: Path, text: str, rounds: int, threads: int) -> dict[str, float]:
    """The ratios that need one process: pipeline, forward passes, second query."""
    config = Config(detector=DetectorConfig(threads=threads))
    detector = NanoDet(config.detector)
    start = time.perf_counter()
    with VideoReader(video, config.video) as reader:
        batches: list[FrameBatch] = list(reader.batches(detector.batch))
        length = reader.timeline.end_s
    read_s = time.perf_counter() - start
    widest = NanoDet(replace(config.detector, threads=processors()))
    inputs = [detector.prepare(batch) for batch in batches]
    query, other = parse(text), parse("the smallest thing on the left")
    times: dict[str, list[float]] = {"forward": [], "widest": [], "pipeline": [], "second": []}
    for _ in range(rounds):
        times["forward"].append(seconds(lambda: [detector.run(i) for i in inputs]))
        times["widest"].append(seconds(lambda: [widest.run(i) for i in inputs]))
        start = time.perf_counter()
        grounder = Grounder.open(config)
        seen = grounder.observe(video)
        grounder.answer(seen, query)
        times["pipeline"].append(time.perf_counter() - start)
        times["second"].append(seconds(partial(grounder.answer, seen, other)))
    forward, wide, pipeline, second = (statistics.median(times[name]) for name in times)
    return {
        "clip_s": length,
        "forward_s": forward,
        "forward_all_processors_s": wide,
        "pipeline_s": pipeline,
        "pipeline_over_forward": statistics.median(
            p / f for p, f in zip(times["pipeline"], times["forward"], strict=True)
        ),
        "pipeline_over_clip": pipeline / length,
        "second_query_over_first": second / pipeline,
        "read_ms_a_frame": 1000 * read_s / sum(map(len, batches)),
    } | steps(batches, detector, config)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("query")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--long", action="store_true", help="also one and ten minutes' memory")
    parser.add_argument("--threads", type=int, default=0, help="of the detector, as in cospal")
    arguments = parser.parse_args()
    video, query = arguments.video, arguments.query
    figures = measure(video, query, arguments.rounds, arguments.threads)
    pairs = [
        (command(video, query, "--no-video"), command(video, query))
        for _ in range(arguments.rounds)
    ]
    for name, runs in zip(("json_only", "with_mp4"), zip(*pairs, strict=True), strict=True):
        figures[f"{name}_over_clip"] = statistics.median(s for s, _ in runs) / figures["clip_s"]
        figures[f"{name}_peak_mb"] = max(mb for _, mb in runs)
    if arguments.long:
        with tempfile.TemporaryDirectory() as folder:
            for minutes in (1, 10):
                clip = looped(video, Path(folder) / f"{minutes}.mp4", 60 * minutes)
                figures[f"{minutes}_min_peak_mb"] = command(clip, query, "--no-video")[1]
    figures["cpus"] = len(os.sched_getaffinity(0))
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}, indent=1))


if __name__ == "__main__":
    main()

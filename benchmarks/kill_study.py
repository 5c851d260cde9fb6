"""Runs of ``cospal ground`` killed at random moments, and pairs of runs on one output.

    python -m benchmarks.kill_study [--kills 200] [--pairs 50] [--batch-kills 30] [--seed 0]

Two small made clips of different content and length, each with its own sentence, take turns on one
output, ``result.mp4`` and ``result.json``, mostly with --overwrite. Half of the kills (SIGKILL)
come at any time of a run, half while it holds the output. After every kill and every pair:

- whatever has a final name is whole: the JSON satisfies its schema, the MP4 decodes to its end;
- the MP4 belongs to the JSON: it has as many frames as the JSON's video, shows its colour, and
  the hash in its metadata is that of the JSON's video, query and tubes;
- of a pair, only 0 and 2 are exit codes, 2 names the process of the other run, and what is there is
  the result of a run that ended with 0.

Every fifth run is left to end: after it nothing but the two files may be there.

Then a batch of 30 clips is killed at random moments and run again with --skip-existing until it
ends by itself: its outputs must be those of a run that nobody killed, byte for byte, and what was
done before a kill must not be done again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import jsonschema
import numpy as np

from cospal_cli.outputs import tube_json

FPS, SIZE = 10, (160, 96)
CLIPS = {"a": (30, (220, 40, 40), "the red car"), "b": (44, (40, 60, 220), "the blue car")}
WAIT_S = 300.0


def make_clip(folder: Path, name: str) -> None:
    """A coloured box that drives through the picture, and its detections."""
    frames, colour, _ = CLIPS[name]
    lines = []
    with av.open(str(folder / f"{name}.mp4"), "w") as out:
        stream = out.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for number in range(frames):
            image = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
            x = 5 + 2 * number
            image[30:70, x : x + 50] = colour
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
            box = {"boxes": [[x, 30, x + 50, 70]], "scores": [0.9], "labels": ["car"]}
            lines.append(json.dumps({"frame": number, **box}))
        out.mux(stream.encode(None))
    (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


def start(folder: Path, name: str, *more: str) -> subprocess.Popen[str]:
    """``cospal ground`` on one of the clips, in the background."""
    source = [str(folder / f"{name}.mp4"), CLIPS[name][2]]
    boxes = ["--detections", str(folder / f"{name}.jsonl")]
    command = [sys.executable, "-m", "cospal_cli", "ground", *source, *boxes]
    command += ["-o", str(folder / "out" / "result.mp4"), *more]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code and what it said."""
    _, err = process.communicate(timeout=WAIT_S)
    return process.returncode, err


def faults(out: Path) -> list[str]:
    """What is wrong with the files of final names in ``out``."""
    document, video = out / "result.json", out / "result.mp4"
    found = []
    doc: dict[str, Any] | None = None
    if document.exists():
        try:
            doc = json.loads(document.read_text("utf-8"))
            jsonschema.validate(doc, tube_json.schema())
        except (ValueError, jsonschema.ValidationError) as error:
            return [f"JSON: {error!s:.100}"]
    if video.exists():
        try:
            with av.open(str(video)) as container:
                comment = container.metadata.get("comment", "")
                pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        except (av.error.FFmpegError, IndexError) as error:
            return [f"MP4: {error!s:.100}"]
        if doc is None:
            found.append("an MP4 without a JSON")
        else:
            name = Path(doc["video"]["path"]).stem
            if comment != tube_json.fingerprint(doc):
                found.append("the MP4 shows other tubes than the JSON's")
            if len(pictures) != CLIPS[name][0]:
                found.append(f"the MP4 has {len(pictures)} frames, the video {CLIPS[name][0]}")
            red, _, blue = pictures[0][40:60, 15:45].mean(axis=(0, 1))
            if (red > blue) != (CLIPS[name][1][0] > CLIPS[name][1][2]):
                found.append("the MP4 is of another clip than the JSON")
            if not doc["tubes"]:
                found.append("no tube")
    return found


def shown(out: Path) -> str:
    """The clip that the JSON is of."""
    return Path(json.loads((out / "result.json").read_text("utf-8"))["video"]["path"]).stem


def leftovers(out: Path) -> set[str]:
    """Every name in ``out`` that is no result."""
    return set(os.listdir(out)) - {"result.json", "result.mp4"}


def wait_until(true: Callable[[], bool], process: subprocess.Popen[str]) -> float:
    """Seconds until ``true()``, or until the process has ended."""
    began = time.monotonic()
    while not true() and process.poll() is None:
        time.sleep(0.002)
    return time.monotonic() - began


def usual_times(folder: Path) -> tuple[float, float]:
    """Seconds of a whole run, and for how many of them it holds the output."""
    out = folder / "out"
    process = start(folder, "b", "--overwrite")
    idle = wait_until(lambda: bool(leftovers(out)), process)
    held = wait_until(lambda: False, process)
    return idle + held, held


def kill_runs(folder: Path, kills: int, chance: random.Random) -> Counter[str]:
    """The first part of the study; every count that is not a fault's begins with a capital."""
    out, counts = folder / "out", Counter[str]()
    end(start(folder, "a"))
    whole_s, held_s = usual_times(folder)
    print(
        f"a run takes {whole_s:.2f} s, and holds the output for {held_s:.2f} s of them", flush=True
    )
    while counts["Killed"] < kills:
        process = start(folder, chance.choice("ab"), "--overwrite")
        if chance.random() < 0.5:
            delay_s = chance.uniform(0, whole_s)
        else:
            wait_until(lambda: bool(leftovers(out)), process)
            delay_s = chance.uniform(0, held_s)
        time.sleep(delay_s)
        process.kill()
        code, _ = end(process)
        counts["Killed" if code < 0 else "Ended before they were killed"] += 1
        counts["Kills that left something unfinished"] += bool(leftovers(out))
        for name in ("json", "mp4"):
            counts[f"Kills after which there was no {name.upper()}"] += not (
                out / f"result.{name}"
            ).exists()
        counts.update(faults(out))
        if chance.random() < 0.2:
            name = chance.choice("ab")
            code, err = end(start(folder, name, "--overwrite"))
            counts["Runs in between that were left to end"] += 1
            counts.update(faults(out) if code == 0 else [f"exit {code}: {err[-200:]}"])
            counts["leftovers after a run that ended"] += len(leftovers(out))
            counts["results of another clip"] += shown(out) != name
    return counts


def run_pairs(folder: Path, pairs: int, chance: random.Random) -> Counter[str]:
    """The second part: two runs at once, half of the pairs on an output that is there already."""
    out, counts = folder / "out", Counter[str]()
    for number in range(pairs):
        more = ["--overwrite"] if number % 2 else []
        if not more:
            for path in out.iterdir():
                path.unlink()
        names = chance.sample("ab", 2)
        both = [start(folder, names[0], *more)]
        time.sleep(chance.choice([0.0, chance.uniform(0, 0.5)]))
        both.append(start(folder, names[1], *more))
        results = [end(process) for process in both]
        codes = [code for code, _ in results]
        counts["Pairs"] += 1
        counts[f"Pairs that ended with {sorted(codes)}"] += 1
        for own, (code, err) in enumerate(results):
            if code == 2:
                named = f"process {both[1 - own].pid}" in err
                late = not more and "exists" in err  # the first was ready already
                counts["a second run that does not name the first"] += not (named or late)
            elif code:
                counts[f"exit {code}: {err[-200:]}"] += 1
        counts["pairs without a result"] += 0 not in codes
        counts.update(faults(out))
        right = [name for name, code in zip(names, codes, strict=True) if code == 0]
        counts["results of a run that failed"] += shown(out) not in right
        counts["leftovers after a pair"] += len(leftovers(out))
    return counts


def make_batch(folder: Path, clips: int) -> None:
    """Clips of slightly different length, in two folders."""
    for number in range(clips):
        part = folder / "clips" / ("one" if number % 2 else "two")
        part.mkdir(parents=True, exist_ok=True)
        CLIPS[f"{number}"] = (12 + number % 5, (220, 40 + number, 40), "")
        make_clip(part, f"{number}")
        del CLIPS[f"{number}"]
        (part / f"{number}.jsonl").unlink()


def start_batch(folder: Path, out: str) -> subprocess.Popen[str]:
    """``cospal ground`` on all clips, going on where an earlier run stopped."""
    command = [sys.executable, "-m", "cospal_cli", "ground", "clips", "the red car", "--recursive"]
    command += ["--skip-existing", "--workers", "2", "--quiet", "-o", out]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def outputs(out: Path) -> dict[str, Path]:
    """Every file of a final name, by that name, but for the two records."""
    found = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    hidden = {name for name in found if Path(name).name.startswith(".")}
    return {
        name: path
        for name, path in found.items()
        if name not in hidden and name not in ("results.jsonl", "summary.json")
    }


def done(out: Path) -> dict[str, int]:
    """When each output of a finished job was written: those with a JSON and an MP4."""
    found = outputs(out)
    stems = [name.removesuffix(".json") for name in found if name.endswith(".json")]
    whole = [stem for stem in stems if f"{stem}.mp4" in found]
    return {
        f"{stem}.{kind}": found[f"{stem}.{kind}"].stat().st_mtime_ns
        for stem in whole
        for kind in ("json", "mp4")
    }


def kill_batches(folder: Path, kills: int, chance: random.Random, clips: int = 30) -> Counter[str]:
    """The third part."""
    counts, out = Counter[str](), folder / "killed"
    make_batch(folder, clips)
    began = time.monotonic()
    code, err = end(start_batch(folder, "whole"))
    whole_s = time.monotonic() - began
    counts[f"exit {code}: {err[-200:]}"] += code != 0
    expected = {name: path.read_bytes() for name, path in outputs(folder / "whole").items()}
    print(f"a batch of {clips} takes {whole_s:.1f} s: {len(expected)} outputs", flush=True)
    before: dict[str, int] = {}
    while True:
        process = start_batch(folder, "killed")
        if counts["Batches killed"] < kills:
            wait_until(lambda: False, process) if chance.random() < 0.1 else time.sleep(
                chance.uniform(0, whole_s)
            )
        else:
            wait_until(lambda: False, process)
        process.kill()
        code, err = end(process)
        time.sleep(0.5)  # its workers end by themselves
        now = done(out) if out.exists() else {}
        counts["outputs done twice"] += sum(now.get(name) != at for name, at in before.items())
        before = now
        if code < 0:
            counts["Batches killed"] += 1
            print(f"killed {counts['Batches killed']}: {len(now)} outputs are whole", flush=True)
            continue
        counts[f"exit {code}: {err[-200:]}"] += code != 0
        counts["Batches that ended"] += 1
        found = {name: path.read_bytes() for name, path in outputs(out).items()}
        counts["outputs missing or too many"] += len(found.keys() ^ expected.keys())
        counts["outputs that differ"] += sum(
            found[name] != one for name, one in expected.items() if name in found
        )
        counts["leftovers after a batch"] += sum(
            path.name.startswith(".") for path in out.rglob("*") if path.is_file()
        )
        lines = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
        names = {line["video"] for line in lines}
        counts["wrong lines of results"] += abs(len(lines) - clips) + abs(len(names) - clips)
        if counts["Batches killed"] >= kills:
            return counts
        shutil.rmtree(out)
        before = {}


def main() -> None:
    """All parts; ends with 1 if there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--batch-kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "out").mkdir()
        for clip in CLIPS:
            make_clip(folder, clip)
        counts = kill_runs(folder, asked.kills, chance) if asked.kills else Counter[str]()
        counts += run_pairs(folder, asked.pairs, chance) if asked.pairs else Counter[str]()
        if asked.batch_kills:
            counts += kill_batches(folder, asked.batch_kills, chance)
    wrong = {what: count for what, count in counts.items() if count and not what[0].isupper()}
    for what, count in counts.items():
        if count:
            print(f"{count:6d}  {what}")
    print(f"{sum(wrong.values()):6d}  faults")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()

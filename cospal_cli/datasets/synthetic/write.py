"""The set's files: a video, its detections and its facts at a time, then the splits' annotations.

A video is complete when its facts are there; they are written last, so an interrupted run
continues where it stopped. Everything depends on the recipe and the video's number alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from cospal_cli.core.errors import DeviceError, InputError, UsageError
from cospal_cli.core.files import alone, clear, is_ours, make_folder, write_text
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.progress import Progress, silent
from cospal_cli.core.reading import read_table
from cospal_cli.core.worker_pool import start_worker
from cospal_cli.datasets.synthetic.controls import blind_controls
from cospal_cli.datasets.synthetic.recipe import FILE, Recipe
from cospal_cli.datasets.synthetic.scene import Scene, frames_of
from cospal_cli.datasets.synthetic.video import DETECTIONS, FACTS, VIDEOS, place, write_video

README, CONTROLS = "README.txt", "controls.json"
SPLITS = {False: "train.json", True: "test.json"}


@dataclass(frozen=True)
class SyntheticReport:
    """What a run did. ``sentences`` and ``actors`` are over the whole set."""

    videos: dict[str, int]  # by split
    made: int
    kept: int  # were there before
    frames: int
    megabytes: float  # of the videos
    actors: dict[str, int]  # number of actors -> videos
    actions: dict[str, int]  # number of named actions -> videos
    mean_span: float  # share of the video that the truth spans
    controls: JsonDict  # m_tIoU of segments that see no motion

    def as_dict(self) -> JsonDict:
        """For JSON."""
        return dict(vars(self))


def write_set(
    recipe: Recipe,
    folder: Path,
    videos: int,
    workers: int = 1,
    progress: Progress = silent,
    stopped: Callable[[], bool] = lambda: False,
) -> SyntheticReport | None:
    """Write ``videos`` videos of ``recipe`` to ``folder``, created if needed; None when stopped.

    Videos that are there stay; more can be added by another call. UsageError where the folder
    holds something else, or a set of another recipe.
    """
    _claim(recipe, folder)
    for name in (VIDEOS, DETECTIONS, FACTS):
        (folder / name).mkdir(exist_ok=True)
        clear(folder / name)
    with alone(folder):
        missing = [number for number in range(videos) if not _there(recipe, folder, number)]
        with _workers(min(workers, len(missing))) as run:
            total, done = sum(frames_of(recipe, number) for number in missing), 0
            for frames in run(recipe, folder, missing):
                done += frames
                progress("draw", done, total)
                if stopped():
                    return None
        return _finish(recipe, folder, videos, len(missing))


def _finish(recipe: Recipe, folder: Path, videos: int, made: int) -> SyntheticReport:
    """Write the annotations, the README and the report of the whole set."""
    facts = [_json(place(folder, FACTS, Scene.name_of(recipe, number))) for number in range(videos)]
    for test, name in SPLITS.items():
        rows = {f["video"]: f["record"] for f in facts if f["test"] == test}
        if rows or test is False:
            write_text(folder / name, json.dumps(rows, indent=1) + "\n")
    write_text(folder / README, _READ_ME.format(**recipe.as_dict(), videos=videos))
    report = _report(facts, made, folder)
    write_text(folder / CONTROLS, json.dumps(report.controls, indent=1) + "\n")
    return report


def _claim(recipe: Recipe, folder: Path) -> None:
    """Mark ``folder`` as that of ``recipe``'s set, or check that it is."""
    wanted = recipe.as_dict()
    with errors_as(UsageError, f"cannot write to {str(folder)!r}", "name another folder"):
        make_folder(folder)
        names = [path.name for path in folder.iterdir() if not is_ours(path.name)]
    if FILE not in names:
        if names:
            raise UsageError(
                f"{str(folder)!r} is not empty and does not hold a synthetic set",
                "name another folder",
            )
        write_text(folder / FILE, json.dumps(wanted, indent=1) + "\n")
        return
    present = _json(folder / FILE)
    other = [f"{k} {present.get(k)!r}" for k, v in wanted.items() if present.get(k) != v]
    if other:
        wanted_values = ", ".join(f"{k} {v!r}" for k, v in wanted.items() if present.get(k) != v)
        raise UsageError(
            f"{str(folder)!r} holds a set with {', '.join(other)}, not {wanted_values}",
            "name another folder, or give the same settings to continue",
        )


def _there(recipe: Recipe, folder: Path, number: int) -> bool:
    name = Scene.name_of(recipe, number)
    return all(place(folder, kind, name).is_file() for kind in (VIDEOS, DETECTIONS, FACTS))


def _json(path: Path) -> JsonDict:
    return read_table(path, InputError, "delete it, and run the command again")


Run = Callable[[Recipe, Path, list[int]], Iterator[int]]


@contextmanager
def _workers(count: int) -> Iterator[Run]:
    """A function that writes videos and yields the frames of each as it is ready."""
    if count <= 1:
        yield lambda recipe, folder, numbers: (
            write_video(recipe, folder, number) for number in numbers
        )
        return
    pool = ProcessPoolExecutor(count, get_context("spawn"), start_worker)

    def run(recipe: Recipe, folder: Path, numbers: list[int]) -> Iterator[int]:
        tasks = [pool.submit(write_video, recipe, folder, number) for number in numbers]
        try:
            for task in as_completed(tasks):
                yield task.result()
        except BrokenProcessPool as error:
            raise DeviceError(
                "a worker process died, probably of too little memory",
                "give fewer --workers; finished videos are kept",
            ) from error

    try:
        yield run
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _report(facts: list[JsonDict], made: int, folder: Path) -> SyntheticReport:
    records = [fact["record"] for fact in facts]
    sizes = [(folder / VIDEOS / fact["video"]).stat().st_size for fact in facts]
    tests = sum(fact["test"] for fact in facts)
    return SyntheticReport(
        videos={"train": len(facts) - tests, "test": tests},
        made=made,
        kept=len(facts) - made,
        frames=sum(record["img_num"] for record in records),
        megabytes=round(sum(sizes) / 1e6, 2),
        actors=_counts(len(fact["actors"]) for fact in facts),
        actions=_counts(len(fact["actions"]) for fact in facts),
        mean_span=round(
            sum(len(r["bbox"]) / r["img_num"] for r in records) / max(len(records), 1), 3
        ),
        controls=blind_controls(facts),
    )


def _counts(values: Iterator[int] | Any) -> dict[str, int]:
    every = list(values)
    return {str(value): every.count(value) for value in sorted(set(every))}


_READ_ME = """THIS SET IS SYNTHETIC.

Every picture was drawn by a program (cospal data synthetic), every sentence comes from a grammar,
every box and time is exact. Results on it say whether a method learns at all; they say little about
real video. Say so wherever its numbers appear.

{videos} videos, seed {seed}, {size[0]}x{size[1]} at {fps} frames per second.

train.json, test.json  annotations in the form of HC-STVG v1: [x, y, w, h] boxes of the one meant,
                       one per frame from st_frame (counted from 1); fps added
videos/                one MP4 per record
detections/            what a simulated detector finds in each video, one frame per line: jittered,
                       with misses, confused classes and false boxes; no real detector was run
scenes/                all actors with their clothes and actions, to judge errors; not for training
controls.json          m_tIoU of segments that see no motion: what a model must beat
synthetic.json         the recipe; the same recipe gives the same files
"""

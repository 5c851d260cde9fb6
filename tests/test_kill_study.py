"""The study of killed runs at its smallest: a kill in the middle of writing, and a pair at once."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from benchmarks import kill_study


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    for clip in kill_study.CLIPS:
        kill_study.make_clip(tmp_path, clip)
    return tmp_path


def test_a_run_killed_while_it_writes_leaves_nothing_half(folder: Path) -> None:
    out = folder / "out"
    process = kill_study.start(folder, "a")
    kill_study.wait_until(lambda: any(name.endswith(".part") for name in os.listdir(out)), process)
    time.sleep(0.01)
    process.kill()
    kill_study.end(process)
    assert kill_study.leftovers(out)
    assert not kill_study.faults(out)
    code, err = kill_study.end(kill_study.start(folder, "b", "--overwrite"))
    assert code == 0, err
    assert not kill_study.leftovers(out)
    assert not kill_study.faults(out)
    assert kill_study.shown(out) == "b"


def test_a_pair_on_one_output(folder: Path) -> None:
    counts = kill_study.run_pairs(folder, 1, random.Random(0))
    assert counts["Pairs that ended with [0, 2]"] == 1
    assert not {what for what, count in counts.items() if count and not what[0].isupper()}


def test_a_batch_that_is_killed_goes_on(tmp_path: Path) -> None:
    counts = kill_study.kill_batches(tmp_path, 2, random.Random(1), clips=3)
    assert counts["Batches killed"] == 2
    assert counts["Batches that ended"] >= 1
    assert not {what for what, count in counts.items() if count and not what[0].isupper()}


def test_the_study_sees_what_it_looks_for(folder: Path) -> None:
    """Files of two runs, and a file cut short, do not pass."""
    out = folder / "out"
    for name in ("a", "b"):
        assert kill_study.end(kill_study.start(folder, name, "--overwrite"))[0] == 0
        (folder / f"{name}.video").write_bytes((out / "result.mp4").read_bytes())
    video = folder / "a.video"
    (out / "result.mp4").write_bytes(video.read_bytes())
    assert len(kill_study.faults(out)) == 3  # its hash, its length, its colour
    (out / "result.mp4").write_bytes((folder / "b.video").read_bytes()[:-2000])
    assert kill_study.faults(out)
    (out / "result.json").write_text((out / "result.json").read_text()[:-10])
    assert kill_study.faults(out)[0].startswith("JSON: ")

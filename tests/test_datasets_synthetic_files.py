"""The synthetic set on disk: read again, the same bytes, resumed, guarded; and the command."""

from __future__ import annotations

import filecmp
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner

from cospal_cli import datasets
from cospal_cli.commands.data_synthetic import synthetic
from cospal_cli.core.errors import CospalError, UsageError
from cospal_cli.core.files import alone
from cospal_cli.datasets.synthetic import render, simulate
from cospal_cli.datasets.synthetic.recipe import Recipe
from cospal_cli.datasets.synthetic.scene import Scene, compose
from cospal_cli.datasets.synthetic.write import write_set
from cospal_cli.detect.from_file import FromFile
from cospal_cli.settings import DetectorConfig, FileConfig

SMALL = Recipe(seed=5, size=(160, 96), fps=6, seconds=(4, 8), actors=(2, 6), test=0.34)
VIDEOS = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small set on disk."""
    target = tmp_path_factory.mktemp("synthetic") / "set"
    report = write_set(SMALL, target, VIDEOS)
    assert report is not None
    assert (report.made, report.kept) == (VIDEOS, 0)
    return target


def test_the_reader_of_hc_stvg_reads_the_set(folder: Path) -> None:
    seen = 0
    for split in ("train", "test"):
        data = datasets.read(folder, split, truth=True)
        assert data.problems == ()
        assert data.format == "hcstvg"
        for record in data.records:
            scene = compose(SMALL, int(record.video.name.split("_")[0]))
            truth = data.truths[record.id]
            assert record.text == scene.sentence
            assert truth.span == scene.span
            assert truth.fps == SMALL.fps
            expected = scene.boxes()[slice(*scene.span)]
            np.testing.assert_allclose(truth.track.boxes_xyxy, expected, atol=0.11)
            with av.open(str(record.video)) as container:
                assert sum(1 for _ in container.decode(video=0)) == scene.frames
            seen += 1
    assert seen == VIDEOS


def test_videos_show_what_was_rendered(folder: Path) -> None:
    scene = compose(SMALL, 1)
    with av.open(str(folder / "videos" / f"{scene.name}.mp4")) as container:
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    for image, drawn in zip(shown, render.frames(scene), strict=True):
        assert np.abs(image.astype(int) - drawn).mean() < 12


def test_the_detections_are_read_by_the_file_detector(folder: Path) -> None:
    scene = compose(SMALL, 0)
    path = folder / "detections" / f"{scene.name}.jsonl"
    detector = FromFile(DetectorConfig(name="file", file=FileConfig(str(path)), threshold=0.0))
    assert set(detector.classes) <= set(simulate.CLASSES)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == scene.frames
    expected = simulate.detections(scene)[3]
    np.testing.assert_allclose(lines[3]["boxes"], expected.boxes_xyxy, atol=0.01)


def test_everything_says_that_it_is_synthetic(folder: Path) -> None:
    assert "THIS SET IS SYNTHETIC" in (folder / "README.txt").read_text()
    for path in (folder / "scenes").iterdir():
        assert json.loads(path.read_text())["synthetic"] is True


def same(a: Path, b: Path) -> bool:
    """Whether two folders hold the same files with the same bytes."""
    names = sorted(p.relative_to(a) for p in a.rglob("*") if p.is_file())
    assert names == sorted(p.relative_to(b) for p in b.rglob("*") if p.is_file())
    return all(filecmp.cmp(a / name, b / name, shallow=False) for name in names)


def test_workers_change_nothing(folder: Path, tmp_path: Path) -> None:
    write_set(SMALL, tmp_path / "again", VIDEOS, workers=2)
    assert same(folder, tmp_path / "again")


def test_a_run_that_was_stopped_goes_on(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "set"
    told: list[tuple[float, float | None]] = []
    stopped = write_set(
        SMALL, target, VIDEOS, 1, lambda stage, done, of: told.append((done, of)), lambda: True
    )
    assert stopped is None
    frames = [compose(SMALL, number).frames for number in range(VIDEOS)]
    assert told == [(frames[0], sum(frames))]
    assert not (target / "train.json").exists()
    (target / "detections" / f"{Scene.name_of(SMALL, 1)}.jsonl").write_text("")  # facts are missing
    report = write_set(SMALL, target, VIDEOS)
    assert report is not None
    assert (report.made, report.kept) == (VIDEOS - 1, 1)
    assert same(folder, target)


def test_more_videos_leave_the_others_and_their_splits_alone(folder: Path, tmp_path: Path) -> None:
    write_set(SMALL, tmp_path, 2)
    fewer = {name: json.loads((tmp_path / name).read_text()) for name in ("train.json",)}
    write_set(SMALL, tmp_path, VIDEOS)
    assert same(folder, tmp_path)
    assert fewer["train.json"].items() <= json.loads((tmp_path / "train.json").read_text()).items()


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_a_killed_run_leaves_whole_files_and_no_workers(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; import sys\n"
        "from cospal_cli.datasets.synthetic.recipe import Recipe\n"
        "from cospal_cli.datasets.synthetic.write import write_set\n"
        f"write_set(Recipe(**{vars(SMALL)!r}), Path(sys.argv[1]), 200, workers=2)\n"
    )
    target = tmp_path / "set"
    process = subprocess.Popen([sys.executable, "-c", code, str(target)], stderr=subprocess.DEVNULL)
    workers: list[Path] = []
    try:
        assert _soon(lambda: len(list(target.glob("scenes/*.json"))) >= 2)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        workers = [Path(f"/proc/{pid}") for pid in children]
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert len(workers) >= 2
    assert _soon(lambda: not any(_alive(worker) for worker in workers))
    for path in target.glob("scenes/*.json"):
        with av.open(str(target / "videos" / json.loads(path.read_text())["video"])) as container:
            assert container.streams.video[0].frames > 0
    report = write_set(SMALL, target, VIDEOS)
    assert report is not None
    assert report.kept >= 1


def _soon(true: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether ``true()`` holds before long."""
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def _alive(process: Path) -> bool:
    """Whether a process of /proc runs, and is no zombie that nobody collects."""
    try:
        return process.joinpath("stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_folders_that_hold_something_else_are_refused(folder: Path, tmp_path: Path) -> None:
    before = sorted(folder.rglob("*"))
    with pytest.raises(UsageError, match=r"seed 5, not seed 6"):
        write_set(replace(SMALL, seed=6), folder, VIDEOS)
    assert sorted(folder.rglob("*")) == before
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        write_set(SMALL, tmp_path, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    write_set(SMALL, tmp_path, 1)
    with alone(tmp_path), pytest.raises(UsageError, match="another process"):
        write_set(SMALL, tmp_path, 2)


# --- the command


def test_the_command_makes_a_set_and_says_so(tmp_path: Path) -> None:
    arguments = "--videos 2 --seed 5 --size 160x96 --fps 6 --seconds 4..6 --test 0.5 --workers 1"
    target = tmp_path / "set"
    result = CliRunner().invoke(synthetic, [str(target), *arguments.split(), "--json"], obj={})
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["videos"] == {"train": 1, "test": 1}
    again = CliRunner().invoke(synthetic, [str(target), *arguments.split()], obj={})
    assert "synthetic, 1 train, 1 test videos (0 generated, 2 kept)" in again.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["--size", "160"],
        ["--size", "161x96"],
        ["--size", "2000x100"],
        ["--seconds", "9..4"],
        ["--seconds", "many"],
        ["--seconds", "nan"],
        ["--test", "3/2"],
        ["--test", "1/0"],
        ["--fps", "1"],
    ],
    ids=" ".join,
)
def test_the_command_refuses_what_cannot_be_made(arguments: list[str], tmp_path: Path) -> None:
    target = tmp_path / "set"
    result = CliRunner().invoke(synthetic, [str(target), "--videos", "1", *arguments], obj={})
    assert isinstance(result.exception, CospalError)
    assert result.exception.exit_code == 2
    assert not target.exists()

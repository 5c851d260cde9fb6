"""Who works on many videos: the same results from every engine, whatever dies meanwhile."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from cospal_cli.commands.ground_job import BatchPlan, JobDone, PlacedJob, process
from cospal_cli.commands.output_paths import paths_in
from cospal_cli.core.worker_pool import DIED, Failure
from cospal_cli.devices import processors
from cospal_cli.library.engines import JobEngine, open_engine
from cospal_cli.library.jobs import BatchJob, BatchQuery
from cospal_cli.settings import Config, override
from tests import contracts, media


def engine(name: str, workers: int = 2) -> JobEngine:
    settings = {"engine.name": name, "engine.workers": workers, "engine.ray.address": "local"}
    return open_engine(override(None, settings))


@pytest.mark.parametrize("name", ["serial", "processes"])
def test_the_engines_keep_the_contract(name: str) -> None:
    contracts.check_engine(engine(name))


def test_auto_is_processes_for_several_workers_and_jobs() -> None:
    def kind(workers: int, jobs: int | None = None) -> str:
        config = override(None, {"engine.workers": workers})
        return type(open_engine(config, jobs)).__name__

    assert (kind(1), kind(3), kind(3, 1)) == ("Serial", "Processes", "Serial")
    assert open_engine(override(None, {"engine.workers": 7}), 3).workers == 3


def share(job: int) -> int:
    return processors()


def test_processes_share_the_processors() -> None:
    count = processors()
    found = {result for _, result in engine("processes", 2).run([1, 2], share)}
    assert found == {max(1, count // 2)}
    assert processors() == count


def killed_once(job: int, marks: Path, times: int = 1) -> int:
    """Every third job kills its process as often as there are no marks of that."""
    if job % 3 == 0:
        for number in range(times):
            mark = marks / f"{job}.{number}"
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
    return 2 * job


def test_a_worker_that_is_killed_costs_nothing(tmp_path: Path) -> None:
    found = dict(engine("processes").run(range(7), partial(killed_once, marks=tmp_path)))
    assert found == {job: 2 * job for job in range(7)}


def test_a_job_that_kills_every_worker_fails_alone(tmp_path: Path) -> None:
    work = partial(killed_once, marks=tmp_path, times=9)
    found = dict(engine("processes").run(range(4), work))
    assert found == {0: Failure(DIED), 1: 2, 2: 4, 3: Failure(DIED)}


def slow_first(job: int) -> int:
    time.sleep(1.0 if job == 0 else 0.0)
    return job


def test_results_come_as_they_finish_and_jobs_are_taken_a_few_at_a_time() -> None:
    taken: list[int] = []

    def jobs() -> Iterator[int]:
        for job in range(40):
            taken.append(job)
            yield job

    results = engine("processes").run(jobs(), slow_first)
    job, _ = next(results)
    assert job != 0
    assert len(taken) < 10
    results.close()


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A Ray of two processors on this machine."""
    module = pytest.importorskip("ray")
    options = {"num_cpus": 2, "include_dashboard": False, "object_store_memory": 80 << 20}
    module.init(address="local", log_to_driver=False, logging_level=40, **options)
    yield
    module.shutdown()


@pytest.mark.usefixtures("cluster")
def test_ray_keeps_the_contract() -> None:
    contracts.check_engine(engine("ray"))


@pytest.mark.usefixtures("cluster")
def test_ray_gives_the_job_of_a_dead_worker_to_another(tmp_path: Path) -> None:
    found = dict(engine("ray").run(range(5), partial(killed_once, marks=tmp_path, times=2)))
    assert found == {job: 2 * job for job in range(5)}


@pytest.mark.usefixtures("cluster")
def test_ray_gives_up_a_job_that_kills_every_worker(tmp_path: Path) -> None:
    found = dict(engine("ray").run(range(2), partial(killed_once, marks=tmp_path, times=9)))
    assert found == {0: Failure(DIED), 1: 2}


def dying(placed: PlacedJob, plan: BatchPlan, marks: Path) -> JobDone:
    """A video of a batch; the first one's worker is killed twice, at its end."""
    done = process(placed, plan)
    if placed.job.name == "0.mp4":
        killed_once(0, marks, times=2)
    return done


def batch_outputs(name: str, folder: Path, marks: Path) -> dict[str, bytes]:
    """What a batch of three videos leaves, by the engine of that name."""
    out = folder / name
    names = [f"{number}.mp4" for number in range(3)]
    query = BatchQuery("the person on the left", "1")
    jobs = [BatchJob(folder / one, one, (query,)) for one in names]
    placed = [PlacedJob(job, (paths_in(out, job.name, "", True),)) for job in jobs]
    plan = BatchPlan(Config(), skip=True)
    results = engine(name).run(placed, partial(dying, plan=plan, marks=marks))
    assert all(isinstance(result, JobDone) for _, result in results)
    return {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.mark.parametrize("name", ["processes", "ray"])
def test_a_worker_killed_twice_leaves_the_outputs_of_serial(name: str, tmp_path: Path) -> None:
    if name == "ray":
        pytest.importorskip("ray")
    for number in range(3):
        media.make(tmp_path / f"{number}.mp4", 8 + number)
    (tmp_path / "none").mkdir()
    for kind in ("0.0", "0.1"):
        (tmp_path / "none" / kind).touch()  # nobody is killed
    (tmp_path / "marks").mkdir()
    expected = batch_outputs("serial", tmp_path, tmp_path / "none")
    assert len(expected) == 6
    assert batch_outputs(name, tmp_path, tmp_path / "marks") == expected
    assert len(list((tmp_path / "marks").iterdir())) == 2

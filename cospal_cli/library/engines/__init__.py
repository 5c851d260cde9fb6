"""Who works on many videos: this process, several of this machine, or a cluster.

    engine = open_engine(config)
    with closing(engine.run(jobs, partial(work, config=config))) as results:
        for job, result in results:                   # as they finish, in no particular order
            if isinstance(result, Failure): ...       # .reason, one line; the others go on
            else: ...                                 # what ``work(job)`` returned

``work`` and the jobs are picklable: a function at the top of a module, bound by ``partial`` to
what all jobs share. It keeps its models by a ``functools.cache`` of its module, so that each
process opens them once and uses them for one job after another (see ``preparing.observing``). It
writes its own outputs, whole or not at all: they are the only checkpoint, and a job may be done
again after its worker died. It returns little. What is no fault of the job, such as damaged
weights, it returns as a value, for the caller to raise.

Jobs are taken from their iterable a few at a time, so that it may be long, and may look how far
the work is. Closing the generator gives up what has not begun; what has is finished.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from typing import Protocol, TypeVar

from cospal_cli import detect
from cospal_cli.core.backends import ENGINES
from cospal_cli.core.registry import load
from cospal_cli.core.worker_pool import Failure
from cospal_cli.devices import processors
from cospal_cli.features.no_clips import NONE
from cospal_cli.features.spec import FILE
from cospal_cli.settings import Config, EngineConfig

__all__ = ["Failure", "JobEngine", "cuda", "open_engine", "usual_workers"]
T = TypeVar("T")
R = TypeVar("R")


class JobEngine(Protocol):
    """A back end: built from an EngineConfig with everything filled in."""

    workers: int  # jobs in work at the same time

    def __init__(self, config: EngineConfig) -> None:
        """Starts nothing yet. UsageError where a package is missing."""

    def run(self, jobs: Iterable[T], work: Callable[[T], R]) -> Generator[tuple[T, R | Failure]]:
        """Every job once with what ``work`` made of it, as they finish.

        What ``work`` raises, and the death of its process, become a Failure of that job alone.
        """


def open_engine(config: Config, jobs: int | None = None) -> JobEngine:
    """The engine that ``config.engine`` names, with at most so many workers as there are ``jobs``.

    UsageError lists the known ones. ``config``: as it is given to the work, for what suits its
    models.
    """
    own, on_gpu = config.engine, cuda(config)
    share = "always" if own.share_detector == "auto" and on_gpu else own.share_detector
    usual = max(2, processors() - 1) if share == "always" else usual_workers(config)
    workers = own.workers or usual
    workers = max(1, workers if jobs is None else min(workers, jobs))
    name = own.name
    if name == "auto":
        name = "processes" if workers > 1 else "serial"
    ray = own.ray if own.ray.gpus is not None else replace(own.ray, gpus=float(on_gpu))
    filled = replace(own, name=name, workers=workers, share_detector=share, ray=ray)
    engine: JobEngine = load("engine", ENGINES, name)(filled)
    return engine


def usual_workers(config: Config) -> int:
    """One per processor where the models leave a processor each; else one for all."""
    chosen, _ = detect.resolve(config.detector)
    small = chosen.name in ("nanodet", FILE) and config.clips.name in ("embedded", NONE)
    return processors() if small else 1


def feature_workers(config: Config, jobs: int | None) -> int:
    """How many processes compute features: ``jobs`` (0: this one), or what suits the models."""
    return config.engine.workers or usual_workers(config) if jobs is None else jobs


def cuda(config: Config) -> bool:
    """Whether the detector runs on a GPU. Imports torch only if that decides."""
    chosen, _ = detect.resolve(config.detector)
    if chosen.name in ("nanodet", FILE) or chosen.device == "cpu":
        return False
    if chosen.device.startswith("cuda"):
        return True
    try:
        import torch
    except ImportError:
        return False
    return bool(torch.cuda.is_available())

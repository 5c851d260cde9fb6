"""A Ray cluster: a pool of actors, each with its own models, on one machine or many.

Ray places them, by processors and GPUs; here it is only decided what becomes of a job whose actor
died: it goes to another, ``TRIES`` times in all. The cluster's machines need the same cospal, and
see the videos and outputs under the same paths.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import Any, TypeVar

from cospal_cli.core.errors import UsageError
from cospal_cli.core.foreign import reason
from cospal_cli.core.progress import NOTICE
from cospal_cli.core.registry import require
from cospal_cli.core.worker_pool import DIED, Failure, attempt
from cospal_cli.devices import processors, use_share
from cospal_cli.settings import EngineConfig, RayConfig

LOG = logging.getLogger("cospal")
T = TypeVar("T")
R = TypeVar("R")
TRIES = 3  # of a job whose workers die
OBJECTS = 100 << 20  # bytes of Ray's store on a machine of our own; jobs and results are small


class Worker:
    """What runs in an actor: the work, with this process's models."""

    def __init__(self, share: int, folder: str) -> None:
        use_share(share)
        with suppress(OSError):  # relative paths mean the same wherever that folder is there too
            os.chdir(folder)

    def attempt(self, work: Callable[[T], R], job: T) -> R | Failure:
        """See ``worker_pool.attempt``."""
        return attempt(work, job)


class RayActors:
    """See ``JobEngine``."""

    def __init__(self, config: EngineConfig) -> None:
        self._ray: Any = require("ray", "ray")
        self.workers, self._own = config.workers, config.ray

    def run(self, jobs: Iterable[T], work: Callable[[T], R]) -> Generator[tuple[T, R | Failure]]:
        """See ``JobEngine``."""
        begun = _connect(self._ray, self._own, self.workers)
        actors = [_actor(self._ray, self._own, self.workers) for _ in range(self.workers)]
        try:
            yield from self._pooled(actors, iter(jobs), work)
        finally:
            for actor in actors:
                self._ray.kill(actor)
            if begun:
                self._ray.shutdown()

    def _pooled(
        self, actors: list[Any], jobs: Iterator[T], work: Callable[[T], R]
    ) -> Iterator[tuple[T, R | Failure]]:
        """One job at an actor at a time, so that one that dies costs no other."""
        running: dict[Any, tuple[Any, T, int]] = {}  # by reference: actor, job, which try
        idle, again = list(actors), list[tuple[T, int]]()
        first = ((job, 1) for job in jobs)
        while True:
            for job, number in islice(chain(_emptied(again), first), len(idle)):
                actor = idle.pop()
                running[actor.attempt.remote(work, job)] = actor, job, number
            if not running:
                return
            ready, _ = self._ray.wait(list(running), num_returns=1)
            for one in ready:
                actor, job, number = running.pop(one)
                result = self._result(one)
                if result is None:  # one that is restarted would refuse jobs for a while
                    actors.remove(actor)
                    actor = _actor(self._ray, self._own, self.workers)
                    actors.append(actor)
                idle.append(actor)
                if result is None and number < TRIES:
                    again.append((job, number + 1))
                else:
                    yield job, Failure(DIED) if result is None else result

    def _result(self, reference: Any) -> Any:
        """What an actor returned; None where it died."""
        errors = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except (errors.RayActorError, errors.WorkerCrashedError):
            return None
        except errors.RayError as error:
            return Failure(reason(error))


def _emptied(items: list[T]) -> Iterator[T]:
    """Each item, taken off the list."""
    while items:
        yield items.pop()


def _connect(ray: Any, own: RayConfig, workers: int) -> bool:
    """Join or start the cluster; whether it is for us to leave it. UsageError if there is none."""
    if ray.is_initialized():
        return False
    options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    running = own.address == "auto" and (os.environ.get("RAY_ADDRESS") or _is_running(ray))
    if own.address == "local" or (own.address == "auto" and not running):
        # As many processors as workers: whether they wait for each other is the system's affair.
        options |= {"address": "local", "num_cpus": max(workers, processors())}
        options |= {"include_dashboard": False, "object_store_memory": OBJECTS}
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    else:
        options["address"] = own.address
    try:
        ray.init(**options)
    except Exception as error:  # of every kind, from ConnectionError to RuntimeError
        raise UsageError(
            f"--ray-address {own.address}: no Ray cluster to work on: {reason(error)}",
            "start one with 'ray start --head', or give --ray-address local",
        ) from error
    LOG.log(NOTICE, "Ray: %s machines, %s", len(ray.nodes()), _size(ray))
    return True


def _is_running(ray: Any) -> bool:
    """Whether a cluster runs on this machine."""
    try:
        from ray._private.services import find_gcs_addresses

        return bool(find_gcs_addresses())
    except Exception:  # another version of Ray: then one is started
        return False


def _size(ray: Any) -> str:
    every = ray.cluster_resources()
    return f"{every.get('CPU', 0):.0f} processors, {every.get('GPU', 0):.0f} GPUs"


def _actor(ray: Any, own: RayConfig, workers: int) -> Any:
    """A new actor, wherever the cluster has room for it."""
    kind = ray.remote(num_cpus=1, num_gpus=own.gpus or 0)(Worker)
    return kind.remote(1 if own.gpus else workers, os.getcwd())

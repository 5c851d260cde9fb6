"""The settings of work on many videos: who does it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from cospal_cli.core.backends import ENGINES
from cospal_cli.settings.declare import Section, Setting
from cospal_cli.settings.words import SPEED


@dataclass(frozen=True)
class RayConfig(Section, key="engine.ray", group=SPEED):
    """Several machines, by Ray."""

    address: Annotated[
        str,
        Setting(
            "The Ray cluster: HOST:PORT or ray://HOST:PORT; local starts one on this machine; auto "
            "joins the one that runs here or that RAY_ADDRESS names, else starts one.",
            flag="--ray-address",
        ),
    ] = "auto"
    gpus: Annotated[
        float | None,
        Setting(
            "GPUs that Ray sets aside for each worker; a share such as 0.5 lets two use one.",
            least=0,
            most=64,
            unset="1 where the detector runs on CUDA, else 0",
        ),
    ] = None


@dataclass(frozen=True)
class EngineConfig(Section, key="engine", group=SPEED):
    """Who works on many videos. What comes out does not depend on it."""

    name: Annotated[
        str,
        Setting(
            "What works on many videos: this process (serial), several processes of this "
            "machine (processes), or a Ray cluster (ray); auto is processes where there are "
            "several workers.",
            choices=ENGINES,
            also=("auto",),
            flag="--engine",
        ),
    ] = "auto"
    workers: Annotated[
        int,
        Setting(
            "Videos worked on at the same time; auto is one per processor with the embedded "
            "models.",
            least=0,
            most=4096,
            zero="auto",
            flag="--workers",
        ),
    ] = 0
    share_detector: Annotated[
        str,
        Setting(
            "Whether one process runs the detector for all workers of this machine, on batches of "
            "frames of several videos; auto does so on CUDA.",
            choices=("auto", "always", "never"),
        ),
    ] = "auto"
    ray: RayConfig = field(default_factory=RayConfig)

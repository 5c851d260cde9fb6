"""``cospal bench train``: samples per second of the training loop, on random features."""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cospal_cli.bench import timing
from cospal_cli.bench.random_set import Shape, build
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.progress import Progress, silent
from cospal_cli.prepared.folder import Prepared
from cospal_cli.settings import Config
from cospal_cli.training import metrics
from cospal_cli.training.loop import EVERY, TrainingJob, train

HCSTVG_V1 = 4500  # sentences of its training split


@dataclass(frozen=True)
class TrainBenchPlan:
    """What to measure. ``updates`` after the first ``EVERY``, which warm up."""

    config: Config
    shape: Shape
    updates: int = 3 * EVERY


class _Count:
    """Passes progress on and keeps the number."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.total, self.reached = progress, total, 0

    def __call__(self, stage: str, done: float, total: float | None, note: str = "") -> None:
        self.reached = int(done)
        self.progress(stage, done, self.total, note)


def measure(plan: TrainBenchPlan, progress: Progress = silent) -> JsonDict:
    """Rates and memory, as plain values for JSON."""
    config, total = plan.config, plan.updates + EVERY
    shape = replace(plan.shape, sentences=max(plan.shape.sentences, 2 * config.train.batch * total))
    config = replace(
        config,
        train=replace(config.train, crg=False, select="loss", save_every=0),
        curriculum=replace(config.curriculum, name="none", equal_updates=False),
    )
    count = _Count(progress, total)
    with tempfile.TemporaryDirectory(prefix="cospal-bench-") as folder:
        data, out = Path(folder) / "prepared", Path(folder) / "run"
        build(data, shape)
        timing.reset_gpu_peak()
        # The loop checks before each update: it is stopped at the last one.
        train(
            TrainingJob(Prepared.open(data), out, config), count, lambda: count.reached >= total - 1
        )
        lines = [line for line in metrics.read(out) if line["update"] > EVERY]
    rate = statistics.median(line["samples_per_s"] for line in lines)
    return {
        "device": _device(config.train.device),
        "precision": config.train.precision,
        "threads": _threads(),
        "batch": config.train.batch,
        "shape": asdict(shape),
        "model": asdict(config.model),
        "updates": len(lines) * EVERY,
        "samples_per_s": round(rate, 2),
        "ms_per_update": round(1e3 * config.train.batch / rate, 2),
        "wait_share": round(statistics.mean(line["wait_share"] for line in lines), 5),
        "hcstvg_v1_epoch_s": round(HCSTVG_V1 / rate, 1),
        "peak_mb": round(timing.peak_mb(), 1),
        "gpu_peak_mb": timing.gpu_peak_mb(),
    }


def _device(device: str) -> str:
    """What ``train.device`` means here, by its name."""
    import torch

    from cospal_cli.devices.torch_device import choose

    place = choose(device, "fp32")
    return torch.cuda.get_device_name(place.device) if place.cuda else "cpu"


def _threads() -> int:
    import torch

    return int(torch.get_num_threads())

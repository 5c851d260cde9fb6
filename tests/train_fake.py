"""A tiny training on ``fake_prepared``; also a program, which tests kill, stop and run in pairs.

python -m tests.train_fake OUT [--pause UPDATE] [--resume] [--judged] [KEY=VALUE ...]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from cospal_cli.settings import Config, resolve
from tests.fake_prepared import FakePrepared

TINY = (
    "model.dim=16 model.heads=2 model.ffn=16 model.temporal_layers=1 model.proposals=2 "
    "train.batch=4 train.warmup=4 train.device=cpu train.threads=1 train.save_every=3 "
    "train.max_unreadable=2 curriculum.epochs=1,0,1 temporal.hidden=words"
).split()


def config(*changed: str) -> Config:
    """Settings of a training that takes seconds; 18 updates in two epochs."""
    return resolve(sets=[*TINY, *changed]).config


def train(out: Path, *changed: str, data: Any = None, progress: Any = None, **job: Any) -> Any:
    """Train on a fake data set."""
    from cospal_cli.training.loop import TrainingJob
    from cospal_cli.training.loop import train as run

    whole = TrainingJob(data or FakePrepared(), out, config(*changed), **job)
    return run(whole, progress) if progress else run(whole)


def judged(out: Path, *changed: str) -> Any:
    """Train where the scores, which the first process alone sees, fall from 1 / 1 to 1 / 2."""
    from cospal_cli.training import validation

    calls = 0

    def scores(*_: Any) -> dict[str, float]:
        nonlocal calls
        calls += 1
        return {"m_vIoU": 1 / calls}

    own, validation.scores = validation.scores, scores
    try:
        return train(out, *changed, truths={"s12": None})
    finally:
        validation.scores = own


def weights(folder: Path) -> dict[str, np.ndarray]:
    """The tensors of a checkpoint."""
    found: dict[str, np.ndarray] = load_file(folder / "model.safetensors")
    return found


def same(one: Path, other: Path) -> bool:
    """Whether two checkpoints have equal weights, bit by bit."""
    a, b = weights(one), weights(other)
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def main(words: list[str]) -> None:
    """See the module."""
    out = Path(words.pop(0))
    pause = int(words.pop(words.index("--pause") + 1)) if "--pause" in words else 0
    resume = "--resume" in words

    def told(stage: str, done: float, total: float | None, note: str = "") -> None:
        if done == pause:
            print(f"at {pause}", flush=True)
            time.sleep(60)

    settings = [word for word in words if "=" in word]
    if "--judged" in words:
        judged(out, *settings)
    else:
        train(out, *settings, progress=told, resume=resume)


if __name__ == "__main__":
    main(sys.argv[1:])

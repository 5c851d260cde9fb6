"""Whole inputs of every kind, made once and never changed: what the mutations start from."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from benchmarks.fuzz import media
from cospal_cli.library.keys import ObservationKey
from cospal_cli.library.store import Store
from cospal_cli.library.stored import Extras
from cospal_cli.settings import Config
from tests import data_folders, tiny_models
from tests.media import make
from tests.observed import Someone, observation

# Enough for heads to be trained on: seconds, not minutes. Figures mean nothing.
SET = "data synthetic set --videos 4 --seconds 4..4.5 --size 160x96 --seed 1 --quiet"
PREPARE = "data prepare set --jobs 0 --quiet"
TRAIN = "train --data set --out run --epochs 2 --batch 2 --quiet --device cpu"
SMALL = "--set model.dim=16 --set model.ffn=16 --set model.heads=2"
EXPORT = "export --onnx --checkpoint run/last"
OLD = Path(data_folders.__file__).parent / "fixtures" / "v0_1_0"
BOXES = 40  # frames with boxes in the file of detections


class Seeds:
    """The folder of whole inputs; each part is made where it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self, parts: set[str]) -> None:
        """Make ``parts`` (names of methods below) and what they need; what is there stays."""
        for part in ("clip", "media", "sets", "synthetic", "heads", "onnx", "dino", "library"):
            done = self.folder / f".{part}"
            if part in parts and not done.exists():
                getattr(self, part)()
                done.touch()

    def clip(self) -> None:
        """A clip of 20 frames, and boxes for it."""
        make(self.folder / "clip.mp4", 20)
        make(self.folder / "sound.mp4", 10, audio="aac")
        lines = [_boxes(frame) for frame in range(BOXES)]
        (self.folder / "boxes.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))

    def media(self) -> None:
        """A folder for every container."""
        media.write_all(self.folder / "media")

    def sets(self) -> None:
        """HC-STVG of both versions and VidSTG; what 0.1.0 prepared, without any digest."""
        shutil.copytree(OLD, self.folder / "old")
        rows = {name: data_folders.v2() for name in data_folders.NAMES}
        data_folders.hcstvg(self.folder / "hcstvg")
        data_folders.hcstvg(self.folder / "hcstvg-v2", rows, "train_v2.json")
        data_folders.vidstg(self.folder / "vidstg")

    def synthetic(self) -> None:
        """A synthetic set of 160x96 pixels with its features."""
        self._run(SET)
        self._run(PREPARE)

    def library(self) -> None:
        """A library of made-up observations."""
        store = Store.open(self.folder / "lib", create=True)
        for number, colour in enumerate(("red", "blue", "white")):
            people = [Someone("person", colour), Someone("dog", "brown", (300, 200), (310, 200))]
            key = ObservationKey(f"/videos/{number}.mp4", 9, 9, {})
            seen = observation(key.video, people, seed=number)
            store.catalogue.put([store.write(key, seen, Config(), Extras())])

    def heads(self) -> None:
        """A trained checkpoint."""
        self._run(f"{TRAIN} {SMALL}")

    def onnx(self) -> None:
        """The same, exported."""
        self._run(EXPORT)

    def dino(self) -> None:
        """A tiny random Grounding DINO and a tiny BERT, as folders of transformers."""
        import torch

        tiny_models.save_grounding_dino(self.folder / "dino")
        state = tiny_models.grounding_dino().state_dict()
        torch.save({"model": state}, self.folder / "dino.pth")

    def _run(self, line: str) -> None:
        command = [sys.executable, "-m", "cospal_cli", *line.split()]
        # The checkout stays importable although the folder is another.
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])}
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"cospal {line}: exit {done.returncode}\n{done.stderr}")


def listed(folder: Path) -> tuple[Path, ...]:
    """All files below ``folder`` of up to 2 MB, in order of their names."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple(path for path in found if path.stat().st_size < 2_000_000)


files = cache(listed)  # of whole inputs, which do not change


def borrow(source: Path, target: Path) -> Path:
    """``source``, a file or folder, as ``target``: linked, so that nothing is copied.

    What is to be changed there must be replaced, not written into.
    """
    if source.is_dir():
        return Path(shutil.copytree(source, target, copy_function=_link))
    _link(source, target)
    return target


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copy2(source, target)


def _boxes(frame: int) -> dict[str, object]:
    left = 4 + frame
    return {
        "frame": frame,
        "boxes": [[left, 10, left + 14, 40], [60, 20, 30 - frame % 3 + 60, 44]],
        "scores": [0.9, 0.7],
        "labels": ["person", "car"],
    }

"""Memory that does not suffice: less at a time, then a clear end, and what was there stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from cospal_cli.cli import run
from cospal_cli.core.errors import DeviceError
from tests import media, tiny_models, train_fake

ARGS = ["ground", "clip.mp4", "the person in red", "--no-video", "--json", "--fps", "10"]
ARGS += ["--detector", "grounding-dino", "--detector-model", "dino", "--device", "cpu"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a clip of 6 frames and a tiny Grounding DINO."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@contextmanager
def room_for(frames: int) -> Iterator[list[int]]:
    """A GPU's memory, as it were, for so many frames at a time; yields the batches tried."""
    from transformers import GroundingDinoForObjectDetection, SwinBackbone

    tried: list[int] = []
    own = SwinBackbone.forward

    def forward(self: Any, pixel_values: torch.Tensor, *rest: Any, **named: Any) -> Any:
        tried.append(len(pixel_values))
        if len(pixel_values) > frames:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return own(self, pixel_values, *rest, **named)

    assert GroundingDinoForObjectDetection
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SwinBackbone, "forward", forward)
        yield tried


def test_ground_halves_its_batches_then_gives_up_and_keeps_what_was_there(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    media.make(folder / "clip.mp4", 6)
    tiny_models.save_grounding_dino(folder / "dino")
    assert run([*ARGS, "--batch", "4"]) == 0
    whole = json.loads(capfd.readouterr().out)["tubes"]
    with room_for(2) as tried:
        assert run([*ARGS, "--batch", "4", "-o", "out.json"]) == 0
    assert tried == [4, 2, 2, 2]
    halved = json.loads(capfd.readouterr().out)["tubes"]
    assert [one["boxes"] for one in halved] == [one["boxes"] for one in whole]
    before = Path("out.json").read_bytes()
    with room_for(0) as tried:
        assert run([*ARGS, "--batch", "4", "-o", "out.json", "--overwrite"]) == 6
    assert tried == [4, 2, 1]
    out, err = capfd.readouterr()
    errors = [line for line in err.splitlines() if not line.startswith("warning")]
    assert [line.partition(":")[0] for line in errors] == ["error", "hint"]
    assert "out of memory with a single frame" in errors[0]
    assert out == ""
    assert Path("out.json").read_bytes() == before
    assert {path.name for path in folder.iterdir()} - {"out.json.lock"} == {
        "clip.mp4", "dino", "out.json",
    }  # fmt: skip


def test_training_ends_with_its_last_checkpoint_and_can_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cospal_cli.training import objective

    calls = 0
    own = objective.ReconstructObjective.forward

    def forward(self: Any, batch: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 8:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return own(self, batch)

    monkeypatch.setattr(objective.ReconstructObjective, "forward", forward)
    with pytest.raises(DeviceError, match="out of memory with 4 samples") as caught:
        train_fake.train(folder / "run")
    assert caught.value.exit_code == 6
    assert "--resume" in caught.value.hint
    train_fake.train(folder / "run", resume=True)
    train_fake.train(folder / "whole")
    assert train_fake.same(folder / "run" / "last", folder / "whole" / "last")

"""The authors' checkpoints: run by transformers, they find what the authors' own code finds."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cospal_cli.backbones.state import read_state
from cospal_cli.core.errors import WeightsError
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.tubelets import Detections
from cospal_cli.detect import Detector, detect, open_detector
from cospal_cli.language.parser.parse import parse
from cospal_cli.settings import DetectorConfig, GroundingDinoConfig
from tests.tiny_original import NEEDS_PACKAGE, save_both

SENTENCES = ["The man in white clothes bends down.", "who sits next to the red car?"]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return save_both(tmp_path_factory.mktemp("dino"))


def settings(model: Path, **changes: Any) -> DetectorConfig:
    """Every box of the tiny model, doubles too, so that two detectors can be compared."""
    every = {"threshold": 1e-9, "nms_iou": 1.0, "max_per_frame": 1000, "threads": 1}
    own = {name: changes.pop(name) for name in ("side", "config_file") if name in changes}
    dino = GroundingDinoConfig(**{"side": 64, **own})
    values = {**every, **changes}
    return DetectorConfig(
        name="grounding-dino", model=str(model), device="cpu", grounding_dino=dino, **values
    )


@pytest.fixture(scope="module")
def original(both: tuple[Path, Path]) -> Detector:
    return open_detector(settings(both[1]))


def frames(count: int = 2, size: tuple[int, int] = (100, 70)) -> FrameBatch:
    """Smooth random pictures."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (count, 7, 10, 3), np.uint8)
    images = coarse.repeat(size[1] // 7, axis=1).repeat(size[0] // 10, axis=2)
    return FrameBatch(images, np.arange(count), np.arange(count) / 10, size)


def rows(found: Detections) -> np.ndarray:
    """(D, 4 + 1 + F + W) everything that is said of each box, in units of the frame."""
    assert found.features is not None
    assert found.token_scores is not None
    parts = (found.boxes_xyxy / 100, found.scores[:, None], found.features, found.token_scores)
    return np.concatenate(parts, axis=1)


def assert_same(first: list[Detections], second: list[Detections], tolerance: float) -> None:
    """Every box of the one has its match in the other, whatever the order among equals."""
    for one, other in zip(first, second, strict=True):
        assert len(one) == len(other) > 10
        apart = np.abs(rows(one)[:, None] - rows(other)[None]).max(axis=2)
        assert apart.min(axis=0).max() < tolerance
        assert apart.min(axis=1).max() < tolerance


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_checkpoint_finds_what_its_converted_folder_finds(
    both: tuple[Path, Path], original: Detector, sentence: str
) -> None:
    query, batch = parse(sentence), frames()
    reference = open_detector(settings(both[0])).prompt(query)
    asked = original.prompt(query)
    expected = detect(reference, batch)
    assert_same(detect(asked, batch), expected, 1e-6)
    assert asked.classes == reference.classes
    assert np.ptp(expected[0].scores) > 1e-3  # it does look at something
    assert np.ptp(expected[0].boxes_xyxy[:, 0]) > 10


@NEEDS_PACKAGE
@pytest.mark.filterwarnings("ignore:.*autocast|torch.meshgrid")
@pytest.mark.parametrize("size", [(100, 70), (70, 105)])
def test_parity_with_the_authors_own_code(
    both: tuple[Path, Path], original: Any, size: tuple[int, int]
) -> None:
    from tests.original_dino import open_network

    batch = frames(size=size)
    asked = original.prompt(parse(SENTENCES[0]))
    theirs = copy.copy(asked)
    theirs._model = open_network(both[1])
    assert_same(detect(theirs, batch), detect(asked, batch), 1e-4)


def test_batch_and_repetition_change_nothing(original: Detector) -> None:
    asked, batch = original.prompt(parse(SENTENCES[0])), frames(3)
    together = detect(asked, batch)
    alone = [
        detect(asked, FrameBatch(batch.images[n : n + 1], batch.indices[n : n + 1],
                                 batch.times_s[n : n + 1], batch.size))[0]
        for n in range(3)
    ]  # fmt: skip
    assert_same(together, alone, 1e-4)
    for one, other in zip(together, detect(asked, batch), strict=True):
        assert np.array_equal(rows(one), rows(other))
    assert [found.frame_index for found in together] == [0, 1, 2]


def test_half_precision_is_close(both: tuple[Path, Path], original: Detector) -> None:
    query, batch = parse(SENTENCES[0]), frames()
    half = open_detector(settings(both[1], precision="bf16")).prompt(query)
    for one, other in zip(detect(half, batch), detect(original.prompt(query), batch), strict=True):
        apart = np.abs(one.boxes_xyxy[:, None] - other.boxes_xyxy[None]).max(axis=2).min(axis=0)
        assert np.median(apart) < 1  # pixels; which 40 places are looked at may differ
        assert one.boxes_xyxy.dtype == one.scores.dtype == np.float32


def test_names_itself_by_its_file(both: tuple[Path, Path], original: Detector) -> None:
    import hashlib

    assert original.model_id == "original.pth"
    assert original.model_sha256 == hashlib.sha256(both[1].read_bytes()).hexdigest()
    assert (original.prompted, original.image_side) == (True, 107)
    published = open_detector(settings(both[1], side=None, threshold=None, nms_iou=None))
    found = published.config
    assert (found.grounding_dino.side, found.threshold, found.nms_iou) == (800, 0.4, 0.8)
    assert published.image_side == 1333


# --- what is refused ---


def test_the_name_of_0_1_0_still_opens_it(both: tuple[Path, Path]) -> None:
    assert open_detector(replace(settings(both[1]), name="groundingdino-py")).prompted
    with pytest.raises(WeightsError, match=r"none\.pth"):
        open_detector(replace(settings(both[1]), model="none.pth"))


def changed(state: dict[str, Any], kind: str) -> dict[str, Any]:
    """Weights that do not fit, each in its way."""
    name = "transformer.decoder.norm.weight"
    if kind == "missing":
        del state[name]
    elif kind == "unknown":
        state["transformer.decoder.surplus"] = torch.ones(1)
    elif kind == "shape":
        state[name] = torch.ones(3)
    elif kind == "NaN":
        state[name] = torch.full((256,), float("nan"))
    else:
        state = {"fc.weight": torch.ones(2, 2)}
    return state


@pytest.mark.parametrize("kind", ["missing", "unknown", "shape", "NaN", "foreign"])
def test_weights_must_fit_exactly(both: tuple[Path, Path], tmp_path: Path, kind: str) -> None:
    path = tmp_path / "changed.pth"
    torch.save({"model": changed(read_state(both[1]), kind)}, path)
    with pytest.raises(WeightsError) as caught:
        open_detector(settings(path))
    assert str(path) in caught.value.message
    named = {"foreign": "transformer.level_embed", "missing": "decoder.layer_norm.weight"}
    named |= {"shape": "decoder.layer_norm.weight"}
    assert named.get(kind, "transformer.decoder") in caught.value.message


def test_the_configuration_file_must_agree(both: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "config.py"
    path.write_text('backbone = "swin_B_384_22k"\n')
    with pytest.raises(WeightsError, match="backbone"):
        open_detector(settings(both[1], config_file=str(path)))
    path.write_text("num_queries = 40\nenc_layers = 2\nbatch_size = 1\n")
    assert open_detector(settings(both[1], config_file=str(path))).prompted

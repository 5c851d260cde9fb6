"""The embedded detector in int8: which copy is taken, what it finds, and how it is made."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from cospal_cli import weights
from cospal_cli.core.boxes import iou
from cospal_cli.core.errors import UsageError
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.tubelets import Detections
from cospal_cli.detect import detect
from cospal_cli.detect.nanodet import NanoDet
from cospal_cli.devices import int8
from cospal_cli.settings import Config, DetectorConfig, NanoDetConfig, VideoConfig, resolve
from cospal_cli.video.reader import VideoReader
from cospal_cli.weights.nanodet import STEP, WEIGHTS, WEIGHTS_INT8, ZERO

ROOT = Path(__file__).parent.parent
INTEL, OLDER = "flags\t\t: fpu avx2 avx512_vnni\n", "flags\t\t: fpu avx2 avx512f\n"


def detector(arithmetic: str) -> NanoDet:
    return NanoDet(DetectorConfig(threads=1, nanodet=NanoDetConfig(weights=arithmetic)))


@pytest.fixture
def processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list of a processor's flags that a test may write; none at first."""
    monkeypatch.setattr(int8, "_CPUINFO", tmp_path / "cpuinfo")
    int8.gains.cache_clear()
    yield tmp_path / "cpuinfo"
    int8.gains.cache_clear()


@pytest.mark.parametrize(
    ("listed", "gains"),
    [
        (f"processor\t: 0\n{INTEL}\nprocessor\t: 1\n{INTEL}", True),
        ("flags : avx_vnni", True),
        (OLDER, False),
        ("flags : not_avx_vnni", False),
        ("bugs : avx_vnni\n", False),
        ("Features\t: fp asimd asimddp\n", False),  # an ARM processor: not measured
        ("", False),
        (None, False),  # another system
    ],
)
def test_which_processors_gain(processor: Path, listed: str | None, gains: bool) -> None:
    if listed is not None:
        processor.write_text(listed)
    assert int8.gains() is gains


@pytest.mark.parametrize(
    ("asked", "listed", "taken"),
    [
        ("auto", INTEL, WEIGHTS_INT8),
        ("auto", OLDER, WEIGHTS),
        ("float", INTEL, WEIGHTS),
        ("int8", OLDER, WEIGHTS_INT8),
    ],
)
def test_the_copy_that_is_taken_is_named(
    processor: Path, asked: str, listed: str, taken: str
) -> None:
    processor.write_text(listed)
    found = detector(asked)
    assert (found.model_id, found.model_sha256) == (taken, weights.sha256(taken))
    assert found.config.nanodet.weights == ("int8" if taken == WEIGHTS_INT8 else "float")


def test_the_setting() -> None:
    assert Config().detector.nanodet.weights == "auto"
    assert resolve(
        sets=["detector.nanodet.weights=float"]
    ).config.detector.nanodet == NanoDetConfig(weights="float")
    with pytest.raises(UsageError, match=r"detector\.nanodet\.weights: unknown value 'int4'"):
        resolve(sets=["detector.nanodet.weights=int4"])


@pytest.fixture(scope="module")
def frames() -> list[FrameBatch]:
    with VideoReader(ROOT / "examples" / "bikes.mp4", VideoConfig(fps=1)) as reader:
        return list(reader.batches(4))


def test_both_copies_find_nearly_the_same(frames: list[FrameBatch]) -> None:
    found: dict[str, list[Detections]] = {
        one: [each for batch in frames for each in detect(detector(one), batch)]
        for one in ("float", "int8")
    }
    strong = missed = renamed = 0
    for wanted, got in zip(found["float"], found["int8"], strict=True):
        for box, score, label in zip(wanted.boxes_xyxy, wanted.scores, wanted.labels, strict=True):
            if score < 0.4:
                continue
            overlaps = np.array([float(iou(box[None], other[None])[0]) for other in got.boxes_xyxy])
            best = int(overlaps.argmax())
            strong += 1
            missed += bool(overlaps[best] < 0.7)
            renamed += bool(got.labels[best] != label)
    assert strong >= 15
    assert missed <= 0.05 * strong
    assert renamed <= 0.1 * strong


@pytest.mark.parametrize(
    ("width", "height", "tiles"), [(640, 360, 1), (234, 416, 1), (500, 301, 2)]
)
def test_the_bytes_given_are_the_floats_rounded(width: int, height: int, tiles: int) -> None:
    images = np.random.default_rng(1).integers(0, 256, (2, height, width, 3), np.uint8)
    batch = FrameBatch(images, np.arange(2), np.arange(2) / 10, (width, height))
    floats, given = (
        NanoDet(DetectorConfig(threads=1, nanodet=NanoDetConfig(weights=one, tiles=tiles))).prepare(
            batch
        )
        for one in ("float", "int8")
    )
    rounded = np.clip(np.rint(floats / STEP) + ZERO, 0, 255)
    assert given.dtype == np.uint8
    for row, column, place in ((0, 0, 0), (0, 1, 3), (1, 0, 6), (1, 1, 9)):
        wanted = rounded[:, ::-1, row::2, column::2].transpose(0, 2, 3, 1)
        np.testing.assert_array_equal(given[..., place : place + 3], wanted)


def test_the_tool_makes_the_shipped_file(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    tool = _tool()
    target = tmp_path / "made.onnx"
    tool.quantise(weights.path(WEIGHTS), target)
    shipped = weights.path(WEIGHTS_INT8)
    assert target.stat().st_size < 0.6 * weights.path(WEIGHTS).stat().st_size
    made, kept = onnx.load(target), onnx.load(shipped)
    assert made.graph == kept.graph  # whatever version of onnx writes it


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0, 2.6399, -0.013, 1e-3, 417.0])
def test_ranges_are_widened_a_little_and_not_by_noise(value: float) -> None:
    widened = _tool().widened
    assert abs(value) <= abs(widened(value)) <= abs(value) * 1.04
    assert np.sign(widened(value)) == np.sign(value)
    if abs(value) == 2.6399:
        assert widened(value) == widened(value * (1 + 1e-6))


def _tool() -> ModuleType:
    pytest.importorskip("onnx")
    name = "quantise_nanodet"
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module

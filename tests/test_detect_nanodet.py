"""The embedded detector: geometry, decoding, suppression, and the network's own numbers."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cospal_cli.core.errors import WeightsError
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.vocabulary import COCO
from cospal_cli.detect import detect, nanodet
from cospal_cli.detect.nanodet import (
    BINS,
    DISTANCES,
    FAMILY_OF,
    INPUT,
    SCORES,
    STRIDES,
    NanoDet,
    plan,
)
from cospal_cli.detect.nms import suppress
from cospal_cli.devices.onnx_session import open_session
from cospal_cli.settings import DetectorConfig, NanoDetConfig

PERSON, BICYCLE, CAR, TRUCK = (COCO.index(n) for n in ("person", "bicycle", "car", "truck"))
OUTPUTS = [*SCORES, *DISTANCES]

# Six values spread over each output, and its mean magnitude, of the conversion with a fixed
# 416x416 input that this one replaces; input: default_rng(7).normal, (1, 3, 416, 416).
REFERENCE = {
    "Identity:0": (
        (0.02597997, 0.003330499, 0.007294178, 0.002878904, 0.002520353, 0.007949978),
        0.005044055542875544,
    ),
    "Identity_1:0": (
        (0.008870959, 0.008776128, 0.004425436, 0.009459466, 0.008155167, 0.007683069),
        0.006880747181908972,
    ),
    "Identity_2:0": (
        (0.01011157, 0.01337582, 0.01085523, 0.01512906, 0.01423943, 0.009686142),
        0.014639889468719974,
    ),
    "Identity_3:0": (
        (3.566085, 1.063327, 0.1942388, -0.07378039, -1.022379, -0.696508),
        0.7932984109496336,
    ),
    "Identity_4:0": (
        (0.09858334, -0.6818531, 0.1556598, 0.6207423, -0.1368668, -0.6198018),
        0.45135654510706874,
    ),
    "Identity_5:0": (
        (0.05859612, 0.6770837, 0.749784, 0.2660328, -0.5709203, -1.207465),
        0.7735633621984291,
    ),
}


@pytest.fixture(scope="module")
def detector() -> NanoDet:
    return NanoDet(DetectorConfig(threads=2, nanodet=NanoDetConfig(weights="float")))


def frames(count: int, width: int, height: int, size: tuple[int, int]) -> FrameBatch:
    images = np.random.default_rng(3).integers(0, 256, (count, height, width, 3), np.uint8)
    indices = np.arange(count) * 3 + 5
    return FrameBatch(images, indices, indices / 30, size)


def blank_outputs(rows: int, width: int, height: int) -> list[np.ndarray]:
    """Raw outputs that see nothing: scores 0, distances 0."""
    cells = [(width // stride) * (height // stride) for stride in STRIDES]
    scores = [np.zeros((rows, n, len(COCO)), np.float32) for n in cells]
    return scores + [np.zeros((rows, n, 4 * BINS), np.float32) for n in cells]


def put(
    outputs: list[np.ndarray], row: int, box: list[float], width: int, scores: dict[int, float]
) -> None:
    """Make the cell nearest the centre of ``box`` (input pixels, stride 16) answer with it."""
    stride = STRIDES[1]
    column, line = int((box[0] + box[2]) / 2 // stride), int((box[1] + box[3]) / 2 // stride)
    cell = line * (width // stride) + column
    x, y = (column + 0.5) * stride - 0.5, (line + 0.5) * stride - 0.5
    for side, distance in enumerate((x - box[0], y - box[1], box[2] - x, box[3] - y)):
        low, share = divmod(distance / stride, 1)
        bins = np.full(BINS, -40.0)
        bins[int(low)] = np.log(1 - share + 1e-12)
        bins[int(low) + 1] = np.log(share + 1e-12)
        outputs[4][row, cell, side * BINS : (side + 1) * BINS] = bins
    for label, score in scores.items():
        outputs[1][row, cell, label] = score


def test_the_model_is_opened_meanwhile_and_what_is_wrong_comes_when_it_is_run(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise WeightsError("not a model", "")

    with monkeypatch.context() as patch:
        patch.setattr(nanodet, "open_session", broken)
        found = NanoDet(DetectorConfig(threads=1))
        batch = frames(1, 64, 48, (64, 48))
        with pytest.raises(WeightsError, match="not a model"):
            found.run(found.prepare(batch))
    assert capfd.readouterr() == ("", "")
    assert len(found.run(found.prepare(batch))) == 6  # a failure is not remembered


@pytest.mark.parametrize("name", OUTPUTS)
def test_parity_with_the_fixed_size_model(detector: NanoDet, name: str) -> None:
    pixels = np.random.default_rng(7).normal(size=(1, 3, 416, 416)).astype(np.float32)
    output = dict(zip(OUTPUTS, detector.run(pixels), strict=True))[name]
    values, mean = REFERENCE[name]
    at = np.linspace(0, output.size - 1, 6).astype(int)
    np.testing.assert_allclose(output.ravel()[at], values, atol=1e-5)
    assert float(np.abs(output).mean(dtype=float)) == pytest.approx(mean, abs=1e-5)


@pytest.mark.skipif("TEST_SHARED" not in os.environ, reason="TEST_SHARED is not set")
def test_parity_with_the_file_of_the_fixed_size_model(detector: NanoDet) -> None:
    original = Path(os.environ["TEST_SHARED"]) / "models" / "nanodet_g_coco_416_fp16.onnx"
    pixels = np.random.default_rng(8).normal(size=(1, 3, 416, 416)).astype(np.float32)
    wanted = open_session(original, 2).run(OUTPUTS, {INPUT: pixels})
    for found, reference in zip(detector.run(pixels), wanted, strict=True):
        np.testing.assert_allclose(found, reference, atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(256, 416), (416, 256), (64, 96)])
def test_batch_and_sides_are_free(detector: NanoDet, height: int, width: int) -> None:
    pixels = np.random.default_rng(2).normal(size=(3, 3, height, width)).astype(np.float32)
    together = detector.run(pixels)
    cells = [(height // stride) * (width // stride) for stride in STRIDES]
    assert [output.shape[:2] for output in together] == [(3, n) for n in cells * 2]
    for row in range(3):
        alone = detector.run(pixels[row : row + 1])
        for one, many in zip(alone, together, strict=True):
            np.testing.assert_allclose(many[row], one[0], atol=1e-5)


@pytest.mark.parametrize(
    ("width", "height", "content", "size"),
    [
        (640, 360, (416, 234), (416, 256)),
        (360, 640, (234, 416), (256, 416)),
        (176, 144, (416, 340), (416, 352)),
        (500, 500, (416, 416), (416, 416)),
        (1000, 1, (416, 1), (416, 32)),
    ],
)
def test_plan(width: int, height: int, content: tuple[int, int], size: tuple[int, int]) -> None:
    layout = plan(width, height, 416, 1)
    assert (layout.content, layout.size) == (content, size)
    assert layout.views.tolist() == [[0, 0, width, height]]


def test_plan_of_tiles_covers_the_frame_with_overlap() -> None:
    views = plan(900, 450, 416, 2).views
    assert len(views) == 5
    assert views[1].tolist() == [0, 0, 500, 250]
    assert views[4].tolist() == [400, 200, 900, 450]


def test_prepare_is_bgr_normalised_with_black_padding(detector: NanoDet) -> None:
    images = np.full((1, 360, 640, 3), (255, 128, 0), np.uint8)
    batch = FrameBatch(images, np.array([0]), np.array([0.0]), (1280, 720))
    pixels = detector.prepare(batch)
    assert pixels.shape == (1, 3, 256, 416)
    mean, std = np.array([103.53, 116.28, 123.675]), np.array([57.375, 57.12, 58.395])
    np.testing.assert_allclose(pixels[0, :, 100, 200], ([0, 128, 255] - mean) / std, atol=1e-5)
    np.testing.assert_allclose(pixels[0, :, 250, 200], -mean / std, atol=1e-5)


def test_prepare_takes_images_of_the_right_size_as_they_are(detector: NanoDet) -> None:
    batch = frames(2, 416, 234, (1920, 1080))
    pixels = detector.prepare(batch)
    mean, std = np.array([103.53, 116.28, 123.675]), np.array([57.375, 57.12, 58.395])
    wanted = (batch.images[..., ::-1] - mean) / std
    np.testing.assert_allclose(pixels[:, :, :234].transpose(0, 2, 3, 1), wanted, atol=1e-5)


def test_decode_gives_pixels_of_the_displayed_frame(detector: NanoDet) -> None:
    batch = frames(2, 640, 360, (1920, 1080))
    outputs = blank_outputs(2, 416, 256)
    put(outputs, 1, [100, 50, 180, 130], 416, {CAR: 0.8, TRUCK: 0.5})
    empty, found = detector.decode(outputs, batch)
    assert (empty.frame_index, found.frame_index) == (5, 8)
    assert len(empty) == 0
    scale = np.array([1920 / 416, 1080 / 234] * 2)
    np.testing.assert_allclose(found.boxes_xyxy, [[100, 50, 180, 130] * scale], rtol=1e-4)
    assert found.labels.tolist() == [CAR]
    np.testing.assert_allclose(found.label_scores[0, [CAR, TRUCK]], [0.8, 0.5])


def test_decode_cuts_boxes_to_the_frame_and_drops_those_in_the_padding(detector: NanoDet) -> None:
    outputs = blank_outputs(1, 416, 256)
    put(outputs, 0, [370, 150, 440, 230], 416, {CAR: 0.8})
    put(outputs, 0, [20, 236, 60, 256], 416, {PERSON: 0.9})
    (found,) = detector.decode(outputs, frames(1, 640, 360, (640, 360)))
    assert found.labels.tolist() == [CAR]
    assert found.boxes_xyxy[0, 2] == 640


def test_threshold_and_limit() -> None:
    outputs = blank_outputs(1, 416, 256)
    for number in range(6):
        put(outputs, 0, [40 * number, 50, 40 * number + 32, 90], 416, {CAR: 0.2 + 0.1 * number})
    strict = NanoDet(DetectorConfig(threads=1, threshold=0.35, max_per_frame=3))
    (found,) = strict.decode(outputs, frames(1, 640, 360, (640, 360)))
    np.testing.assert_allclose(found.scores, [0.7, 0.6, 0.5], atol=1e-6)


def tiled_outputs(view: int, box: list[float]) -> list[np.ndarray]:
    outputs = blank_outputs(5, 416, 256)
    put(outputs, view, box, 416, {PERSON: 0.6})
    return outputs


@pytest.mark.parametrize(
    ("view", "box", "kept"),
    [
        (4, [100, 100, 130, 160], True),  # small, inside the last tile
        (1, [390, 100, 415, 160], False),  # cut at the border between two tiles
        (2, [390, 100, 415, 160], True),  # the same place, but that border is the frame's
        (1, [50, 20, 200, 180], False),  # large: the whole frame shows it better
        (0, [50, 20, 200, 180], True),
    ],
)
def test_tiles_speak_for_small_uncut_objects(view: int, box: list[float], kept: bool) -> None:
    tiled = NanoDet(DetectorConfig(threads=1, nanodet=NanoDetConfig(tiles=2)))
    (found,) = tiled.decode(tiled_outputs(view, box), frames(1, 1152, 648, (1152, 648)))
    assert len(found) == kept
    if view == 4:  # tile 4 starts at 4/9 of the frame and spans 5/9 of it
        start, scale = 4 / 9 * np.array([1152, 648]), 5 / 9 * 1152 / 416
        wanted = np.array(box) * scale + np.tile(start, 2)
        np.testing.assert_allclose(found.boxes_xyxy[0], wanted, atol=0.5)


def only(batch: FrameBatch, row: int) -> FrameBatch:
    part = slice(row, row + 1)
    return FrameBatch(batch.images[part], batch.indices[part], batch.times_s[part], batch.size)


def test_detect_is_the_same_in_any_batching() -> None:
    batch = frames(5, 96, 64, (96, 64))
    detector = NanoDet(DetectorConfig(threads=2, threshold=0.05))
    one_by_one = [found for row in range(5) for found in detect(detector, only(batch, row))]
    together = detect(detector, batch)
    assert [found.frame_index for found in together] == batch.indices.tolist()
    assert sum(map(len, together)) > 0
    for one, many in zip(one_by_one, together, strict=True):
        np.testing.assert_allclose(many.boxes_xyxy, one.boxes_xyxy, atol=1e-2)
        np.testing.assert_allclose(many.label_scores, one.label_scores, atol=1e-4)


def test_identity_of_the_model(detector: NanoDet) -> None:
    assert detector.classes[0] == "person"
    assert len(detector.classes) == len(set(detector.classes)) == 80
    assert detector.model_id == "nanodet_g_coco"
    assert len(detector.model_sha256) == 64


def vector(**scores: float) -> np.ndarray:
    row = np.zeros(len(COCO), np.float32)
    for name, score in scores.items():
        row[COCO.index(name)] = score
    return row


def test_suppress_within_a_class_by_overlap() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 7], [0, 0, 10, 5], [50, 50, 60, 60]], np.float32)
    scores = np.stack([vector(car=s) for s in (0.5, 0.9, 0.8, 0.3)])
    kept, _ = suppress(boxes, scores, FAMILY_OF, 0.6, 100)
    assert kept.tolist() == [1, 3]  # 10x7 beats 10x10 (.7) and 10x5 (.71); the far one stays


def test_suppress_merges_flickering_classes_but_keeps_a_person_on_a_bicycle() -> None:
    box = [0, 0, 10, 10]
    boxes = np.array([box] * 4, np.float32)
    scores = np.stack(
        [vector(truck=0.7, car=0.1), vector(car=0.8), vector(person=0.6), vector(bicycle=0.2)]
    )
    kept, merged = suppress(boxes, scores, FAMILY_OF, 0.6, 100)
    assert kept.tolist() == [1, 2]
    np.testing.assert_allclose(merged[0], vector(car=0.8, truck=0.7, bicycle=0.2))
    np.testing.assert_allclose(merged[1], vector(person=0.6))


def test_suppress_nothing() -> None:
    empty = np.zeros((0, 4), np.float32)
    kept, merged = suppress(empty, np.zeros((0, 80), np.float32), FAMILY_OF, 0.6, 100)
    assert kept.shape == (0,)
    assert merged.shape == (0, 80)


def test_suppress_agrees_with_the_plain_algorithm() -> None:
    rng = np.random.default_rng(5)
    corners = rng.uniform(0, 60, (200, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(5, 30, (200, 2))], 1).astype(np.float32)
    labels = rng.integers(0, 3, 200)
    scores = np.zeros((200, 3), np.float32)
    scores[np.arange(200), labels] = rng.uniform(0.1, 1, 200)
    kept, _ = suppress(boxes, scores, np.arange(3), 0.4, 200)
    assert kept.tolist() == plain_nms(boxes, scores.max(axis=1), labels, 0.4)


def plain_nms(
    boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, threshold: float
) -> list[int]:
    """Greedy suppression, box by box."""
    kept: list[int] = []
    for row in np.argsort(-scores):
        rivals = [k for k in kept if labels[k] == labels[row]]
        if all(plain_iou(boxes[k], boxes[row]) <= threshold for k in rivals):
            kept.append(int(row))
    return kept


def plain_iou(a: np.ndarray, b: np.ndarray) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    inter = max(width, 0) * max(height, 0)
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return float(inter / (areas - inter))


def test_a_session_that_a_thread_opens_leaves_stdout_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own: results may be printed meanwhile."""
    import onnxruntime

    own, seen = sys.stdout, []
    real = onnxruntime.InferenceSession

    def opened(*arguments: Any, **more: Any) -> Any:
        seen.append(sys.stdout)
        return real(*arguments, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", opened)
    assert NanoDet(DetectorConfig()).session
    assert seen == [own]

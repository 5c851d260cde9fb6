"""Video encoders: the windows that all share, and the embedded one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from cospal_cli import weights
from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.clips import Clips
from cospal_cli.core.errors import DeviceError, InputError, UsageError, WeightsError
from cospal_cli.core.frames import FrameBatch
from cospal_cli.devices.onnx_session import more_outputs, open_session
from cospal_cli.features import embedded_clips, movement
from cospal_cli.features.clips import (
    BACKENDS,
    Frame,
    Pace,
    WindowEncoder,
    Windows,
    centre,
    open_video_encoder,
)
from cospal_cli.features.embedded_clips import PARTS, EmbeddedClips
from cospal_cli.settings import ClipsConfig

SIZE = (160, 96)


def batches(
    images: NDArray[np.uint8], times_s: NDArray[np.float64], size: int
) -> Sequence[FrameBatch]:
    shown = (images.shape[2], images.shape[1])
    return [
        FrameBatch(images[at : at + size], np.arange(len(images))[at : at + size], times, shown)
        for at in range(0, len(images), size)
        if len(times := times_s[at : at + size])
    ]


class Numbers(WindowEncoder):
    """The feature of a part is the mean of its frames' top left pixels."""

    dim = 1

    def __init__(self, config: ClipsConfig, parts: int = 1) -> None:
        super().__init__(config, Pace(fps=4, frames=4, stride=4, batch=2), parts)
        self.calls: list[int] = []

    def prepare(self, batch: FrameBatch) -> Sequence[Frame]:
        return list(batch.images[:, 0, 0, :1].astype(np.float32))

    def encode(self, windows: list[list[Frame]]) -> FloatArray:
        self.calls.append(len(windows))
        stacked = np.array(windows).reshape(len(windows), self.parts, -1)
        return stacked.mean(axis=2, keepdims=True)


def numbered(frames: int) -> NDArray[np.uint8]:
    return np.broadcast_to(
        np.arange(frames, dtype=np.uint8)[:, None, None, None], (frames, 4, 4, 3)
    )


def run(encoder: WindowEncoder, frames: int, size: int = 3) -> Clips:
    for batch in batches(numbered(frames), np.arange(frames) / 4, size):
        encoder.update(batch)
    return encoder.finish()


@pytest.mark.parametrize("frames", [1, 4, 5])
@pytest.mark.parametrize("stride", [1, 3, 4, 6])
@pytest.mark.parametrize("length", [1, 3, 4, 5, 8, 12, 13, 17])
def test_windows_begin_every_stride_and_leave_nothing_out(
    frames: int, stride: int, length: int
) -> None:
    windows = Windows(frames, stride)
    found, held = [], 0
    for number in range(length):
        if done := windows.add(np.array(number)):
            found.append(done)
        held = max(held, len(windows._held))
    if left := windows.rest():
        found.append(left)
    expected, first, covered = [], 0, 0
    while covered < length and first < length:
        numbers = [min(first + i, length - 1) for i in range(frames)]
        expected.append((first, numbers))
        first, covered = first + stride, first + frames
    assert [(first, [int(f) for f in window]) for first, window in found] == expected
    assert held <= frames


@pytest.mark.parametrize("size", [1, 2, 5, 64])
def test_clips_do_not_depend_on_batches(size: int) -> None:
    clips = run(Numbers(ClipsConfig(frames=4, stride=2, batch=3)), 11, size)
    assert clips.features.tolist() == [[1.5], [3.5], [5.5], [7.5], [9.25]]
    assert clips.features.dtype == np.float32
    assert clips.spans_s.tolist() == [[0, 1], [0.5, 1.5], [1, 2], [1.5, 2.5], [2, 2.75]]


def test_parts_of_a_window_are_clips_and_overlapping_ones_are_averaged() -> None:
    apart = run(Numbers(ClipsConfig(), parts=2), 9)
    assert apart.features[:, 0].tolist() == [0.5, 2.5, 4.5, 6.5, 8]
    assert apart.spans_s[-1].tolist() == [2, 2.25]  # nothing is told of frames that are not there
    again = run(Numbers(ClipsConfig(stride=2), parts=2), 9)
    assert again.features[:, 0].tolist() == [0.5, 2.5, 4.5, 6.5, 8]
    assert again.spans_s.tolist() == apart.spans_s.tolist()


def test_one_frame_is_one_clip_of_one_period() -> None:
    clips = run(Numbers(ClipsConfig(fps=5)), 1)
    assert clips.features.tolist() == [[0]]
    assert clips.spans_s.tolist() == [[0, 0.2]]


def test_where_frames_are_missing_the_last_is_shown_again() -> None:
    encoder = Numbers(ClipsConfig(frames=2, stride=2))
    times = np.array([0.0, 0.24, 1.0, 1.26])
    for batch in batches(numbered(4), times, 2):
        encoder.update(batch)
    clips = encoder.finish()
    assert clips.features[:, 0].tolist() == [0.5, 1, 2.5]
    assert np.allclose(clips.spans_s[:, 0], [0, 0.24 + 0.76 / 3, 1.0])
    assert np.array_equal(clips.spans_s[1:, 0], clips.spans_s[:-1, 1])


def test_uneven_sampling_repeats_nothing() -> None:
    times = np.array([0, 1, 2, 4, 5, 6, 7, 8, 10]) / 30  # of 30 frames a second, 25 are taken
    encoder = Numbers(ClipsConfig(fps=25, frames=1, stride=1))
    for batch in batches(numbered(9), times, 4):
        encoder.update(batch)
    clips = encoder.finish()
    assert clips.features[:, 0].tolist() == list(range(9))
    assert np.array_equal(clips.spans_s[:, 0], times)


def test_a_long_gap_is_filled_by_one_window_at_most() -> None:
    encoder = Numbers(ClipsConfig())
    for batch in batches(numbered(6), np.array([0, 0.25, 9000, 9000.25, 9000.5, 9000.75]), 2):
        encoder.update(batch)
    clips = encoder.finish()
    assert clips.features[:, 0].tolist() == [0.75, 1.75, 4.75]
    assert clips.spans_s[-1].tolist() == [9000.5, 9001.0]


def test_an_encoder_is_ready_for_the_next_video() -> None:
    encoder = Numbers(ClipsConfig())
    first = run(encoder, 9)
    encoder.update(batches(numbered(3), np.arange(3) / 4, 3)[0])
    encoder.reset()  # that video could not be read to its end
    second = run(encoder, 9)
    assert np.array_equal(first.features, second.features)
    assert encoder.calls == [2, 1, 2, 1]


def test_no_frame_is_an_error() -> None:
    with pytest.raises(InputError, match="no frame"):
        Numbers(ClipsConfig()).finish()


def test_settings_left_open_become_the_backends_own() -> None:
    encoder = Numbers(ClipsConfig(stride=2))
    assert encoder.config == ClipsConfig(fps=4, frames=4, stride=2, batch=2)
    assert encoder.fps == 4


def test_an_unknown_encoder_lists_the_known() -> None:
    with pytest.raises(UsageError, match="unknown value 'id3'") as caught:
        open_video_encoder(ClipsConfig(name="id3"))
    assert "did you mean 'i3d'" in caught.value.hint
    assert all(name in caught.value.hint for name in BACKENDS)


def test_centre_is_the_middle_square() -> None:
    image = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)
    assert np.array_equal(centre(image, 8, 1.0), image[:, 2:10])
    assert np.array_equal(centre(image, 4, 0.5), image[2:6, 4:8])
    assert centre(image, 5, 1.0).shape == (5, 5, 3)


# The embedded encoder


@pytest.fixture(scope="module")
def encoder() -> EmbeddedClips:
    return EmbeddedClips(ClipsConfig(threads=1))


def scene(seed: int) -> NDArray[np.uint8]:
    """A room: smooth colours, and some boxes with edges."""
    width, height = SIZE
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    waves = [np.sin(random.uniform(2, 9) * x + random.uniform(2, 9) * y) for _ in range(3)]
    image = (np.stack(waves, axis=2) * 60 + 128).astype(np.uint8)
    for _ in range(12):
        left, top = random.integers(0, width - 20), random.integers(0, height - 20)
        image[top : top + 18, left : left + 12] = random.integers(0, 256, 3)
    return image


def film(frames: int, place: Callable[[int], int], seed: int = 1) -> NDArray[np.uint8]:
    """A square before a scene, its left edge at ``place(number)``."""
    images = np.stack([scene(seed)] * frames)
    for number, image in enumerate(images):
        image[30:60, place(number) : place(number) + 30] = (240, 240, 60)
    return images


def clips_of(encoder: EmbeddedClips, images: NDArray[np.uint8], size: int = 16) -> Clips:
    for batch in batches(images, np.arange(len(images)) / encoder.fps, size):
        encoder.update(batch)
    return encoder.finish()


def test_embedded_features_have_their_parts(encoder: EmbeddedClips) -> None:
    clips = clips_of(encoder, film(9, lambda n: 10 + 4 * n))
    assert clips.features.shape == (3, encoder.dim)
    assert [part.stop - part.start for part in PARTS.values()] == [1024, 80, movement.MOTION]
    assert [part.start for part in PARTS.values()][1:] == [part.stop for part in PARTS.values()][
        :-1
    ]
    assert clips.spans_s.tolist() == [[0, 0.5], [0.5, 1], [1, 1.125]]
    assert np.isfinite(clips.features).all()
    assert encoder.model_sha256 == weights.sha256("nanodet_g_coco")
    for part in ("scene", "classes", "motion"):
        rms = float(np.sqrt((clips.features[:, PARTS[part]] ** 2).mean()))
        assert 0.02 < rms < 5, (part, rms)


def test_embedded_features_do_not_depend_on_batches(encoder: EmbeddedClips) -> None:
    images = film(10, lambda n: 10 + 4 * n)
    whole = clips_of(encoder, images)
    assert np.array_equal(whole.features, clips_of(encoder, images).features)
    for size in (1, 3):
        apart = clips_of(encoder, images, size)
        assert np.allclose(whole.features, apart.features, atol=1e-4)
        assert np.array_equal(whole.spans_s, apart.spans_s)


def test_embedded_features_work_for_one_tall_frame(encoder: EmbeddedClips) -> None:
    image = np.ascontiguousarray(scene(3).transpose(1, 0, 2))[None, :, :17]
    clips = clips_of(encoder, image)
    assert clips.features.shape == (1, encoder.dim)
    assert not clips.features[:, PARTS["motion"]].any()


def test_motion_tells_a_moving_square_from_a_still_one(encoder: EmbeddedClips) -> None:
    still = clips_of(encoder, film(8, lambda n: 60)).features[:, PARTS["motion"]]
    right = clips_of(encoder, film(8, lambda n: 20 + 4 * n)).features[:, PARTS["motion"]]
    left = clips_of(encoder, film(8, lambda n: 48 - 4 * n)).features[:, PARTS["motion"]]
    assert not still.any()
    assert np.abs(right).max(axis=1).min() > 0.5
    across = slice(12, 24)  # flow to the right, by cell
    assert right[:, across].sum() > 1
    assert left[:, across].sum() < -1
    assert np.abs(right[:, across]).sum() > 2 * np.abs(right[:, 24:36]).sum()


def test_camera_motion_is_told_apart() -> None:
    wide = np.tile(scene(5), (1, 2, 1))
    moving = movement.Movement()
    views = [np.ascontiguousarray(wide[:, 3 * n : 3 * n + SIZE[0]]) for n in range(4)]
    found = [moving.update(view, n / 8) for n, view in enumerate(views)][1:]
    camera = np.array(found)[:, 36:38] / movement.FLOW  # frame sides per second
    true = -3 / SIZE[0] * 8
    assert np.allclose(camera[:, 0], true, rtol=0.4)
    assert np.abs(camera[:, 1]).max() < 0.3 * abs(true)
    assert np.abs(np.median(np.array(found)[:, 12:24], axis=1)).max() < 1e-5


def test_flow_of_a_known_shift_is_measured() -> None:
    y, x = np.mgrid[0:96, 0:160] / 96.0
    before = (np.sin(12 * x) * np.sin(10 * y) * 90 + 128).astype(np.uint8)
    after = (np.sin(12 * (x - 2 / 96)) * np.sin(10 * (y + 1 / 96)) * 90 + 128).astype(np.uint8)
    moving = movement.Movement()
    moving.update(np.repeat(before[..., None], 3, 2), 0.0)
    found = moving.update(np.repeat(after[..., None], 3, 2), 0.5) / movement.FLOW
    assert found[36] == pytest.approx(2 / 160 / 0.5, rel=0.2)
    assert found[37] == pytest.approx(-1 / 96 / 0.5, rel=0.2)


def test_motion_is_a_rate_and_bounded() -> None:
    dark, light = np.zeros((24, 32, 3), np.uint8), np.full((24, 32, 3), 255, np.uint8)
    moving = movement.Movement()
    moving.update(dark, 0.0)
    assert np.abs(moving.update(light, 0.1)).max() == movement.LIMIT
    assert moving.update(dark, 2.1)[-1] == pytest.approx(movement.ENERGY / 2)
    assert not moving.update(light, 2.1).any()  # no time went by


def test_frames_of_a_scene_are_nearer_than_frames_of_another(encoder: EmbeddedClips) -> None:
    seen = np.concatenate(
        [
            clips_of(encoder, film(1, lambda n, at=at: at, seed)).features
            for seed in (1, 2, 3)
            for at in (20, 100)
        ]
    )[:, PARTS["scene"]]
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=2)
    same = apart[np.arange(0, 6, 2), np.arange(1, 6, 2)]
    other = apart[np.arange(6)[:, None] // 2 != np.arange(6)[None] // 2]
    assert same.max() < other.min()


def test_the_network_is_the_detectors_own() -> None:
    path = weights.path("nanodet_g_coco")
    pixels = np.random.default_rng(0).normal(size=(2, 3, 64, 96)).astype(np.float32)
    plain = open_session(path, 1).run(embedded_clips.SCORES, {embedded_clips.INPUT: pixels})
    more = open_session(path, 1, inner=[embedded_clips.BACKBONE])
    *scores, maps = more.run(
        [*embedded_clips.SCORES, embedded_clips.BACKBONE], {embedded_clips.INPUT: pixels}
    )
    assert all(np.array_equal(one, other) for one, other in zip(plain, scores, strict=True))
    assert maps.shape == (2, 512, 2, 3)


@pytest.mark.parametrize(
    "names", [["a"], ["one", "two" * 90], [f"tensor {n}" for n in range(2000)]]
)
def test_more_outputs_is_what_the_onnx_package_reads(names: list[str]) -> None:
    path = weights.path("nanodet_g_coco")
    before = onnx.load_model_from_string(path.read_bytes())
    after = onnx.load_model_from_string(path.read_bytes() + more_outputs(names))
    assert [o.name for o in after.graph.output][len(before.graph.output) :] == names
    del after.graph.output[len(before.graph.output) :]
    assert after == before


def test_an_inner_tensor_that_is_not_there_is_refused() -> None:
    with pytest.raises(WeightsError, match="can load"):
        open_session(weights.path("nanodet_g_coco"), 1, inner=["nothing"])


def test_cuda_is_refused() -> None:
    with pytest.raises(DeviceError, match="cuda"):
        EmbeddedClips(ClipsConfig(device="cuda"))


def test_the_embedded_encoder_imports_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from cospal_cli.settings import ClipsConfig; "
        "from cospal_cli.features.clips import open_video_encoder; "
        "assert 'onnxruntime' not in sys.modules; open_video_encoder(ClipsConfig()); "
        "assert not {'torch', 'transformers', 'onnx'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

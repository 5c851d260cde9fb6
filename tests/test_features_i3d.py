"""I3D: the public checkpoint's names and shapes, SAME padding, and the clips."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from cospal_cli.core.clips import Clips
from cospal_cli.core.errors import DeviceError, UsageError, WeightsError
from cospal_cli.core.frames import FrameBatch
from cospal_cli.features import i3d, i3d_network
from cospal_cli.features.clips import open_video_encoder
from cospal_cli.features.i3d import I3DClips
from cospal_cli.features.i3d_network import I3D, Unit, pool, same
from cospal_cli.settings import ClipsConfig
from tests import contracts

# Every convolution of rgb_imagenet.pt: outputs < inputs x kernel, each with its batch norm.
LAYERS = """
Conv3d_1a_7x7 64<3x7  Conv3d_2b_1x1 64<64x1  Conv3d_2c_3x3 192<64x3
Mixed_3b b0 64<192x1 b1a 96<192x1 b1b 128<96x3 b2a 16<192x1 b2b 32<16x3 b3b 32<192x1
Mixed_3c b0 128<256x1 b1a 128<256x1 b1b 192<128x3 b2a 32<256x1 b2b 96<32x3 b3b 64<256x1
Mixed_4b b0 192<480x1 b1a 96<480x1 b1b 208<96x3 b2a 16<480x1 b2b 48<16x3 b3b 64<480x1
Mixed_4c b0 160<512x1 b1a 112<512x1 b1b 224<112x3 b2a 24<512x1 b2b 64<24x3 b3b 64<512x1
Mixed_4d b0 128<512x1 b1a 128<512x1 b1b 256<128x3 b2a 24<512x1 b2b 64<24x3 b3b 64<512x1
Mixed_4e b0 112<512x1 b1a 144<512x1 b1b 288<144x3 b2a 32<512x1 b2b 64<32x3 b3b 64<512x1
Mixed_4f b0 256<528x1 b1a 160<528x1 b1b 320<160x3 b2a 32<528x1 b2b 128<32x3 b3b 128<528x1
Mixed_5b b0 256<832x1 b1a 160<832x1 b1b 320<160x3 b2a 32<832x1 b2b 128<32x3 b3b 128<832x1
Mixed_5c b0 384<832x1 b1a 192<832x1 b1b 384<192x3 b2a 48<832x1 b2b 128<48x3 b3b 128<832x1
"""
FILE_BYTES = 50_883_138  # of the public checkpoint: the numbers, and about 125 bytes for each name


def expected() -> dict[str, tuple[int, ...]]:
    """The checkpoint's shapes by name."""
    shapes: dict[str, tuple[int, ...]] = {
        "logits.conv3d.weight": (400, 1024, 1, 1, 1),
        "logits.conv3d.bias": (400,),
    }
    block = ""
    for line in LAYERS.split("\n"):
        words = line.split()
        for name, size in pairwise(words):
            if name.startswith("Mixed"):
                block = name
            if "<" not in size:
                continue
            outer, inner, side = (int(n) for n in size.replace("<", " ").replace("x", " ").split())
            path = f"{block}.{name}" if name.startswith("b") else name
            shapes[f"{path}.conv3d.weight"] = (outer, inner, side, side, side)
            for vector in ("weight", "bias", "running_mean", "running_var"):
                shapes[f"{path}.bn.{vector}"] = (outer,)
    return shapes


def sensible(model: I3D) -> dict[str, Tensor]:
    """Weights that keep the signal's size, by the checkpoint's names."""
    torch.manual_seed(0)
    state = {k: v.clone() for k, v in model.state_dict().items() if not k.endswith(i3d.COUNTERS)}
    for key, value in state.items():
        if value.ndim == 5:
            value.normal_(0, (2 / value[0].numel()) ** 0.5)
        elif key.endswith(("running_mean", "bias")):
            value.normal_(0, 0.1)
        else:
            value.uniform_(0.8, 1.2)
    return state


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return sensible(I3D())


@pytest.fixture(scope="module")
def checkpoint(state: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("i3d") / "rgb_imagenet.pt"
    torch.save(state, path)
    return path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i3d, "SIDE", 64)  # the network takes any; this is 12 times faster


def test_names_and_shapes_are_those_of_the_public_checkpoint() -> None:
    own = {key: tuple(value.shape) for key, value in I3D().state_dict().items()}
    shapes = {key: shape for key, shape in own.items() if not key.endswith(i3d.COUNTERS)}
    assert shapes == expected()
    assert len(shapes) == 287
    numbers = 4 * sum(int(np.prod(shape)) for shape in shapes.values())
    assert 0 < FILE_BYTES - numbers < 200 * len(shapes)


def places(size: int, kernel: int, stride: int) -> list[list[int]]:
    """TensorFlow's rule, restated: the inputs that each output place sees; outside ones too."""
    count = -(-size // stride)
    total = max((count - 1) * stride + kernel - size, 0)
    return [[n * stride - total // 2 + k for k in range(kernel)] for n in range(count)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 14])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (1, 2), (2, 2), (3, 1), (3, 2), (7, 2)])
def test_padding_is_that_of_tensorflow(size: int, kernel: int, stride: int) -> None:
    line = torch.arange(1.0, size + 1) * torch.tensor([-1.0]) ** torch.arange(size)
    seen = places(size, kernel, stride)
    numbers = np.array([[line[i] if 0 <= i < size else np.nan for i in row] for row in seen])
    for axis in range(3):
        shape = [1, 1, 1, 1, 1]
        shape[2 + axis] = size
        kernels, strides = ([1, 1, 1] for _ in range(2))
        kernels[axis], strides[axis] = kernel, stride
        video = line.reshape(shape)
        largest = pool(video, tuple(kernels), tuple(strides)).flatten().numpy()
        assert np.array_equal(largest, np.nanmax(numbers, axis=1))
        padded, padding = same(video, tuple(kernels), tuple(strides), 0.0)
        ramp = torch.arange(1.0, kernel + 1).reshape([1, 1, *kernels])
        sums = F.conv3d(padded, ramp, None, strides, padding).flatten().numpy()
        assert np.allclose(sums, np.nan_to_num(numbers) @ np.arange(1.0, kernel + 1))


def test_a_unit_counts_the_places_it_sees() -> None:
    unit = Unit(1, 1, 3).eval()
    with torch.no_grad():
        unit.conv3d.weight.fill_(1)
        unit.bn.running_mean.fill_(2)
        unit.bn.running_var.fill_(4)
        unit.bn.bias.fill_(-1)
        found = unit(torch.ones(1, 1, 3, 3, 3))[0, 0]
    neighbours = np.multiply.outer(np.multiply.outer([2, 3, 2], [2, 3, 2]), [2, 3, 2])
    assert np.allclose(found, np.maximum((neighbours - 2) / np.sqrt(4 + 1e-3) - 1, 0), atol=1e-5)


def plain_forward(state: dict[str, Tensor], video: Tensor) -> Tensor:
    """The network once more, straight from the checkpoint's names; inputs padded beforehand."""

    def pad(x: Tensor, kernel: Sequence[int], stride: Sequence[int], fill: float) -> Tensor:
        amounts: list[int] = []
        for axis in (4, 3, 2):
            inside = places(x.shape[axis], kernel[axis - 2], stride[axis - 2])
            amounts += [-inside[0][0], max(inside[-1][-1] - x.shape[axis] + 1, 0)]
        return F.pad(x, amounts, value=fill)

    def unit(x: Tensor, name: str, stride: int = 1) -> Tensor:
        weight = state[f"{name}.conv3d.weight"]
        x = F.conv3d(pad(x, weight.shape[2:], [stride] * 3, 0), weight, stride=stride)
        mean, var, scale, shift = (
            state[f"{name}.bn.{vector}"][:, None, None, None]
            for vector in ("running_mean", "running_var", "weight", "bias")
        )
        return ((x - mean) / (var + 0.001).sqrt() * scale + shift).clamp(min=0)

    def largest(x: Tensor, kernel: Sequence[int], stride: Sequence[int]) -> Tensor:
        return F.max_pool3d(pad(x, kernel, stride, -torch.inf), tuple(kernel), tuple(stride))

    def mixed(x: Tensor, name: str) -> Tensor:
        one = unit(x, f"{name}.b0")
        two = unit(unit(x, f"{name}.b1a"), f"{name}.b1b")
        three = unit(unit(x, f"{name}.b2a"), f"{name}.b2b")
        four = unit(largest(x, (3, 3, 3), (1, 1, 1)), f"{name}.b3b")
        return torch.cat([one, two, three, four], 1)

    x = largest(unit(video, "Conv3d_1a_7x7", 2), (1, 3, 3), (1, 2, 2))
    x = unit(unit(x, "Conv3d_2b_1x1"), "Conv3d_2c_3x3")
    for stage, kernel, stride in (
        ("3bc", (1, 3, 3), (1, 2, 2)),
        ("4bcdef", (3, 3, 3), (2, 2, 2)),
        ("5bc", (2, 2, 2), (2, 2, 2)),
    ):
        x = largest(x, kernel, stride)
        for letter in stage[1:]:
            x = mixed(x, f"Mixed_{stage[0]}{letter}")
    return x.mean(dim=(3, 4)).transpose(1, 2)


@pytest.mark.parametrize("size", [(16, 64, 64), (11, 50, 37)])
def test_the_network_agrees_with_a_plain_restatement(
    state: dict[str, Tensor], size: tuple[int, int, int]
) -> None:
    model = I3D().eval()
    model.load_state_dict(state, strict=False)
    video = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        found, wanted = model(video), plain_forward(state, video)
    assert found.shape == (1, -(-size[0] // 8), 1024)
    assert wanted.std() > 0.05  # the weights carry the signal through
    assert torch.allclose(found, wanted, atol=1e-4)


def film(frames: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (frames, 70, 100, 3), np.uint8)


def clips_of(encoder: I3DClips, images: NDArray[np.uint8], size: int = 5) -> Clips:
    for at in range(0, len(images), size):
        part = images[at : at + size]
        numbers = np.arange(at, at + len(part))
        encoder.update(FrameBatch(part, numbers, numbers / 25, (100, 70)))
    return encoder.finish()


def opened(checkpoint: Path, **settings: Any) -> I3DClips:
    config = ClipsConfig(name="i3d", model=str(checkpoint), device="cpu", threads=1, **settings)
    encoder = open_video_encoder(config)
    assert isinstance(encoder, I3DClips)
    return encoder


@pytest.mark.usefixtures("small")
def test_a_clip_for_every_eight_frames(checkpoint: Path) -> None:
    encoder = opened(checkpoint, frames=16)
    assert (encoder.fps, encoder.config.stride, encoder.dim) == (25, 16, 1024)
    images = film(35)
    clips = clips_of(encoder, images)
    assert clips.features.shape == (5, 1024)
    assert clips.features.dtype == np.float32
    assert np.allclose(clips.spans_s[:, 0], np.arange(5) * 8 / 25)
    assert np.allclose(clips.spans_s[:, 1], [8 / 25, 16 / 25, 24 / 25, 32 / 25, 35 / 25])
    assert np.array_equal(clips.features, clips_of(encoder, images, 35).features)
    assert len({feature.tobytes() for feature in clips.features}) == 5
    assert encoder.model_sha256 == i3d.record.sha256(checkpoint)


@pytest.mark.usefixtures("small")
def test_batches_of_windows_equal_single_ones(checkpoint: Path) -> None:
    images = film(40)
    single = clips_of(opened(checkpoint, frames=16), images)
    batched = clips_of(opened(checkpoint, frames=16, batch=3), images)
    assert np.allclose(single.features, batched.features, atol=1e-5)


@pytest.mark.usefixtures("small")
def test_overlapping_windows_still_give_one_clip_for_eight_frames(checkpoint: Path) -> None:
    clips = clips_of(opened(checkpoint, frames=16, stride=8), film(32))
    assert clips.features.shape == (4, 1024)


def test_one_frame_at_full_size_is_the_network_on_that_frame_repeated(
    checkpoint: Path, state: dict[str, Tensor]
) -> None:
    image = np.random.default_rng(4).integers(0, 256, (256, 256, 3), np.uint8)
    encoder = opened(checkpoint, frames=8)
    encoder.update(FrameBatch(image[None], np.array([0]), np.array([0.0]), (256, 256)))
    clips = encoder.finish()
    middle = torch.from_numpy(image[16:240, 16:240]).permute(2, 0, 1).float() / 127.5 - 1
    with torch.no_grad():
        wanted = plain_forward(state, middle[None, :, None].expand(1, 3, 8, 224, 224))
    assert np.allclose(clips.features, wanted[0], atol=1e-3)
    assert clips.spans_s.tolist() == [[0, 1 / 25]]


@pytest.mark.usefixtures("small")
def test_half_precision_is_close(checkpoint: Path) -> None:
    images = film(8)
    full = clips_of(opened(checkpoint, frames=8), images).features
    half = clips_of(opened(checkpoint, frames=8, precision="bf16"), images).features
    cosine = float((full * half).sum() / np.linalg.norm(full) / np.linalg.norm(half))
    assert half.dtype == np.float32
    assert cosine > 0.99


@pytest.mark.usefixtures("small")
def test_out_of_memory_halves_the_batch(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = opened(checkpoint, frames=8, batch=4)
    whole = clips_of(encoder, film(32)).features
    sizes, forward = [], encoder.network.forward

    def tight(video: Tensor, most: int = 1) -> Tensor:
        sizes.append(len(video))
        if len(video) > most:
            raise torch.OutOfMemoryError("injected")
        return forward(video)

    monkeypatch.setattr(encoder.network, "forward", tight)
    assert np.allclose(clips_of(encoder, film(32)).features, whole, atol=1e-5)
    assert sizes[:2] == [4, 2]
    assert sizes.count(1) == 4
    monkeypatch.setattr(encoder.network, "forward", lambda video: tight(video, 0))
    with pytest.raises(DeviceError, match="out of memory"):
        clips_of(encoder, film(8))


def test_frames_must_be_eights() -> None:
    with pytest.raises(UsageError, match="multiple of 8, found 12") as caught:
        open_video_encoder(ClipsConfig(name="i3d", frames=12))
    assert "16" in caught.value.hint


def test_counters_of_training_are_not_needed_and_do_no_harm(
    state: dict[str, Tensor], tmp_path: Path
) -> None:
    counted = state | {f"Mixed_3b.b0.bn.{i3d.COUNTERS}": torch.tensor(7)}
    torch.save(
        {"state_dict": {f"module.{key}": x for key, x in counted.items()}}, tmp_path / "a.pt"
    )
    model = I3D()
    i3d.read_weights(model, tmp_path / "a.pt")
    own = model.state_dict()
    assert all(torch.equal(own[key], value) for key, value in state.items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("Mixed_4e.b2b.bn.bias"), r"Mixed_4e\.b2b\.bn\.bias is missing"),
        (lambda s: s.update(extra=torch.ones(1)), "extra is unexpected"),
        (
            lambda s: s.update({"logits.conv3d.bias": torch.ones(157)}),
            r"logits\.conv3d\.bias is \(157,\), expected \(400,\)",
        ),
        (lambda s: [s.pop(k) for k in list(s)[:9]], "and 6 more"),
    ],
)
def test_other_weights_are_refused_by_name(
    state: dict[str, Tensor],
    tmp_path: Path,
    change: Callable[[dict[str, Tensor]], object],
    message: str,
) -> None:
    changed = dict(state)
    change(changed)
    torch.save(changed, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match=message):
        i3d.read_weights(I3D(), tmp_path / "other.pt")


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UsageError, match="'torch'") as caught:
        open_video_encoder(ClipsConfig(name="i3d"))
    assert "[torch]" in caught.value.hint


def test_steps_and_sizes_are_stated_once() -> None:
    assert I3DClips.dim == i3d_network.FEATURES


@pytest.mark.usefixtures("small")
def test_it_keeps_the_contract_of_video_encoders(checkpoint: Path) -> None:
    images, at = np.random.default_rng(0).integers(0, 256, (10, 40, 60, 3), np.uint8), np.arange(10)
    batch = FrameBatch(images, at, at / 25, (60, 40))
    contracts.check_video_encoder(opened(checkpoint, frames=8), batch)


@pytest.mark.usefixtures("small")
def test_maps_are_of_the_whole_frame_and_a_clip_is_their_mean(checkpoint: Path) -> None:
    """The frame is 100 x 70: three cells by two at a shorter side of 64."""
    encoder = opened(checkpoint, frames=16, pooled=True)
    images = film(35)
    clips = clips_of(encoder, images)
    assert clips.maps is not None
    assert clips.maps.values.shape == (5, 2, 3, 1024)
    assert clips.maps.values.dtype == np.float16
    np.testing.assert_array_equal(clips.maps.spans_s, clips.spans_s)
    means = clips.maps.values.astype(np.float32).mean(axis=(1, 2))
    np.testing.assert_allclose(means, clips.features, atol=2e-3)
    again = clips_of(encoder, images, 35)
    assert again.maps is not None
    assert np.array_equal(again.maps.values, clips.maps.values)
    assert opened(checkpoint, frames=16).config.pooled is False
    assert clips_of(opened(checkpoint, frames=16), images).maps is None


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(("x", "y", "cell"), [(95, 5, (0, 2)), (5, 65, (1, 0))])
def test_what_happens_in_a_corner_shows_in_its_cell(
    checkpoint: Path, x: int, y: int, cell: tuple[int, int]
) -> None:
    """The corners lie outside the central square."""
    encoder = opened(checkpoint, frames=8, pooled=True)
    plain = np.full((8, 70, 100, 3), 100, np.uint8)
    other = plain.copy()
    other[:, max(y - 10, 0) : y + 10, max(x - 10, 0) : x + 10] = 255
    maps = [clips_of(encoder, images).maps for images in (plain, other)]
    changed = np.abs(maps[0].values.astype(float) - maps[1].values.astype(float)).sum(axis=(0, 3))
    assert np.unravel_index(changed.argmax(), changed.shape) == cell


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((360, 640), (384, 224)),
        ((640, 360), (224, 384)),
        ((224, 224), (224, 224)),
        ((100, 900), (640, 224)),
        ((1, 1), (224, 224)),
    ],
)
def test_a_whole_frame_keeps_its_shape(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert i3d.whole_size(*size) == expected

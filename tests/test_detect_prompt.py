"""The text that a prompted detector reads, and what its tokens belong to."""

from __future__ import annotations

import numpy as np
import pytest
from tokenizers import BertWordPieceTokenizer

from cospal_cli.core.query import Query
from cospal_cli.detect.dino.prompt import Prompt, Span, best_of, build, categories, cover, phrases
from cospal_cli.language.parser.parse import parse
from tests.tiny_models import VOCABULARY

SENTENCE = "The man in white clothes bends down, then sits in the chair next to him."
TOKENIZER = BertWordPieceTokenizer(str(VOCABULARY), lowercase=True)
POINT, QUESTION = 1012, 1029  # the model's delimiters, besides the two at the ends


def offsets(text: str) -> list[Span]:
    return list(TOKENIZER.encode(text).offsets)


def prompt_of(text: str, kind: str = "both", limit: int = 256) -> Prompt:
    return build(parse(text), kind, offsets, limit)


def referral_of(prompt: Prompt) -> list[str]:
    return [prompt.words[i] for i in prompt.referral]


def test_caption_and_categories_in_one_text() -> None:
    prompt = prompt_of(SENTENCE)
    caption = "the man in white clothes bends down, then sits in the chair next to him"
    assert prompt.text == f"{caption}. person. chair."
    assert prompt.caption == (0, len(caption))
    assert prompt.classes == ("person", "chair")
    assert [prompt.text[a:b] for a, b in prompt.class_spans] == ["person", "chair"]
    assert prompt.words == tuple(caption.replace(",", "").split())
    assert tuple(prompt.text[a:b] for a, b in prompt.word_spans) == prompt.words
    assert referral_of(prompt) == ["man", "white"]


def test_caption_alone_has_the_subject_as_its_class() -> None:
    prompt = prompt_of(SENTENCE, "caption")
    assert prompt.text.endswith("next to him.")
    assert prompt.text.count(".") == 1
    assert (prompt.classes, prompt.class_spans) == (("person",), ())


def test_categories_alone_have_no_words() -> None:
    prompt = prompt_of(SENTENCE, "category")
    assert prompt.text == "person. chair."
    assert (prompt.words, prompt.referral, prompt.caption) == ((), (), (0, 0))
    assert [prompt.text[a:b] for a, b in prompt.class_spans] == ["person", "chair"]


def test_points_and_question_marks_inside_do_not_split_the_caption() -> None:
    prompt = prompt_of("The bike of Mr. Smith... goes 3.5 mph? It stops.", "caption")
    assert prompt.text == "the bike of mr, smith, goes 3,5 mph, it stops."
    assert "mr" in prompt.words


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a gizmo on the table", ("gizmo", "dining table")),  # unknown: as written
        ("what does the girl hold?", ("object", "person")),  # any of 80: as parsed
        ("the man with a man next to a woman", ("person",)),  # each once
        ("a traffic light beside a fire hydrant", ("traffic light", "fire hydrant")),
    ],
)
def test_categories(text: str, names: tuple[str, ...]) -> None:
    assert categories(parse(text)) == names


def test_categories_of_nothing_known() -> None:
    assert categories(Query("x", "x", "", {})) == ("object",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("who is running?", ["who"]),  # its referral, "the person", is not in the sentence
        ("what does the girl hold?", ["what"]),
        ("A traffic light beside a car", ["traffic", "light"]),
        ("the man's dog barks", ["dog"]),
        ("the dog follows the man in white", ["dog"]),  # not the other's words
    ],
)
def test_words_that_say_who_is_meant(text: str, words: list[str]) -> None:
    assert referral_of(prompt_of(text)) == words


def test_referral_without_noun_or_adjective_is_the_whole_phrase() -> None:
    query = Query("he over there waves", "he over there", "he", {"person": 1.0})
    prompt = build(query, "caption", offsets, 256)
    assert referral_of(prompt) == ["he", "over", "there"]


def test_a_contraction_is_still_the_noun() -> None:
    query = Query("the man’s running", "the man’s", "man", {"person": 1.0}, nouns=("man",))
    assert referral_of(build(query, "both", offsets, 256)) == ["man’s"]


def test_referral_that_is_nowhere_is_every_word() -> None:
    query = Query("runs fast", "the person", "person", {"person": 1.0}, nouns=("person",))
    assert referral_of(build(query, "both", offsets, 256)) == ["runs", "fast"]


@pytest.mark.parametrize("limit", [14, 40, 256])
def test_too_long_a_caption_loses_its_end_and_keeps_the_categories(limit: int) -> None:
    text = "the man in white clothes near a chair " + "walks unbelievably slowly and " * 200
    nouns = {"chair": {"chair": 1.0, "bench": 0.3}}
    referral = "the man in white clothes"
    query = Query(text, referral, "man", {"person": 1.0}, ("man",), ("white",), context=nouns)
    prompt = build(query, "both", offsets, limit)
    assert limit - 8 < len(offsets(prompt.text)) <= limit
    assert prompt.text.endswith(". person. chair.")
    caption = prompt.text[slice(*prompt.caption)]
    assert text.startswith(caption + " ")  # cut between words
    assert len(prompt.words) == len(caption.split())
    assert referral_of(prompt) == ["man", "white"]


def test_too_many_categories_lose_their_last() -> None:
    nouns = {f"thing{chr(97 + i)}": {} for i in range(26)}
    query = Query("the man", "the man", "man", {"person": 1.0}, context=nouns)
    prompt = build(query, "both", offsets, 20)
    assert len(offsets(prompt.text)) <= 20
    assert prompt.classes[:2] == ("person", "thinga")
    assert prompt.words == ()  # the caption had to go first


@pytest.mark.parametrize(
    "text",
    [
        "the man 😀 waves 🇨🇭",
        "הגבר בחולצה הלבנה man",
        "白い服の男が椅子に座って本を読んでいる" * 40,
        "the [SEP] man [CLS] in [PAD] white [MASK]",
        "the man\x00 in\nwhite\u200d\ufeff",
        "<script>alert('man')</script>",
        "--man -rf /* man.",
        "İstanbul man ﬁne",
        "man " + "x" * 5000,
        "¿man?؟ ．man？",
    ],
)
@pytest.mark.parametrize("kind", ["caption", "both"])
def test_any_text_makes_one_block_and_a_block_for_each_category(text: str, kind: str) -> None:
    query = Query(text, "man", "man", {"person": 1.0}, nouns=("man",))
    prompt = build(query, kind, offsets, 256)
    ids = TOKENIZER.encode(prompt.text).ids
    assert len(ids) <= 256
    assert ids.count(101) == ids.count(102) == 1
    assert ids.count(QUESTION) == ids.count(0) == 0
    assert ids.count(POINT) == (1 if kind == "caption" else 2)
    assert prompt.words
    assert all(0 <= i < len(prompt.words) for i in prompt.referral)
    assert len(prompt.referral) > 0


def test_tokens_know_their_word_and_category() -> None:
    prompt = prompt_of("the skateboarder's orange top. near a car")
    encoded = TOKENIZER.encode(prompt.text)
    words = cover(encoded.offsets, prompt.word_spans)
    named = cover(encoded.offsets, prompt.class_spans)
    assert words.shape == (len(encoded.ids), len(prompt.words))
    pieces = [encoded.tokens[i] for i in np.flatnonzero(words[:, 1])]
    assert pieces == ["skate", "##board", "##er", "'", "s"]
    classes = [[encoded.tokens[i] for i in np.flatnonzero(column)] for column in named.T]
    assert classes == [[name] for name in prompt.classes]
    assert not words[[0, -1]].any()  # the tokens that the tokenizer adds
    assert not named[[0, -1]].any()
    delimiters = [i for i, number in enumerate(encoded.ids) if number == POINT]
    assert not words[delimiters].any()
    assert not named[delimiters].any()
    assert words.sum(axis=1).max() == 1


def test_best_of_is_the_maximum_over_a_groups_tokens() -> None:
    scores = np.array([[0.1, 0.9, 0.3], [0.5, 0.2, 0.4]], np.float32)
    members = np.array([[True, False, False], [False, False, True], [True, False, True]])
    found = best_of(scores, members)
    np.testing.assert_array_equal(found, np.array([[0.3, 0, 0.9], [0.5, 0, 0.4]], np.float32))
    assert best_of(scores, members[:, :0]).shape == (2, 0)
    assert best_of(scores[:0], members).shape == (0, 3)


def test_phrases_are_the_words_above_the_threshold() -> None:
    scores = np.array([[0.1, 0.9, 0.41, 0.4], [0.1, 0.2, 0.3, 0.4]], np.float32)
    assert phrases(scores, ("the", "white", "man", "sits")) == ["white man", ""]
    assert phrases(scores, ("the", "white", "man", "sits"), 0.25) == ["white man sits", "man sits"]
    assert phrases(scores[:0], ("the", "white", "man", "sits")) == []

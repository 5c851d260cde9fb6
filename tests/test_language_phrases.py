"""What the heads read of a sentence: global and local queries, which words mean whom."""

import json
from collections.abc import Sequence
from zlib import crc32

import numpy as np
import pytest

from cospal_cli.core.errors import InputError
from cospal_cli.core.phrases import Phrase, WordVectors
from cospal_cli.language.parser.parse import parse
from cospal_cli.language.parser.tokens import spans
from cospal_cli.language.phrases import (
    Refined,
    join,
    phrases,
    phrases_of,
    refine,
    texts_of,
    verbatim,
)

PAPER = "The man in white clothes bends down and looks down then sits in the chair next to him."


class Encoder:
    """Vectors that tell which word of which text they are of."""

    dim = 3
    model_id, model_sha256 = "fake", "0" * 64

    def __init__(self) -> None:
        self.read: list[str] = []

    def words(self, text: str) -> WordVectors:
        found = tuple(spans(text))
        vectors = [
            [crc32(text.encode()) % 1000, at, end - start] for at, (start, end) in enumerate(found)
        ]
        return WordVectors(found, np.array(vectors, np.float32).reshape(-1, 3))

    def words_of(self, texts: Sequence[str]) -> list[WordVectors]:
        self.read.extend(texts)
        return [self.words(text) for text in texts]


def shown(phrase: Phrase) -> str:
    """The words: those of the referral in upper case, those of closed classes in brackets."""
    marked = (
        word.upper() if meant else word if content else f"({word})"
        for word, meant, content in zip(phrase.words, phrase.referral, phrase.content, strict=True)
    )
    return " ".join(marked)


def read(text: str, max_words: int = 60) -> list[str]:
    found = phrases(refine(parse(text)), Encoder(), max_words)
    return [shown(one) for one in (found.sentence, found.refined, *found.passes)]


def test_the_sentence_of_the_paper() -> None:
    sentence, refined, *passes = read(PAPER)
    assert sentence == (
        "(the) MAN (in) WHITE clothes bends down (and) looks down (then) sits (in) (the) chair "
        "next (to) (him)"
    )
    bag, who = "MAN WHITE bends looks sits", "(the) MAN (in) WHITE clothes"
    assert passes == [f"{bag} {who} {did}" for did in ("bends down", "looks down", "sits")]
    assert refined == f"{bag} {who} bends down looks down sits"


def test_words_count_within_the_subject_alone() -> None:
    sentence, refined, _ = read("the child in red clothes is watching the red ball.")
    assert sentence == "(the) CHILD (in) RED clothes (is) watching (the) red ball"
    assert refined.endswith("(the) CHILD (in) RED clothes watching (the) red ball")


@pytest.mark.parametrize(
    ("text", "sentence", "last"),
    [
        ("who in red walks?", "WHO (in) RED walks", "PERSON RED walks (the) PERSON (in) RED walks"),
        (
            "what is the child holding?",
            "WHAT (is) (the) child holding",
            "OBJECT holding WHAT (is) (the) child holding",
        ),
        ("what dog barks?", "(what) DOG barks", "DOG barks DOG barks"),
        ("the tall man", "(the) TALL MAN", "MAN TALL (the) TALL MAN"),
    ],
)
def test_questions_and_phrases(text: str, sentence: str, last: str) -> None:
    assert read(text) == [sentence, last, last]


def test_each_word_has_the_vector_of_its_own_text() -> None:
    refined = refine(parse("The man, in red, walks left and waves."))
    encoder = Encoder()
    found = phrases(refined, encoder, 60)
    alone = ["walks", "left", "waves"]  # and these by themselves
    assert sorted(encoder.read) == sorted([*texts_of(refined), *alone])
    whole = encoder.words(refined.global_text).vectors
    local = encoder.words(refined.local_texts[1]).vectors
    spoken = [at for at, (a, b) in enumerate(spans(refined.local_texts[1]))
              if refined.local_texts[1][a:b].isalnum()]  # fmt: skip
    np.testing.assert_array_equal(found.passes[1].vectors, np.concatenate([whole, local[spoken]]))
    assert "," not in found.sentence.words
    assert len(found.refined) < sum(map(len, found.passes))


def test_many_at_once_are_as_each_alone() -> None:
    many = [refine(parse(text)) for text in (PAPER, "the dog runs", PAPER)]
    encoder = Encoder()
    for one, alone in zip(phrases_of(many, encoder, 12), many, strict=True):
        for a, b in zip(one.passes, phrases(alone, Encoder(), 12).passes, strict=True):
            assert a.words == b.words
            np.testing.assert_array_equal(a.vectors, b.vectors)
    assert len(encoder.read) == len(set(encoder.read))


def test_long_phrases_are_cut() -> None:
    found = phrases(refine(parse(PAPER)), Encoder(), 7)
    assert [len(one) for one in (found.sentence, found.refined, *found.passes)] == [7] * 5
    assert found.refined.vectors.shape == (7, 3)


def test_parses_of_others() -> None:
    """Without a subject's text, and with lines that no parser of ours would write."""
    row = {
        "id": "7", "text": "He in Light-Blue jumps.", "global": "man light blue jumps",
        "local": ["The man in light blue jumps", "The man in light blue, he lands", "..."],
        "referral": ["Man", "light-blue"], "verbs": 2,
    }  # fmt: skip
    refined = Refined.from_dict(row)
    found = phrases(refined, Encoder(), 60)
    assert shown(found.sentence).split()[2] == "LIGHT-BLUE"
    assert [len(refined.local_texts), refined.verbs] == [2, 2]
    assert found.refined.words[-2:] == ("he", "lands")
    assert found.refined.words.count("man") == 2  # global, and once for both local ones


@pytest.mark.parametrize(
    "change", [{"text": 3}, {"local": "x"}, {"local": [1]}, {"verbs": "2"}, {"verbs": -1},
               {"referral": None}, {"global": None}, {"subject": 1}, {"verbs": True}],
)  # fmt: skip
def test_lines_that_are_no_parse(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a line looks like"):
        Refined.from_dict(refine(parse(PAPER)).as_dict() | change)


@pytest.mark.parametrize("text", [PAPER, "who in red walks?", "the tall man"])
def test_json_both_ways(text: str) -> None:
    refined = refine(parse(text))
    assert Refined.from_dict(json.loads(json.dumps(refined.as_dict()))) == refined
    assert 1 <= len(refined.local_texts) <= 5
    assert refined.verbs == (0 if text == "the tall man" else len(refined.local_texts))


def test_a_sentence_that_nobody_parses() -> None:
    found = phrases(verbatim("Xyzzy, 12!"), Encoder(), 60)
    assert found.sentence.words == ("xyzzy", "12")
    assert found.passes[0].words == ("xyzzy", "12", "xyzzy", "12")
    assert found.sentence.content.tolist() == [True, False]
    with pytest.raises(InputError, match="cannot read any word"):
        join(verbatim("..."), {"...": Encoder().words("...")}, 60)

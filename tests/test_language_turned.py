"""The parser against hand-written sentences whose meaning turns, and VidSTG's kind of questions."""

from __future__ import annotations

import contextlib
import random
from dataclasses import replace
from types import ModuleType

import pytest

from cospal_cli.core.errors import CospalError
from cospal_cli.core.query import Query
from cospal_cli.language.parser.parse import parse
from cospal_cli.settings import LanguageConfig
from tests import vidstg_held_out, vidstg_like
from tests.sentences_turned import COUNTS, GROUPS, MARKS, SINGLE
from tests.test_language_sentences import WORN, check_classes, words
from tests.vidstg_like import Reading

LINES = [
    pytest.param(line, id=f"{group}-{number:02d}")
    for group, lines in GROUPS.items()
    for number, line in enumerate(lines.strip().splitlines(), 1)
]
NO_MODEL = LanguageConfig(similarity=False)


@pytest.mark.parametrize("line", LINES)
def test_sentence(line: str) -> None:
    sentence, noun, worn, excluded, context, listed = (part.strip() for part in line.split(" | "))
    query = parse(sentence, NO_MODEL)
    subject, _, classes = noun.partition(": ")
    assert query.text == sentence
    assert query.subject == subject.replace("_", " ")
    check_classes(query, classes)
    found = {f"{a.word}@{a.region}" for a in query.attributes if a.kind in WORN}
    assert found == set(words(worn))
    assert set(query.excluded.words()) == set(words(excluded))
    assert set(words(context)) <= set(query.context)
    assert set(words(listed)) <= set(query.unresolved)


def test_there_are_enough_sentences() -> None:
    assert len(LINES) + len(MARKS.strip().splitlines()) >= 200


@pytest.mark.parametrize("line", MARKS.strip().splitlines())
def test_marks_change_nothing(line: str) -> None:
    marked, plain = line.split(" ~ ")
    found = replace(parse(marked, NO_MODEL), text="", warnings=())
    assert found == replace(parse(plain, NO_MODEL), text="", warnings=())


@pytest.mark.parametrize("line", COUNTS.strip().splitlines())
def test_more_than_one_is_warned_of(line: str) -> None:
    query = parse(line.split(" | ")[0], NO_MODEL)
    assert any("one subject is returned" in warning for warning in query.warnings)


@pytest.mark.parametrize("sentence", SINGLE.strip().splitlines())
def test_one_is_not_warned_of(sentence: str) -> None:
    assert parse(sentence, NO_MODEL).warnings == ()


def test_any_order_of_words_is_read_or_refused() -> None:
    chance = random.Random(5)
    lines = [line.values[0].split(" | ")[0] for line in LINES]
    marks = ["'s", "not", "no", "but", "except", "who", "(", "\u2014", "'", "of"]
    for _ in range(800):
        words = [*chance.choice(lines).split(), *chance.sample(marks, 2)]
        chance.shuffle(words)
        with contextlib.suppress(CospalError):
            parse(" ".join(words), NO_MODEL)


def read_right(query: Query, reading: Reading) -> bool:
    """Whether subject, class, other noun and colours are those of the ``reading``."""
    parts = {part for noun in query.context for part in (noun, noun.split()[-1])}
    other = all(noun in parts or noun.split()[-1] in parts for noun in reading.context)
    person = reading.subject == "person"
    asked = {"person": query.classes.get("person") == 1.0, "object": len(query.classes) > 1}
    classed = asked.get(reading.subject, True) and (person or query.classes.get("person", 0) < 0.5)
    if reading.subject in ("adult", "child", "baby"):
        classed = query.classes == {"person": 1.0}
    colours = {a.word for a in query.attributes if a.kind == "colour"}
    return query.subject == reading.subject and classed and other and colours == reading.colours


@pytest.mark.parametrize("patterns", [vidstg_like, vidstg_held_out])
@pytest.mark.parametrize(
    ("questions", "least"), [(True, 0.97), (False, 0.998)], ids=["questions", "declaratives"]
)
def test_sentences_after_vidstg(patterns: ModuleType, questions: bool, least: float) -> None:
    made = list(patterns.sentences(7, 300, questions))
    wrong = [one.text for one in made if not read_right(parse(one.text, NO_MODEL), one)]
    assert len(wrong) <= (1 - least) * len(made), wrong

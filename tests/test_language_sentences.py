"""The parser against what people read in hundreds of sentences (``sentences.py``)."""

from __future__ import annotations

import pytest

from cospal_cli.core.query import Query
from cospal_cli.core.vocabulary import COCO
from cospal_cli.language.parser.parse import parse
from cospal_cli.settings import LanguageConfig
from tests.sentences import GROUPS

LINES = [
    pytest.param(line, id=f"{group}-{number:02d}")
    for group, lines in GROUPS.items()
    for number, line in enumerate(lines.strip().splitlines(), 1)
]
NO_MODEL = LanguageConfig(similarity=False)
WORN = ("colour", "garment", "accessory")


def words(field: str) -> list[str]:
    return [] if field == "-" else [word.replace("_", " ") for word in field.split()]


def check_classes(query: Query, expected: str) -> None:
    if expected == "any":
        assert not query.classes or query.classes["person"] < 0.5
        return
    name = expected.replace("_", " ")
    assert query.classes[name] >= 0.5
    assert max(query.classes.values()) == query.classes[name]


def test_there_are_enough_sentences() -> None:
    assert len(LINES) >= 150


@pytest.mark.parametrize("line", LINES)
def test_sentence(line: str) -> None:
    sentence, noun, worn, actions, positions = (part.strip() for part in line.split(" | "))
    query = parse(sentence, NO_MODEL)
    subject, _, classes = noun.partition(": ")
    assert query.text == sentence
    assert query.subject == subject
    check_classes(query, classes)
    found = {f"{a.word}@{a.region}" for a in query.attributes if a.kind in WORN}
    assert found == set(words(worn))
    assert [
        f"{a.word}={a.kind}" + (":" if a.directions else "") + ",".join(sorted(a.directions))
        for a in query.actions
    ] == [
        f"{head}{colon}" + ",".join(sorted(tail.split(",")) if tail else [])
        for head, colon, tail in (word.partition(":") for word in words(actions))
    ]
    assert sorted(query.positions) == sorted(positions.split(",") if positions != "-" else [])
    assert set(query.classes) <= set(COCO)
    colours = [a for a in query.attributes if a.kind == "colour"]
    assert all(a.values for a in colours)

"""How the subject stands to other things: read from the sentence, judged by boxes over time."""

from __future__ import annotations

import numpy as np
import pytest

from cospal_cli.core.query import Relation
from cospal_cli.language.parser.parse import parse
from cospal_cli.ranking.candidates import candidates
from cospal_cli.ranking.relations import order_term, relation_term
from tests.test_ground import CLASSES, SIZE, TIMELINE, ask, run, tubelet


@pytest.mark.parametrize(
    ("text", "kind", "word"),
    [
        ("the man to the left of the dog", "left", "dog"),
        ("the woman standing on the right of the table", "right", "table"),
        ("the dog on the left side of the sofa", "left", "sofa"),
        ("the man in front of the bus", "front", "bus"),
        ("the man walking behind the woman", "behind", "woman"),
        ("the dog following the man", "behind", "man"),
        ("the cat under the table", "below", "table"),
        ("the child between the two women", "between", "women"),
        ("the boy riding a bike", "on", "bike"),
        ("the woman with a bag", "hold", "bag"),
        ("the woman who is hugged by the man", "touch", "man"),
        ("the man nearest to the car", "closest", "car"),
        ("the woman walks up to the dog", "toward", "dog"),
    ],
)
def test_relations_are_read(text: str, kind: str, word: str) -> None:
    assert [(r.kind, r.word) for r in parse(text).relations] == [(kind, word)]


@pytest.mark.parametrize(
    "text", ["the man next to the car", "the man without a dog", "the man waves", "a red car"]
)
def test_what_is_near_or_absent_is_no_relation(text: str) -> None:
    assert parse(text).relations == ()


def test_the_colour_of_the_other_thing_is_read() -> None:
    (relation,) = parse("the man next to the white car").relations
    assert (relation.kind, relation.attributes[0].word) == ("near", "white")


def test_another_noun_s_relation_is_not_the_subject_s() -> None:
    said = parse("the man next to the woman with the dog").relations
    assert "dog" not in [r.word for r in said]


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("the second man from the left", (2, "left")),
        ("third player from right in blue", (3, "right")),
        ("the first of the men from the left", (1, "left")),
        ("the man who comes from the left", None),
    ],
)
def test_the_place_in_a_row_is_read(text: str, order: tuple[int, str] | None) -> None:
    query = parse(text)
    assert query.order == order
    assert "second" not in query.unresolved


def to(kind: str, word: str = "car", **parts: object) -> Relation:
    return Relation(kind, word, {word: 1.0}, **parts)


def winner(kind: str, *scene: object, word: str = "car") -> int:
    return run(list(scene), ask(relations=(to(kind, word),)))[0].id  # type: ignore[arg-type]


def test_left_and_right_of_a_thing_not_of_the_picture() -> None:
    scene = [tubelet(1, x=400.0), tubelet(2, x=560.0), tubelet(3, "car", x=480.0)]
    assert winner("left", *scene) == 1
    assert winner("right", *scene) == 2
    query = ask(relations=(to("left"),), positions=("left",))
    assert run([tubelet(4, x=20.0, height=110), *scene[1:]], query)[0].id == 4
    everybody = [tubelet(5, x=600.0), tubelet(6, x=380.0), tubelet(7, "car", x=460.0)]
    assert run(everybody, query)[0].id == 6


def test_the_place_beside_a_thing_that_is_not_there_is_one_in_the_picture() -> None:
    scene = [tubelet(1, x=400.0), tubelet(2, x=60.0)]
    assert run(scene, ask(relations=(to("left"),), positions=("left",)))[0].id == 2


def test_behind_is_farther_by_the_feet() -> None:
    far, near = tubelet(1, x=280.0, height=110), tubelet(2, x=330.0, height=190)
    assert winner("behind", far, near, tubelet(3, "car", x=300.0)) == 1
    assert winner("front", far, near, tubelet(3, "car", x=300.0)) == 2


def test_behind_one_who_walks_is_where_he_comes_from() -> None:
    leads = tubelet(3, "dog", x=lambda t: 200 + 70 * t)
    before = tubelet(1, x=lambda t: 310 + 70 * t)
    after = tubelet(2, x=lambda t: 90 + 70 * t)
    assert winner("behind", before, after, leads, word="dog") == 2
    assert winner("front", before, after, leads, word="dog") == 1


def test_what_is_held_is_held_by_one() -> None:
    scene = [tubelet(1, x=250.0), tubelet(2, x=330.0), tubelet(3, "dog", x=350.0, height=60)]
    assert winner("hold", *scene, word="dog") == 2


def test_a_hug_is_more_than_standing_near() -> None:
    scene = [tubelet(1, x=100.0), tubelet(2, x=240.0), tubelet(3, "dog", x=280.0)]
    assert winner("touch", *scene, word="dog") == 2


def test_between_two() -> None:
    cars = [tubelet(4, "car", x=150.0), tubelet(5, "car", x=450.0)]
    people = [tubelet(1, x=30.0), tubelet(2, x=300.0), tubelet(3, x=550.0)]
    assert winner("between", *people, *cars) == 2


def test_walking_towards_and_away() -> None:
    scene = [
        tubelet(1, x=lambda t: 20 + 30 * t),
        tubelet(2, x=lambda t: 330 - 30 * t),
        tubelet(3, "car", x=420.0),
    ]
    assert winner("toward", *scene) == 1
    assert winner("away", *scene) == 2


def test_the_colour_says_which_of_two_things() -> None:
    scene = [
        tubelet(1, x=60.0),
        tubelet(2, x=500.0),
        tubelet(3, "car", x=120.0, upper="red"),
        tubelet(4, "car", x=560.0, upper="white"),
    ]
    (relation,) = parse("the man next to the white car").relations
    assert run(scene, ask(relations=(relation,)))[0].id == 2


@pytest.mark.parametrize(
    ("order", "best"), [((2, "left"), 2), ((1, "right"), 3), ((3, "right"), 1)]
)
def test_second_from_the_left(order: tuple[int, str], best: int) -> None:
    row = [tubelet(1, x=50.0), tubelet(2, x=250.0), tubelet(3, x=450.0)]
    assert run(row, ask(order=order))[0].id == best


def test_terms_are_log_chances() -> None:
    field = candidates([tubelet(1), tubelet(2, x=20.0), tubelet(3, "car")], SIZE, TIMELINE)
    assert relation_term(field, field, ask(), CLASSES).tolist() == [0, 0, 0]
    assert order_term(field, ask(), field).tolist() == [0, 0, 0]
    said = ask(relations=(to("on", "dog"),))  # no dog there: nothing is said
    assert relation_term(field, field, said, CLASSES).tolist() == [0, 0, 0]
    for kind in ("left", "in", "hold", "touch", "away", "between", "closest"):
        values = relation_term(field, field, ask(relations=(to(kind),)), CLASSES)
        assert (values <= 1e-6).all()
        assert (values >= np.log(0.15) - 1e-6).all()

"""Little, big and tall among those that stand as far away; roles by their thing."""

import numpy as np
import pytest

from cospal_cli.core.query import Attribute, Excluded
from cospal_cli.core.tubelets import Tubelet
from cospal_cli.language.parser.parse import parse
from cospal_cli.ranking.candidates import candidates
from cospal_cli.ranking.sizes import size_term
from tests.test_ground import SIZE, TIMELINE, ask, run, tubelet


def raised(number: int, height: float, feet: float, x: float) -> Tubelet:
    made = tubelet(number, height=height, x=x)
    made.boxes_xyxy[:, 1::2] += feet - made.boxes_xyxy[:, 3:]
    return made


LITTLE, BIG = (ask(attributes=(Attribute(word, "size"),)) for word in ("little", "big"))


def test_a_child_in_front_is_little_beside_its_father() -> None:
    child, father = raised(1, 120, 330, 300.0), raised(2, 200, 335, 400.0)
    far = raised(3, 60, 150, 100.0)  # a man far behind is smaller in the picture
    field = candidates([child, father, far], SIZE, TIMELINE)
    little, big = (size_term(field, query, field) for query in (LITTLE, BIG))
    assert little[0] > np.log(0.9)
    assert little[1] < np.log(0.3)
    assert little[2] == 0  # nobody is as far away
    assert big[1] > big[0]
    denied = ask(excluded=Excluded(attributes=(Attribute("little", "size"),)))
    assert size_term(field, denied, field).tolist() == big.tolist()


def test_alone_nothing_is_said() -> None:
    field = candidates([tubelet(1)], SIZE, TIMELINE)
    assert size_term(field, LITTLE, field).tolist() == [0]


def test_the_size_of_a_garment_is_not_the_subject_s() -> None:
    field = candidates([raised(1, 120, 330, 300.0), raised(2, 200, 330, 400.0)], SIZE, TIMELINE)
    query = ask(attributes=(Attribute("big", "size", garment="hat"),))
    assert size_term(field, query, field).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("role", "kind", "thing"),
    [
        ("rider", "on", "horse"),
        ("cyclist", "on", "bicycle"),
        ("driver", "in", "car"),
        ("batter", "hold", "baseball bat"),
        ("waiter", "hold", "cup"),
    ],
)
def test_roles_are_known_by_their_thing(role: str, kind: str, thing: str) -> None:
    (relation,) = parse(f"the {role} in red").relations
    assert relation.kind == kind
    assert thing in relation.classes


def test_the_driver_is_the_one_in_the_car() -> None:
    car = tubelet(3, "car", x=380.0, height=220)
    scene = [tubelet(1, x=100.0, height=120), tubelet(2, x=400.0, height=90), car]
    assert run(scene, ask(relations=parse("the driver").relations))[0].id == 2

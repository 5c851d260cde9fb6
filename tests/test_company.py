"""Nearness to the sentence's other things."""

import numpy as np
import pytest

from cospal_cli.ranking.candidates import candidates
from cospal_cli.ranking.company import company_term
from tests.test_ground import CLASSES, SIZE, TIMELINE, ask, run, tubelet

NEXT_TO_A_CAR = ask(context={"car": {"car": 1.0}})


def terms(*tubelets: object) -> np.ndarray:
    field = candidates(tubelets, SIZE, TIMELINE)  # type: ignore[arg-type]
    return company_term(field, field, NEXT_TO_A_CAR, CLASSES)


def test_the_one_beside_the_car_wins() -> None:
    scene = [tubelet(1, x=20.0, height=160), tubelet(2, x=400.0), tubelet(3, "car", x=460.0)]
    assert run(scene, ask())[0].id == 1
    assert run(scene, NEXT_TO_A_CAR)[0].id == 2


def test_nearness_falls_with_the_gap_in_own_sizes() -> None:
    near, middle, far, _ = terms(
        tubelet(1, x=305.0), tubelet(2, x=250.0), tubelet(3, x=20.0), tubelet(4, "car", x=380.0)
    )
    assert near == pytest.approx(0, abs=1e-6)
    assert near > middle > far >= np.log(0.25)


def test_absent_things_say_nothing() -> None:
    assert terms(tubelet(1), tubelet(2, x=20.0)).tolist() == [0, 0]


def test_things_at_other_times_are_not_company() -> None:
    early, late, _ = terms(
        tubelet(1, end=4.0), tubelet(2, start=5.0), tubelet(3, "car", start=5.0, x=360.0)
    )
    assert late > early == pytest.approx(np.log(0.25))


def test_the_subject_seen_twice_is_no_company() -> None:
    query = ask(context={"man": {"person": 1.0}})
    field = candidates([tubelet(1, x=300.0), tubelet(2, x=303.0)], SIZE, TIMELINE)
    assert company_term(field, field, query, CLASSES) == pytest.approx(np.log(0.25), abs=1e-6)

"""What a sentence denies counts against: the parser and the ranking together, on known tubelets."""

from collections.abc import Callable

import numpy as np
import pytest

from cospal_cli.core.tubelets import Tubelet
from cospal_cli.language.lexicon.words import thing
from cospal_cli.language.parser.parse import parse
from cospal_cli.ranking import zero_shot
from cospal_cli.ranking.candidates import Candidate, candidates
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.method import tubes_of
from cospal_cli.settings import GroundConfig, LanguageConfig
from tests.test_ground import CLASSES, SIZE, TIMELINE, tubelet

NO_MODEL = LanguageConfig(similarity=False)


def winner(sentence: str, tubelets: list[Tubelet], wears: dict[int, str] | None = None) -> int:
    """The id of the best tubelet; ``wears``: what the appearance classifier sees, by id."""

    def appearance_of(candidate: Candidate) -> np.ndarray:
        seen = np.full(1000, 1e-4, np.float32)
        for index in thing((wears or {}).get(candidate.tubelet.id, "")).appearance:
            seen[index] = 0.8
        return seen

    evidence = Evidence(TIMELINE, CLASSES, appearance_of=appearance_of)
    field = candidates(tubelets, SIZE, TIMELINE)
    query, config = parse(sentence, NO_MODEL), GroundConfig()
    ranked = zero_shot.rank(field, query, evidence, config)
    return tubes_of(ranked, query, evidence, config)[0].id


@pytest.mark.parametrize(
    ("said", "denied"),
    [
        ("the man wearing a helmet", "the man not wearing a helmet"),
        ("the man with a helmet", "the man without a helmet"),
        ("the man with a helmet", "the man with no helmet"),
        ("the helmeted man", "the helmetless man"),
        ("the man who has a helmet", "the man who doesn't have a helmet"),
        ("the one with the helmet", "the man other than the one with the helmet"),
        ("the man who isn't without a helmet", "the man who isn't wearing a helmet"),
    ],
)
def test_garments(said: str, denied: str) -> None:
    rivals = [tubelet(1), tubelet(2, x=100)]
    assert winner(said, rivals, {2: "helmet"}) == 2
    assert winner(denied, rivals, {2: "helmet"}) == 1
    assert winner(said, rivals, {1: "helmet"}) == 1
    assert winner(denied, rivals, {1: "helmet"}) == 2


@pytest.mark.parametrize(
    "denied",
    [
        "the man who is not in red",
        "the man not wearing a red shirt",
        "the man in a non-red shirt",
        "everyone except the man in red",
        "the man in anything but red",
        "the man whose shirt isn't red",
    ],
)
@pytest.mark.parametrize("red", [1, 2])
def test_colours(denied: str, red: int) -> None:
    rivals = [tubelet(n, x=200 * n, upper="red" if n == red else "gray") for n in (1, 2)]
    assert winner("the man in red", rivals) == red
    assert winner(denied, rivals) == 3 - red


@pytest.mark.parametrize("kind", ["dog", "car"])
def test_colours_of_things(kind: str) -> None:
    rivals = [tubelet(1, kind, upper="black"), tubelet(2, kind, x=20, upper="white")]
    assert winner(f"the {kind} that is not black", rivals) == 2
    assert winner(f"the non-white {kind}", rivals) == 1
    assert winner(f"the {kind} that isn't white", rivals) == 1


@pytest.mark.parametrize("side", ["left", "right"])
def test_positions(side: str) -> None:
    rivals = [tubelet(1, x=20), tubelet(2, x=540)]
    at = 1 if side == "left" else 2
    assert winner(f"the man on the {side}", rivals) == at
    assert winner(f"the man not on the {side}", rivals) == 3 - at
    assert winner(f"the man who is not standing on the {side}", rivals) == 3 - at
    assert winner(f"the man, not the one on the {side}", rivals) == 3 - at


def going(number: int, speed: float) -> Tubelet:
    along: Callable[[np.ndarray], np.ndarray] = lambda t: 10 + speed * t  # noqa: E731
    return tubelet(number, x=along)


@pytest.mark.parametrize("moving", [1, 2])
def test_actions(moving: int) -> None:
    rivals = [going(n, 55 if n == moving else 0) for n in (1, 2)]
    assert winner("the man who is walking", rivals) == moving
    assert winner("the man who is not walking", rivals) == 3 - moving
    assert winner("the man who never moves", rivals) == 3 - moving
    assert winner("the man who isn't standing still", rivals) == moving


def test_company() -> None:
    rivals = [tubelet(1, x=20), tubelet(2, x=400), tubelet(3, "dog", x=90, height=60)]
    assert winner("the man with a dog", rivals) == 1
    assert winner("the man without a dog", rivals) == 2
    assert winner("the man who is not next to the dog", rivals) == 2


def test_classes() -> None:
    rivals = [tubelet(1, "dog", height=200), tubelet(2, "car", x=20)]
    assert winner("the thing that is not a dog", rivals) == 2


def test_what_is_denied_of_others_says_nothing_of_the_subject() -> None:
    query = parse("the man next to the woman without a red hat", NO_MODEL)
    assert query.excluded.words() == ()
    assert query.attributes == ()

"""When an action shows, on made-up tubelets whose moments are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from cospal_cli.core.frames import Timeline
from cospal_cli.core.query import Action, Query
from cospal_cli.core.tubelets import Tubelet
from cospal_cli.language.parser.parse import parse
from cospal_cli.ranking.candidates import Candidate, candidates
from cospal_cli.ranking.moments import movement
from cospal_cli.ranking.span import span

CLASSES = ("person", "car", "dog")
SIZE = (640, 360)
TIMELINE = Timeline(np.arange(300), np.arange(300) * 512, np.arange(300) / 30, end_s=10.0)
Path = Callable[[np.ndarray], np.ndarray]


def tubelet(
    number: int, x: Path | float, label: str = "person", *, end: float = 9.9, side: float = 80.0
) -> Tubelet:
    """A box of 80 pixels whose left border is at ``x``, cut off by the frame's."""
    times = np.round(np.arange(0, end + 1e-6, 0.1), 3)
    left = x(times) if callable(x) else np.full(len(times), x)
    boxes = np.stack([left, np.full(len(times), 150.0), left + side, np.full(len(times), 230.0)], 1)
    boxes = np.clip(boxes, 0, [*SIZE, *SIZE])
    scores = np.full(len(CLASSES), 0.01, np.float32)
    scores[CLASSES.index(label)] = 0.7
    return Tubelet(
        number, np.round(times * 30).astype(np.int64), times, boxes.astype(np.float32),
        np.full(len(times), 0.7, np.float32), np.ones(len(times), bool), scores,
    )  # fmt: skip


def lost(one: Tubelet, start: float, end: float) -> Tubelet:
    """The same, not seen between two times."""
    return replace(one, observed=(one.times_s < start) | (one.times_s > end))


def made(*tubelets: Tubelet) -> list[Candidate]:
    return candidates(tubelets, SIZE, TIMELINE)


def legs(*points: tuple[float, float]) -> Path:
    """Left border by (seconds, pixels), straight between."""
    at, to = zip(*points, strict=True)
    return lambda times: np.interp(times, at, to)


def walk(*directions: str) -> Action:
    return Action("walks", "move", directions)


def moment(
    candidate: Candidate, action: Action, things: Sequence[Candidate] = ()
) -> tuple[float, float] | None:
    """First and last time at which the strongest movement is going on."""
    curve = movement(candidate, action, things)
    if curve is None:
        return None
    times, on = candidate.tubelet.times_s, np.flatnonzero(curve == curve.max())
    return float(times[on[0]]), float(times[on[-1]])


WALK = legs((0, 50), (2, 50), (4, 350))  # walks from 2 to 4 s, then stays
# To the right and, five seconds later, back; each at almost two heights a second.
THERE_AND_BACK = legs((0, 60), (1, 60), (3, 360), (6, 360), (8, 60))


@pytest.mark.parametrize("directions", [(), ("right",), ("to",), ("away",)])
def test_a_walk_is_from_its_first_step_to_its_last(directions: tuple[str, ...]) -> None:
    (walker,) = made(tubelet(1, WALK))
    assert moment(walker, walk(*directions)) == pytest.approx((2.0, 4.0), abs=0.25)
    found = span(walker, Query("q", "q", "man", {"person": 1.0}, actions=(walk(*directions),)))
    assert (found.start, found.end) == pytest.approx((2.0, 4.0), abs=0.3)


@pytest.mark.parametrize(("place", "began"), [(20.0, 6.0), (520.0, 1.0)])
def test_to_a_thing_is_where_it_gets_nearer(place: float, began: float) -> None:
    walker, thing = made(tubelet(1, THERE_AND_BACK), tubelet(2, place, "dog"))
    found = moment(walker, walk("to"), [walker, thing])
    assert found is not None
    assert found[0] == pytest.approx(began, abs=0.25)


def test_a_thing_that_comes_along_or_is_not_there_says_nothing() -> None:
    walker, along, gone, slow = made(
        tubelet(1, THERE_AND_BACK),
        tubelet(2, lambda t: THERE_AND_BACK(t) + 90),
        tubelet(3, 20.0, end=3.0),
        tubelet(4, legs((0, 50), (9.9, 250))),
    )
    for things in ([], [walker], [along], [gone]):
        found = moment(walker, walk("to"), things)
        assert found is not None
        assert found[0] == pytest.approx(1.0, abs=0.25)  # an arrival is the first movement
    assert moment(slow, walk("to"), made(tubelet(5, 400.0))) is None


def test_the_sentence_names_the_thing() -> None:
    everything = made(tubelet(1, THERE_AND_BACK, "dog"), tubelet(2, 20.0), tubelet(3, 520.0, "car"))
    query = parse("the dog runs back to the woman")
    assert query.actions[0].directions == ("to",)
    assert span(everything[0], query, everything, CLASSES)[0] == pytest.approx(5.85, abs=0.3)
    to_car = parse("the dog runs to the car")
    assert span(everything[0], to_car, everything, CLASSES)[1] == pytest.approx(3.15, abs=0.3)


@pytest.mark.parametrize("edge", [580.0, -20.0])
def test_out_of_the_picture_is_up_to_where_it_is_lost_at_the_border(edge: float) -> None:
    path = legs((0, 280), (1, 280), (3, edge), (6, edge), (8, 280))
    (seen,) = made(tubelet(1, path))
    (leaves,) = made(lost(tubelet(1, path), 3.05, 5.95))
    out, away = walk("out"), walk("away")
    assert moment(leaves, out) == pytest.approx((1.0, 3.0), abs=0.25)
    assert moment(leaves, away) == pytest.approx((6.0, 8.0), abs=0.25)
    assert moment(seen, out) == pytest.approx((6.0, 8.0), abs=0.25)


def test_who_is_hidden_in_the_middle_has_not_left() -> None:
    (hidden,) = made(lost(tubelet(1, THERE_AND_BACK), 3.05, 5.95))
    assert moment(hidden, walk("out")) == pytest.approx((6.0, 8.0), abs=0.25)


@pytest.mark.parametrize(
    "action", [walk(), walk("out"), walk("to"), Action("kneels", "limb", ("down",)),
               Action("talks", "talk"), Action("juggles", "limb")],
)  # fmt: skip
def test_nothing_above_noise_is_the_whole_tubelet(action: Action) -> None:
    rng = np.random.default_rng(2)
    (still,) = made(tubelet(1, lambda t: 300 + rng.normal(0, 1.5, len(t))))
    assert moment(still, action) is None
    whole = span(still, Query("q", "q", "man", {"person": 1.0}, actions=(action,)))
    assert (whole.start, whole.end) == pytest.approx((0.0, 9.95))


def test_of_two_observations_nothing_is_said() -> None:
    (short,) = made(tubelet(1, 300.0, end=0.1))
    assert moment(short, walk("to"), made(tubelet(2, 50.0))) is None

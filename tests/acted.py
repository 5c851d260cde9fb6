"""Made-up scenes of one action each: tubelets whose moments are known to a tenth of a second.

Boxes follow points given by hand (seconds, centre, feet, width, height), with the jitter of a
detector. Each scene holds idle time and some other movement beside the action, so that neither the
whole tubelet nor the largest movement is the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cospal_cli.core.frames import Timeline
from cospal_cli.core.tubelets import BoxColours, Tubelet

CLASSES = ("person", "sports ball", "bicycle", "car", "dog", "suitcase", "cup")
SIZE = (640, 360)
FPS = 10
END_S = 16.0
TIMELINE = Timeline(np.arange(160), np.arange(160) * 512, np.arange(160) / FPS, end_s=END_S)
Point = tuple[float, ...]  # seconds, then the centre, the feet, the width and the height in pixels


@dataclass(frozen=True)
class Scene:
    """Tubelets, the subject first; what is said of it, and from when to when that is so."""

    sentence: str
    tubelets: tuple[Tubelet, ...]
    span_s: tuple[float, float]


def moving(
    number: int,
    label: str,
    points: Sequence[Point],
    rng: np.random.Generator,
    *,
    seen: tuple[float, float] = (0.0, END_S),
    jitter: float = 0.012,
) -> Tubelet:
    """A tubelet through ``points``, straight between; ``jitter`` in its own sizes."""
    times = np.arange(round(seen[0] * FPS), round(seen[1] * FPS)) / FPS
    at, *rows = np.array(points, np.float64).T
    x, feet, width, height = (np.interp(times, at, row) for row in rows)
    boxes = np.stack([x - width / 2, feet - height, x + width / 2, feet], axis=1)
    boxes += rng.normal(0, jitter * np.sqrt(np.median(width * height)), boxes.shape)
    boxes = np.clip(boxes, 0, [*SIZE, *SIZE])
    scores = np.full(len(CLASSES), 0.01, np.float32)
    scores[CLASSES.index(label)] = 0.7
    count = len(times)
    thumbs = np.clip(rng.normal(128, 6, (count, 12, 12)), 0, 255).astype(np.uint8)
    return Tubelet(
        number, np.round(times * FPS).astype(np.int64), times, boxes.astype(np.float32),
        np.full(count, 0.7, np.float32), np.ones(count, bool), scores,
        colours=BoxColours(np.full((count, 5, 11), 23, np.uint8), thumbs),
    )  # fmt: skip


def scene(kind: str, rng: np.random.Generator) -> Scene:
    """One scene of a kind of ``KINDS``; the moment lies anywhere."""
    return KINDS[kind](rng, float(rng.uniform(4.0, 10.0)))


def _person(x: float, at: float, *changes: Point, stroll: float = 60.0) -> list[Point]:
    """Someone of 110 pixels who strolls to ``x`` within the first seconds, then ``changes``.

    A change: seconds after ``at``, then centre, feet, width and height relative to standing at
    ``x``: 0, 0, 1, 1.
    """
    points: list[Point] = [(0.0, x - stroll, 300.0, 42.0, 110.0), (1.5, x, 300.0, 42.0, 110.0)]
    for seconds, dx, dy, width, height in changes:
        points.append((at + seconds, x + dx, 300.0 + dy, 42.0 * width, 110.0 * height))
    return points


def _ball(*points: Point) -> list[Point]:
    return [(*point, 14.0, 14.0) for point in points]


STAND = (0.0, 0.0, 1.0, 1.0)


def _throw(rng: np.random.Generator, at: float) -> Scene:
    """The arm goes back, the ball leaves at .6 s and is gone after a second."""
    man = _person(200, at, (0.0, *STAND), (0.4, 0, 0, 1.3, 1), (0.8, 0, 0, 1.3, 1), (1.1, *STAND))
    ball = _ball((0.0, 155, 250), (1.5, 215, 250), (at, 215, 250), (at + 0.6, 200, 200),
                 (at + 1.6, 520, 180), (at + 2.4, 560, 296))  # fmt: skip
    told = ("the man throws the ball", "the player shoots", "the boy tosses the ball to the girl")
    return Scene(
        str(rng.choice(told)),
        (moving(1, "person", man, rng), moving(2, "sports ball", ball, rng, jitter=0.08)),
        (at, at + 1.1),
    )


def _throw_lost(rng: np.random.Generator, at: float) -> Scene:
    """The same; in its flight the ball is found once more, or never."""
    plain = _throw(rng, at)
    ball = _ball((0.0, 155, 250), (1.5, 215, 250), (at, 215, 250), (at + 0.6, 200, 200))
    far = _ball((at + 1.2, 420, 180), (END_S, 420, 180))
    pieces = [moving(2, "sports ball", ball, rng, seen=(0.0, at + 0.6), jitter=0.08)]
    if rng.random() < 0.5:
        pieces.append(moving(3, "sports ball", far, rng, seen=(at + 1.2, END_S), jitter=0.08))
    return Scene(plain.sentence, (plain.tubelets[0], *pieces), plain.span_s)


def _kick(rng: np.random.Generator, at: float) -> Scene:
    """Runs up to a ball that lies, and kicks it off."""
    man = _person(150, at, (-1.2, *STAND), (-0.1, 150, 0, 1.2, 1), (0.4, 165, 0, 1.4, 1),
                  (0.7, 165, 0, 1, 1))  # fmt: skip
    ball = _ball((0.0, 330, 300), (at, 330, 300), (at + 1.0, 600, 280), (at + 1.5, 615, 290))
    return Scene(
        "the boy kicks the ball",
        (moving(1, "person", man, rng), moving(2, "sports ball", ball, rng, jitter=0.08)),
        (at - 0.6, at + 0.6),
    )


def _catch(rng: np.random.Generator, at: float) -> Scene:
    man = _person(300, at, (-0.4, *STAND), (0.0, 0, 0, 1.3, 1), (0.6, *STAND))
    ball = _ball((0.0, 40, 150), (at - 0.9, 40, 150), (at, 290, 240), (END_S, 300, 250))
    return Scene(
        "the man catches the ball",
        (moving(1, "person", man, rng), moving(2, "sports ball", ball, rng, jitter=0.08)),
        (at - 0.6, at + 0.4),
    )


def _pick_up(rng: np.random.Generator, at: float) -> Scene:
    man = _person(300, at, (0.0, *STAND), (0.7, 0, 0, 1.3, 0.62), (1.0, 0, 0, 1.3, 0.62),
                  (1.7, *STAND), (3.0, *STAND), (5.0, -140, 0, 1, 1))  # fmt: skip
    box = [(0.0, 330, 300, 34, 26), (at + 0.95, 330, 300, 34, 26), (at + 1.7, 315, 262, 34, 26),
           (at + 3.0, 315, 262, 34, 26), (at + 5.0, 175, 262, 34, 26)]  # fmt: skip
    told = ("the man picks up the suitcase", "the man bends down", "the man lifts the suitcase")
    return Scene(
        str(rng.choice(told)),
        (moving(1, "person", man, rng), moving(2, "suitcase", box, rng)),
        (at, at + 1.7),
    )


def _put_down(rng: np.random.Generator, at: float) -> Scene:
    man = _person(300, at, (0.0, *STAND), (0.7, 0, 0, 1.3, 0.62), (1.0, 0, 0, 1.3, 0.62),
                  (1.7, *STAND), (3.0, *STAND), (5.0, -140, 0, 1, 1))  # fmt: skip
    box = [(0.0, 255, 262, 34, 26), (1.5, 315, 262, 34, 26), (at, 315, 262, 34, 26),
           (at + 0.8, 330, 300, 34, 26)]  # fmt: skip
    told = ("the man puts down the suitcase", "the man puts the suitcase on the floor")
    return Scene(
        str(rng.choice(told)),
        (moving(1, "person", man, rng), moving(2, "suitcase", box, rng)),
        (at, at + 1.7),
    )


def _hug(rng: np.random.Generator, at: float) -> Scene:
    """Steps up to her, holds her for two to three seconds, steps back."""
    for_s = float(rng.uniform(2.0, 3.0))
    man = _person(240, at, (-0.6, *STAND), (0.0, 60, 0, 1.2, 1), (for_s, 60, 0, 1.2, 1),
                  (for_s + 0.7, *STAND))  # fmt: skip
    woman = _person(325, at, stroll=-20)
    told = ("the man hugs the woman", "the man kisses the woman", "the man embraces the woman")
    return Scene(
        str(rng.choice(told)),
        (moving(1, "person", man, rng), moving(2, "person", woman, rng)),
        (at - 0.2, at + for_s + 0.2),
    )


def _hug_merged(rng: np.random.Generator, at: float) -> Scene:
    """The same, and the other one is lost meanwhile, and found again as another."""
    plain = _hug(rng, at)
    start, end = plain.span_s
    woman = _person(325, at, stroll=-20)
    return Scene(
        plain.sentence,
        (plain.tubelets[0], moving(2, "person", woman, rng, seen=(0.0, start + 0.4)),
         moving(3, "person", woman, rng, seen=(end - 0.3, END_S))),
        plain.span_s,
    )  # fmt: skip


def _let_go(rng: np.random.Generator, at: float) -> Scene:
    man = _person(200, at)
    dog = [(0.0, 185, 300, 44, 36), (1.5, 240, 300, 44, 36), (at, 240, 300, 44, 36),
           (at + 1.5, 520, 300, 44, 36), (END_S, 560, 300, 44, 36)]  # fmt: skip
    told = ("the man lets go of the dog", "the man releases the dog")
    return Scene(
        str(rng.choice(told)),
        (moving(1, "person", man, rng), moving(2, "dog", dog, rng)),
        (at - 0.6, at + 0.6),
    )


def _push(rng: np.random.Generator, at: float) -> Scene:
    """A shove: she stumbles two steps back."""
    man = _person(240, at, (-0.5, *STAND), (0.0, 25, 0, 1.3, 1), (0.4, 25, 0, 1.3, 1),
                  (0.9, *STAND))  # fmt: skip
    woman = _person(310, at, (0.0, *STAND), (0.8, 80, 0, 1, 1), stroll=-20)
    return Scene(
        "the man pushes the woman",
        (moving(1, "person", man, rng), moving(2, "person", woman, rng)),
        (at - 0.5, at + 0.7),
    )


def _push_bike(rng: np.random.Generator, at: float) -> Scene:
    """Walks alone first, then with the bicycle, then alone again."""
    man = _person(120, at, (0.0, *STAND), (3.0, 210, 0, 1, 1), (3.5, 210, 0, 1, 1),
                  (5.0, 110, 0, 1, 1))  # fmt: skip
    bike = [(0.0, 165, 305, 70, 60), (at, 165, 305, 70, 60), (at + 3.0, 375, 305, 70, 60)]
    return Scene(
        "the man pushes the bicycle",
        (moving(1, "person", man, rng), moving(2, "bicycle", bike, rng)),
        (at, at + 3.0),
    )


def _follow(rng: np.random.Generator, at: float) -> Scene:
    """Walks about alone, then behind her for three seconds."""
    dog = [(0.0, 60, 300, 50, 40), (1.5, 180, 300, 50, 40), (2.5, 180, 300, 50, 40),
           (3.6, 90, 300, 50, 40), (at, 90, 300, 50, 40), (at + 3.0, 400, 300, 50, 40)]  # fmt: skip
    woman = _person(200, at, (0.0, *STAND), (3.0, 310, 0, 1, 1), stroll=0)
    told = ("the dog follows the woman", "the dog chases the woman")
    return Scene(
        str(rng.choice(told)),
        (moving(1, "dog", dog, rng), moving(2, "person", woman, rng)),
        (at, at + 3.0),
    )


def _run_up(rng: np.random.Generator, at: float) -> Scene:
    """Runs away from her first, then up to her."""
    boy = _person(420, at, (-2.2, *STAND), (-1.2, -260, 0, 1, 1), (0.0, -260, 0, 1, 1),
                  (1.3, -30, 0, 1, 1))  # fmt: skip
    woman = _person(470, at, stroll=0)
    told = ("the boy runs up to the woman", "the boy runs over to the woman")
    return Scene(
        str(rng.choice(told)),
        (moving(1, "person", boy, rng), moving(2, "person", woman, rng)),
        (at, at + 1.3),
    )


def _get_on(rng: np.random.Generator, at: float) -> Scene:
    """Stands beside the bicycle, steps over it, and rides off later."""
    woman = _person(230, at, (0.0, *STAND), (1.2, 62, -12, 1, 1), (3.5, 62, -12, 1, 1),
                    (5.5, 280, -12, 1, 1))  # fmt: skip
    bike = [(0.0, 295, 305, 80, 60), (at + 3.5, 295, 305, 80, 60), (at + 5.5, 510, 305, 80, 60)]
    return Scene(
        "the woman gets on the bicycle",
        (moving(1, "person", woman, rng), moving(2, "bicycle", bike, rng)),
        (at, at + 1.5),
    )


def _get_off(rng: np.random.Generator, at: float) -> Scene:
    """Rides up, stops, steps off, walks away later."""
    man = [(0.0, 80, 288, 42, 110), (2.0, 300, 288, 42, 110), (at, 300, 288, 42, 110),
           (at + 1.2, 362, 300, 42, 110), (at + 3.5, 362, 300, 42, 110),
           (at + 5.5, 560, 300, 42, 110)]  # fmt: skip
    bike = [(0.0, 80, 305, 80, 60), (2.0, 300, 305, 80, 60)]
    told = ("the man gets off the bicycle", "the man dismounts the bicycle")
    return Scene(
        str(rng.choice(told)),
        (moving(1, "person", man, rng), moving(2, "bicycle", bike, rng)),
        (at - 0.3, at + 1.2),
    )


def _get_in(rng: np.random.Generator, at: float) -> Scene:
    """Waits, walks to the car, and is lost in it."""
    man = _person(150, at, (-3.0, *STAND), (-1.5, 130, 0, 1, 1), (-0.3, 150, 0, 1, 1),
                  (0.6, 190, 0, 1, 0.85))  # fmt: skip
    car = [(0.0, 370, 310, 190, 90)]
    return Scene(
        str(rng.choice(["the man gets in the car", "the man gets into the car"])),
        (moving(1, "person", man, rng, seen=(0.0, at + 0.6)), moving(2, "car", car, rng)),
        (at - 1.0, at + 0.6),
    )


def _get_in_alone(rng: np.random.Generator, at: float) -> Scene:
    """The same, and the car is not found."""
    plain = _get_in(rng, at)
    return Scene(plain.sentence, plain.tubelets[:1], plain.span_s)


def _hand_over(rng: np.random.Generator, at: float) -> Scene:
    man = _person(240, at, (0.0, *STAND), (0.4, 0, 0, 1.5, 1), (0.9, 0, 0, 1.5, 1), (1.3, *STAND),
                  (4.0, *STAND), (5.5, -120, 0, 1, 1))  # fmt: skip
    woman = _person(325, at, stroll=-20)
    cup = [(0.0, 193, 245, 16, 18), (1.5, 253, 245, 16, 18), (at, 253, 245, 16, 18),
           (at + 0.7, 310, 245, 16, 18)]  # fmt: skip
    told = ("the man hands the cup to the woman", "the man gives the woman the cup")
    return Scene(
        str(rng.choice(told)),
        (moving(1, "person", man, rng), moving(2, "person", woman, rng),
         moving(3, "cup", cup, rng, jitter=0.05)),
        (at, at + 1.2),
    )  # fmt: skip


def _jump(rng: np.random.Generator, at: float) -> Scene:
    hops = int(rng.integers(1, 4))
    arc = [(0.6 * hop + 0.6 * s, 0, -110 * 0.3 * 4 * s * (1 - s), 1, 1)
           for hop in range(hops) for s in (0, 0.17, 0.33, 0.5, 0.67, 0.83)]  # fmt: skip
    girl = _person(250, at, *arc, (0.6 * hops, *STAND), (4, *STAND), (5.5, 120, 0, 1, 1))
    return Scene("the girl jumps", (moving(1, "person", girl, rng),), (at, at + 0.6 * hops))


def _stop(rng: np.random.Generator, at: float) -> Scene:
    car = [(0.0, 60, 300, 120, 60), (at, 60 + 40 * at, 300, 120, 60)]
    return Scene("the car stops", (moving(1, "car", car, rng),), (at - 0.8, at + 0.8))


def _fall(rng: np.random.Generator, at: float) -> Scene:
    man = _person(250, at, (0.0, *STAND), (0.5, 35, 0, 2.3, 0.4), (1.5, 35, 0, 2.3, 0.4),
                  (2.8, *STAND))  # fmt: skip
    told = ("the man falls", "the man falls down", "the man collapses")
    return Scene(str(rng.choice(told)), (moving(1, "person", man, rng),), (at, at + 1.6))


def _kneel(rng: np.random.Generator, at: float) -> Scene:
    """Goes down and stays; walks towards the camera before, which is no change of posture."""
    man = [(0.0, 240, 250, 30, 80), (3.0, 250, 300, 42, 110), (at, 250, 300, 42, 110),
           (at + 0.9, 250, 300, 44, 72)]  # fmt: skip
    told = ("the man kneels down", "the man sits down", "the man squats")
    return Scene(str(rng.choice(told)), (moving(1, "person", man, rng),), (at, at + 1.8))


def _stand_up(rng: np.random.Generator, at: float) -> Scene:
    man = [(0.0, 250, 300, 46, 74), (at, 250, 300, 46, 74), (at + 1.0, 250, 300, 42, 110),
           (at + 3.0, 250, 300, 42, 110), (at + 4.5, 400, 300, 42, 110)]  # fmt: skip
    told = ("the man stands up", "the man gets up")
    return Scene(str(rng.choice(told)), (moving(1, "person", man, rng),), (at, at + 1.0))


KINDS: dict[str, Callable[[np.random.Generator, float], Scene]] = {
    "throw": _throw, "throw, lost": _throw_lost, "kick": _kick, "catch": _catch,
    "pick up": _pick_up, "put down": _put_down, "hand over": _hand_over, "let go": _let_go,
    "hug": _hug, "hug, merged": _hug_merged, "push": _push, "push a bicycle": _push_bike,
    "follow": _follow, "run up to": _run_up, "get on": _get_on, "get off": _get_off,
    "get in": _get_in, "get in, alone": _get_in_alone, "jump": _jump, "fall": _fall, "stop": _stop,
    "kneel": _kneel, "stand up": _stand_up,
}  # fmt: skip

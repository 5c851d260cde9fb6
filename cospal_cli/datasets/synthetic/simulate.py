"""A simulated detector: what a real one might find in a scene, with its mistakes.

It knows the true boxes and how much of every body is to be seen; it jitters, misses, mistakes one
class for another and sees people where there are none. Deterministic for a scene.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.boxes import clip
from cospal_cli.core.tubelets import Detections
from cospal_cli.datasets.synthetic.scene import Scene, framed
from cospal_cli.datasets.synthetic.scenery import CLASS_OF

PERSON = "person"
_MISTAKEN = ("dog", "teddy bear", "backpack", "suitcase")  # for a person
CLASSES = (PERSON, *_MISTAKEN, *sorted(set(CLASS_OF.values()) - set(_MISTAKEN)))


@dataclass(frozen=True)
class Mistakes:
    """How bad the detector is."""

    jitter: float = 0.025  # standard deviation of a side's error, in sides of the box
    misses: float = 0.03  # share of plainly visible people, besides those that are too hidden
    confused: float = 0.04  # share of people found as something else
    known: float = 0.5  # share of props that it can find
    props: float = 0.3  # chance per frame that such one is found, as a thing or, rarely, a person
    false_per_frame: float = 0.08  # boxes around nothing
    least_visible: float = 0.2  # share of a body below which nothing is found
    drift: float = 0.07  # standard deviation of the score's slow change


def detections(scene: Scene, mistakes: Mistakes = Mistakes()) -> list[Detections]:
    """One entry per frame; labels count in ``CLASSES``."""
    rng = np.random.default_rng([scene.recipe.seed, scene.number, 0, 2])
    rows: list[list[tuple[FloatArray, float, int]]] = [[] for _ in range(scene.frames)]
    for number in range(len(scene.actors)):
        _people(scene, number, mistakes, rng, rows)
    for _, prop, drawing in scene.props:
        if rng.random() > mistakes.known:
            continue
        label = CLASSES.index(CLASS_OF[prop.kind])
        _things(framed(drawing), label, mistakes, rng, rows)
    _nothing(scene, mistakes, rng, rows)
    return [_frame(scene, index, detected) for index, detected in enumerate(rows)]


Rows = list[list[tuple[FloatArray, float, int]]]  # per frame: box, score, label


def _people(
    scene: Scene, actor: int, mistakes: Mistakes, rng: np.random.Generator, rows: Rows
) -> None:
    boxes, visible = scene.boxes(actor), scene.visible[actor]
    tall = (boxes[:, 3] - boxes[:, 1]) / scene.recipe.size[1]
    sure = 0.93 - 0.55 * (1 - np.minimum(visible / 0.9, 1)) - 0.25 * np.exp(-tall / 0.12)
    scores = sure + _slow(len(boxes), mistakes.drift, rng)
    lost = rng.random(len(boxes)) < mistakes.misses
    wrong = rng.random(len(boxes)) < mistakes.confused
    shaken = _shaken(boxes, mistakes.jitter * (2 - visible), rng)
    for index in np.flatnonzero((visible >= mistakes.least_visible) & ~lost).tolist():
        label = int(rng.integers(1, 1 + len(_MISTAKEN))) if wrong[index] else 0
        rows[index].append((shaken[index], float(scores[index]), label))


def _things(
    boxes: FloatArray, label: int, mistakes: Mistakes, rng: np.random.Generator, rows: Rows
) -> None:
    """A prop: found in spells, as itself or for a whole spell as a person."""
    spell = _slow(len(boxes), 1.0, rng) + 0.6 > 0
    label = 0 if rng.random() < 0.15 else label
    scores = 0.31 + _slow(len(boxes), mistakes.drift, rng)
    shaken = _shaken(boxes, np.full(len(boxes), mistakes.jitter), rng)
    detected = spell & (rng.random(len(boxes)) < mistakes.props)
    for index in np.flatnonzero(detected).tolist():
        rows[index].append((shaken[index], float(scores[index]), label))


def _nothing(scene: Scene, mistakes: Mistakes, rng: np.random.Generator, rows: Rows) -> None:
    """Boxes around nothing: weak, of a frame or two."""
    width, height = scene.recipe.size
    for index in np.flatnonzero(rng.random(scene.frames) < mistakes.false_per_frame).tolist():
        tall = rng.uniform(0.15, 0.6) * height
        wide = tall * rng.uniform(0.3, 1.2)
        x, y = rng.uniform(-0.1, 0.9) * width, rng.uniform(0, 0.7) * height
        label = int(rng.integers(len(CLASSES))) if rng.random() < 0.6 else 0
        box = np.array([x, y, x + wide, y + tall], np.float32)
        rows[index].append((box, float(rng.uniform(0.15, 0.42)), label))


def _frame(scene: Scene, index: int, detected: list[tuple[FloatArray, float, int]]) -> Detections:
    """The boxes of one frame, cut to it, best first."""
    boxes = np.array([box for box, _, _ in detected], np.float32).reshape(-1, 4)
    boxes = clip(boxes, *scene.recipe.size)
    scores = np.clip(np.array([score for _, score, _ in detected], np.float32), 0.0, 0.99)
    labels = np.array([label for _, _, label in detected], np.int64)
    seen = (boxes[:, 2:] - boxes[:, :2] >= 2).all(axis=1) & (scores >= 0.1)
    order = np.argsort(-scores, kind="stable")
    rows = order[seen[order]]
    label_scores = np.zeros((len(rows), len(CLASSES)), np.float32)
    label_scores[np.arange(len(rows)), labels[rows]] = scores[rows]
    return Detections(index, boxes[rows], scores[rows], labels[rows], label_scores)


def _shaken(boxes: FloatArray, by: NDArray[np.float64], rng: np.random.Generator) -> FloatArray:
    """Boxes with every side off by about ``by`` (F,) of the box's own."""
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return (boxes + sides * by[:, None] * rng.normal(0, 1, boxes.shape)).astype(np.float32)


def _slow(length: int, deviation: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise (length,) that changes over about half a second at ten frames a second."""
    noise, keep = rng.normal(0, deviation, length), 0.8
    for at in range(1, length):
        noise[at] = keep * noise[at - 1] + np.sqrt(1 - keep**2) * noise[at]
    return noise

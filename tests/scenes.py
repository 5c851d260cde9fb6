"""Synthetic tracking scenes with known identities: boxes that move, hide each other, are missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray, IntArray
from cospal_cli.core.boxes import area, clip, intersection, iou
from cospal_cli.core.tubelets import BoxColours, Detections

CLASSES = ("person", "car", "truck", "cup", "dog")
REGIONS, NAMES, THUMB = 3, 8, 4
WIDTH = 256  # of the simulated features
VISIBLE = 0.35  # least visible share of a box that counts as there to be tracked

Path = Callable[[float], tuple[float, float, float, float]]  # seconds -> centre x, y, w, h; 0..1
View = Callable[
    [float], tuple[float, float, float]
]  # seconds -> zoom, shift x, y; shares of a side


@dataclass(frozen=True)
class Actor:
    """One object. ``path`` is in the still world; a greater ``depth`` is farther away."""

    path: Path
    label: int = 0
    colour: int = 0
    start_s: float = 0.0
    end_s: float = np.inf
    depth: float = 0.0


@dataclass(frozen=True)
class Noise:
    """What the detector does wrong."""

    jitter: float = 0.02  # of a box's side
    misses: float = 0.05  # share of visible objects
    weak: float = 0.1  # share of objects found with a low score
    false_per_frame: float = 0.2
    flicker: float = 0.0  # share of cars called trucks
    merge: float = 2.0  # IoU from which two objects of a class get one box around both; 2: never


@dataclass
class Scene:
    """Frames with what a detector says of them, and the truth."""

    size: tuple[int, int]
    times_s: list[float] = field(default_factory=list)
    detections: list[Detections] = field(default_factory=list)
    colours: list[BoxColours] = field(default_factory=list)
    images: list[NDArray[np.uint8]] = field(default_factory=list)
    truth: list[tuple[IntArray, FloatArray]] = field(default_factory=list)
    owners: list[IntArray] = field(default_factory=list)  # actor of every detection, -1 for none

    def __len__(self) -> int:
        return len(self.times_s)


def still(_: float) -> tuple[float, float, float]:
    """A camera that does not move."""
    return 1.0, 0.0, 0.0


def walk(
    start: tuple[float, float],
    speed: tuple[float, float],
    size: tuple[float, float] = (0.08, 0.35),
    begin_s: float = 0.0,
) -> Path:
    """A straight path: at ``start`` at ``begin_s``, ``speed`` in frame sides per second."""

    def path(time_s: float) -> tuple[float, float, float, float]:
        since = time_s - begin_s
        return start[0] + speed[0] * since, start[1] + speed[1] * since, *size

    return path


def scene(
    actors: list[Actor],
    seconds: float,
    fps: float = 10.0,
    size: tuple[int, int] = (1280, 720),
    camera: View = still,
    noise: Noise | None = None,
    seed: int = 0,
    times_s: NDArray[np.float64] | None = None,
    places: Callable[[float], int] = lambda _: 0,
    featured: bool = False,
) -> Scene:
    """Film the actors. ``places`` tells the background at a time: it changes at a cut.

    A ``featured`` scene's detector gives features, and half its score as referral.
    """
    noise = noise or Noise()
    rng = np.random.default_rng(seed)
    if times_s is None:
        times_s = np.arange(round(seconds * fps)) / fps
    palette = np.random.default_rng(99).dirichlet(np.full(NAMES, 0.4), (len(actors) + 9, REGIONS))
    identity = Identity(len(actors), seed)
    made = Scene(size)
    for index, now in enumerate(times_s.tolist()):
        view = camera(now)
        ids, boxes, shares = _visible(actors, now, view, size)
        made.times_s.append(now)
        made.images.append(background(places(now), view, actors, ids, boxes, size))
        there = shares >= VISIBLE
        made.truth.append((ids[there], boxes[there]))
        found, colours, owners = _detect(
            index, actors, ids[there], boxes[there], shares[there], size, noise, palette, rng
        )
        if featured:
            features = identity.features(actors, owners, found, ids, boxes, shares)
            found = replace(found, features=features, referral=found.scores * np.float32(0.5))
        colours = replace(colours, thumbs=identity.thumbs(owners))
        made.detections.append(found)
        made.colours.append(colours)
        made.owners.append(owners)
    return made


def _visible(
    actors: list[Actor], now: float, view: tuple[float, float, float], size: tuple[int, int]
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Ids, boxes and visible shares of the actors inside the frame."""
    zoom, x, y = view
    ids, boxes = [], []
    for number, actor in enumerate(actors):
        if actor.start_s <= now < actor.end_s:
            cx, cy, w, h = actor.path(now)
            box = np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2])
            box = ((box - 0.5) * zoom + 0.5 + np.array([x, y, x, y])) * np.tile(size, 2)
            boxes.append(box)
            ids.append(number)
    whole = np.array(boxes, np.float32).reshape(-1, 4)
    inside = clip(whole, *size)
    shares = area(inside) / np.maximum(area(whole), 1)
    for i, number in enumerate(ids):
        nearer = [j for j, other in enumerate(ids) if actors[other].depth < actors[number].depth]
        hidden = max((intersection(inside[i], inside[j]) for j in nearer), default=0.0)
        shares[i] *= 1 - hidden / max(area(inside[i]), 1)
    there = area(inside) > 0
    return np.array(ids, np.int64)[there], inside[there], shares[there]


def _detect(
    index: int,
    actors: list[Actor],
    ids: IntArray,
    boxes: FloatArray,
    shares: FloatArray,
    size: tuple[int, int],
    noise: Noise,
    palette: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[Detections, BoxColours, IntArray]:
    """What a detector would say, best first."""
    rows: list[tuple[FloatArray, float, int, int]] = []
    ids, boxes, shares = _merged(actors, ids, boxes, shares, noise.merge)
    for number, box, share in zip(ids.tolist(), boxes, shares, strict=True):
        if rng.random() < noise.misses:
            continue
        side = np.tile(box[2:] - box[:2], 2)
        moved = box + rng.normal(0, noise.jitter, 4) * side
        weak = rng.random() < noise.weak or share < 0.6
        score = rng.uniform(0.16, 0.29) if weak else rng.uniform(0.45, 0.9)
        label = actors[number].label
        if label == 1 and rng.random() < noise.flicker:
            label = 2
        rows.append((clip(moved.astype(np.float32), *size), score, label, number))
    for _ in range(rng.poisson(noise.false_per_frame)):
        centre, half = rng.uniform(0, 1, 2) * size, rng.uniform(0.02, 0.15, 2) * size
        box = np.concatenate([centre - half, centre + half]).astype(np.float32)
        rows.append((clip(box, *size), rng.uniform(0.16, 0.5), int(rng.integers(5)), -1))
    rows.sort(key=lambda row: -row[1])
    count = len(rows)
    label_scores = np.full((count, len(CLASSES)), 0.01, np.float32)
    colours = np.zeros((count, REGIONS, NAMES), np.uint8)
    for i, (_, score, label, number) in enumerate(rows):
        label_scores[i, label] = score
        kind = len(palette) - 1 - int(rng.integers(8)) if number < 0 else actors[number].colour
        blend = 0.85 * palette[kind] + 0.15 * rng.dirichlet(np.ones(NAMES), REGIONS)
        colours[i] = (blend * 255).astype(np.uint8)
    detections = Detections(
        frame_index=index,
        boxes_xyxy=np.array([row[0] for row in rows], np.float32).reshape(-1, 4),
        scores=np.array([row[1] for row in rows], np.float32),
        labels=np.array([row[2] for row in rows], np.int64),
        label_scores=label_scores,
    )
    thumbs = np.zeros((count, THUMB, THUMB), np.uint8)
    return detections, BoxColours(colours, thumbs), np.array([row[3] for row in rows], np.int64)


def _merged(
    actors: list[Actor], ids: IntArray, boxes: FloatArray, shares: FloatArray, limit: float
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Of two objects of a class that overlap by ``limit``, the nearer, in a box around both."""
    kept = list(range(len(ids)))
    boxes = boxes.copy()
    for i in sorted(kept, key=lambda i: -actors[ids[i]].depth):
        for j in kept:
            one, other = actors[ids[i]], actors[ids[j]]
            near = one.label == other.label and one.depth > other.depth
            if i != j and near and iou(boxes[i : i + 1], boxes[j : j + 1])[0] >= limit:
                boxes[j, :2] = np.minimum(boxes[i, :2], boxes[j, :2])
                boxes[j, 2:] = np.maximum(boxes[i, 2:], boxes[j, 2:])
                kept.remove(i)
                break
    return ids[kept], boxes[kept], shares[kept]


class Identity:
    """What a detector's features and the thumbnails tell of who is who.

    Features (D, WIDTH) are a vector of the class, one of the actor (.6 as long) and noise (.5):
    cosine distances are about .15 between sights of one actor, .4 to others of its class. A
    half-hidden actor's are mixed with those of whom hides it, by the share that is visible.
    """

    def __init__(self, actors: int, seed: int) -> None:
        fixed = np.random.default_rng(77)
        self._rng = np.random.default_rng([seed, 78])
        self._classes = fixed.normal(0, WIDTH**-0.5, (len(CLASSES), WIDTH))
        self._actors = fixed.normal(0, 0.6 * WIDTH**-0.5, (actors, WIDTH))
        self._thumbs = fixed.uniform(40, 215, (actors, THUMB, THUMB))

    def features(
        self,
        actors: list[Actor],
        owners: IntArray,
        found: Detections,
        ids: IntArray,
        boxes: FloatArray,
        shares: FloatArray,
    ) -> FloatArray:
        """One row per detection; ``ids``, ``boxes`` and ``shares`` are those in the frame."""
        rows = self._rng.normal(0, 0.5 * WIDTH**-0.5, (len(owners), WIDTH))
        for i, owner in enumerate(owners.tolist()):
            rows[i] += self._classes[found.labels[i]]
            if owner < 0:
                rows[i] += self._rng.normal(0, 0.6 * WIDTH**-0.5, WIDTH)
                continue
            at = int(np.flatnonzero(ids == owner)[0])
            shared = [intersection(boxes[at], box) * (k != at) for k, box in enumerate(boxes)]
            other, share = int(ids[int(np.argmax(shared))]), min(float(shares[at]), 1.0)
            rows[i] += share * self._actors[owner] + (1 - share) * self._actors[other]
        return rows.astype(np.float32)

    def thumbs(self, owners: IntArray) -> NDArray[np.uint8]:
        """Noisy pictures (D, THUMB, THUMB)."""
        pictures = self._rng.uniform(40, 215, (len(owners), THUMB, THUMB))
        known = owners >= 0
        pictures[known] = 0.7 * self._thumbs[owners[known]] + 0.3 * pictures[known]
        return pictures.astype(np.uint8)


def texture(place: int, height: int = 720, width: int = 1280) -> FloatArray:
    """A cloudy colour image (height, width, 3) in 0..255, another for every ``place``."""
    rng = np.random.default_rng(1000 + place)
    tint = rng.uniform(0.3, 1.0, 3)
    total = np.zeros((height, width, 3), np.float32)
    for cell, weight in ((10, 1.0), (40, 1.0), (160, 1.5)):
        coarse = rng.random((height // cell + 2, width // cell + 2, 3), np.float32)
        total += weight * sample(coarse, np.arange(height) / cell, np.arange(width) / cell)
    return (total / 3.5 * 255 * tint).astype(np.float32)


def sample(image: FloatArray, ys: NDArray[np.float64], xs: NDArray[np.float64]) -> FloatArray:
    """``image`` (h, w, 3) at the grid of ``ys`` x ``xs``, bilinear, edges repeated."""
    for axis, at in ((0, ys), (1, xs)):
        at = np.clip(at, 0, image.shape[axis] - 1.001)
        low = np.floor(at).astype(int)
        part = (at - low).astype(np.float32)
        part = part[:, None, None] if axis == 0 else part[None, :, None]
        image = image.take(low, axis) * (1 - part) + image.take(low + 1, axis) * part
    return image


_TEXTURES: dict[int, FloatArray] = {}


def background(
    place: int,
    view: tuple[float, float, float],
    actors: list[Actor],
    ids: IntArray,
    boxes: FloatArray,
    size: tuple[int, int],
    side: int = 320,
) -> NDArray[np.uint8]:
    """The frame's image, ``side`` pixels wide, actors as plain boxes."""
    if place not in _TEXTURES:
        _TEXTURES[place] = texture(place)
    width, height = side, round(side * size[1] / size[0])
    zoom, x, y = view
    canvas = _TEXTURES[place]
    # The texture spans the world from -0.5 to 1.5 frame sides.
    u = ((np.arange(width) + 0.5) / width - 0.5 - x) / zoom + 0.5
    v = ((np.arange(height) + 0.5) / height - 0.5 - y) / zoom + 0.5
    seen = sample(canvas, (v + 0.5) / 2 * canvas.shape[0], (u + 0.5) / 2 * canvas.shape[1])
    shades = np.random.default_rng(7).integers(0, 255, (64, 3))
    scale = width / size[0]
    for row in sorted(range(len(ids)), key=lambda i: -actors[ids[i]].depth):
        x1, y1, x2, y2 = (boxes[row] * scale).astype(int)
        seen[y1:y2, x1:x2] = shades[actors[ids[row]].colour]
    return seen.astype(np.uint8)


def crossing() -> list[Actor]:
    """Two people cross in the middle, a third stands."""
    return [
        Actor(walk((0.1, 0.5), (0.16, 0)), colour=0),
        Actor(walk((0.9, 0.52), (-0.16, 0), (0.08, 0.38)), colour=1, depth=1),
        Actor(walk((0.3, 0.6), (0, 0)), colour=2, depth=2),
    ]


def occlusion() -> list[Actor]:
    """A person walks behind a parked truck and comes out again; a dog runs the other way."""
    return [
        Actor(walk((0.1, 0.55), (0.15, 0)), colour=0, depth=1),
        Actor(walk((0.5, 0.55), (0, 0), (0.22, 0.5)), label=2, colour=1),
        Actor(walk((0.95, 0.85), (-0.25, 0), (0.1, 0.12)), label=4, colour=2),
    ]


def crowd() -> list[Actor]:
    """Eight people walk to and fro in three lanes."""
    rng = np.random.default_rng(3)
    actors = []
    for i in range(8):
        forth = rng.uniform(0.05, 0.18) * (1 if i % 2 else -1)
        start = rng.uniform(0.0, 0.4) if forth > 0 else rng.uniform(0.6, 1.0)
        lane = 0.35 + 0.15 * (i % 3)
        tall = 0.22 + 0.08 * (i % 3)
        path = walk((start, lane), (forth, 0.0), (tall * 0.24, tall))
        actors.append(Actor(path, colour=i, depth=3 - i % 3 + 0.01 * i))
    return actors


def merging() -> list[Actor]:
    """Two people meet, are one for a second, and go back; two others pass each other slowly."""

    def there_and_back(start: float, way: float, lane: float) -> Path:
        def path(time_s: float) -> tuple[float, float, float, float]:
            near = np.clip(min(time_s / 2.2, (5.6 - time_s) / 2.2), 0, 1)
            return start + way * near, lane, 0.09, 0.36

        return path

    return [
        Actor(there_and_back(0.08, 0.20, 0.4), colour=0),
        Actor(there_and_back(0.5, -0.20, 0.41), colour=1, depth=1),
        Actor(walk((0.6, 0.62), (0.05, 0), (0.09, 0.38)), colour=2, depth=2),
        Actor(walk((0.88, 0.61), (-0.05, 0), (0.09, 0.36)), colour=3, depth=3),
    ]


def replaced() -> list[Actor]:
    """A car leaves the frame, and another comes in where it went; one person hands over to another
    at a door."""
    return [
        Actor(walk((0.75, 0.5), (0.22, 0), (0.22, 0.2)), label=1, colour=0, end_s=1.6),
        Actor(walk((1.08, 0.51), (-0.22, 0), (0.22, 0.2), begin_s=2.0), 1, colour=4, start_s=2.0),
        Actor(walk((0.25, 0.6), (0.0, 0), (0.08, 0.36)), colour=1, end_s=2.8),
        Actor(walk((0.26, 0.6), (0.03, 0), (0.08, 0.37)), colour=5, start_s=3.2),
    ]


def pan(time_s: float) -> tuple[float, float, float]:
    """A camera that swings to and fro."""
    return 1.0, 0.25 * np.sin(1.2 * time_s), 0.03 * np.sin(2 * time_s)


def zoom(time_s: float) -> tuple[float, float, float]:
    """A camera that zooms in, then out."""
    return 1.0 + 0.35 * np.sin(0.6 * time_s) ** 2, 0.0, 0.0

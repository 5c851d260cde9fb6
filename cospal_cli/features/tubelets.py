"""Tubelets as the inputs of trained heads: a vector at each of T uniformly spaced times.

A vector has these parts (``PARTS``), each scaled to a root mean square near 1:

    colours   100   5 regions x 20 colour names: square roots of their shares
    classes    80   the detector's mean score of each COCO class; the same at all times
    box         4   centre x, y, log width, log height, as shares of the frame
    motion      5   velocity x, y, speed, growth, change of the pixels; the camera's taken out
    score       1   the detector's

With ``features.crops`` the classifier's numbers stand first, ``SHOWN`` more that tell who.

A detector that describes its boxes (Grounding DINO: 256 numbers) is used as it is: its numbers
stand in the place of colours and classes. The last ten are the same whatever the detector: they
tell when, and nothing of them tells who. Where objects are pooled, a video encoder's clips of what
lies inside the box stand behind them (``features.pooled``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core import colours
from cospal_cli.core.arrays import FloatArray, IntArray
from cospal_cli.core.boxes import centres
from cospal_cli.core.tubelets import Tubelet
from cospal_cli.core.vocabulary import COCO
from cospal_cli.features.appearance import FEATURES
from cospal_cli.features.motion import motion
from cospal_cli.settings import FeaturesConfig

COLOURS, CLASSES = len(colours.REGIONS) * len(colours.NAMES), len(COCO)
ShownOf = Callable[[Tubelet], FloatArray]  # a classifier's numbers (FEATURES,) of its crops
LIMIT = 5.0  # largest size of any number
_SIZES = {"colours": COLOURS, "classes": CLASSES, "box": 4, "motion": 5, "score": 1}
_ENDS = np.cumsum([0, *_SIZES.values()]).tolist()
PARTS = {name: slice(*_ENDS[at : at + 2]) for at, name in enumerate(_SIZES)}
DIM = _ENDS[-1]

# Roughly the mean and the deviation of each number on ordinary video.
_COLOURS = len(colours.NAMES) ** -0.5  # shares of a region sum to 1: this is exact
_SCORES = 0.085
_SHOWN = 1 / 0.37
_BOX = np.array([[0.5, 0.5, -2.3, -0.85], [0.25, 0.15, 0.5, 0.4]], np.float32)
_MOTION = np.array([0.55, 0.22, 0.6, 0.22, 0.7], np.float32)
_SCORE = (0.7, 0.2)

APPEARANCE = slice(PARTS["box"].start)  # who, where the detector describes nothing
MOTION = slice(PARTS["box"].start, DIM)  # when
MOVES = DIM - PARTS["box"].start  # numbers of it


def select(tubelets: Sequence[Tubelet], limit: int) -> list[Tubelet]:
    """The ``limit`` longest and surest tubelets, in the order given."""
    weights = [-float(tubelet.scores[tubelet.observed].sum()) for tubelet in tubelets]
    chosen = sorted(np.argsort(weights, kind="stable")[:limit].tolist())
    return [tubelets[at] for at in chosen]


def described(tubelets: Sequence[Tubelet]) -> bool:
    """Whether the detector gave features of its own, which the heads are then given."""
    return bool(tubelets) and all(tubelet.features is not None for tubelet in tubelets)


def length(width: int | None, pooled: int = 0, shown: int = 0) -> int:
    """F: how long vectors are of a detector with ``width`` numbers of its own, or with None and
    ``shown`` ones of a classifier, and with ``pooled`` ones of a video encoder."""
    return (DIM + shown if width is None else width + MOVES) + pooled


def tubelet_features(
    tubelets: Sequence[Tubelet],
    size: tuple[int, int],
    start_s: float,
    end_s: float,
    config: FeaturesConfig,
    classes: Sequence[str],
    known: Sequence[str],
    shown_of: ShownOf | None = None,
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Features (K, T, F) and whether the tubelet is there (K, T), zero where it is not.

    T = ``config.frames`` bins share the time from ``start_s`` to ``end_s`` of a video whose frames
    have ``size`` (W, H). A bin holds the mean over the observations in it; without any, between
    the first and the last of a tubelet, a line between its neighbours.

    ``classes`` are the detector's, ``known`` those that part ``classes`` counts (COCO's 80);
    ``shown_of`` is asked where ``config.crops`` and the detector describes nothing, and may be left
    out elsewhere.
    """
    own = described(tubelets)
    places = _places(classes, known)
    width = len(tubelets[0].features[0]) if own else None  # type: ignore[index]
    shown = FEATURES if config.crops and not own else 0
    shape = (len(tubelets), config.frames, length(width, _pooled(tubelets), shown))
    features, mask = np.zeros(shape, np.float32), np.zeros(shape[:2], bool)
    for row, there, tubelet in zip(features, mask, tubelets, strict=True):
        appearance = np.asarray(tubelet.features) if own else _appearance(tubelet, places)
        vectors = np.concatenate([appearance, _moves(tubelet, size)], axis=1, dtype=np.float32)
        if shown:
            assert shown_of is not None
            same = np.tile(shown_of(tubelet) * np.float32(_SHOWN), (len(vectors), 1))
            vectors = np.concatenate([same, vectors], axis=1, dtype=np.float32)
        span = (start_s, end_s, config.frames)
        bins = _bins(tubelet.times_s[tubelet.observed], *span)
        life = np.arange(bins[0], bins[-1] + 1)
        there[life] = True
        row[life, : vectors.shape[1]] = _spread(bins, vectors, life)
        if tubelet.clips is not None:
            times_s = tubelet.clips.spans_s.mean(axis=1)
            inside = (times_s >= start_s) & (times_s < end_s)
            rows = inside if inside.any() else slice(None)
            clips = tubelet.clips.features[rows].astype(np.float32)
            row[life, vectors.shape[1] :] = _spread(_bins(times_s[rows], *span), clips, life)
    return features, mask


def _pooled(tubelets: Sequence[Tubelet]) -> int:
    """Numbers of the tubelets' own clips; ValueError unless they are alike."""
    found = {0 if one.clips is None else one.clips.features.shape[1] for one in tubelets}
    if len(found) > 1:
        raise ValueError(f"clips: expected the same of all tubelets, found {sorted(found)} numbers")
    return found.pop() if found else 0


def _bins(times_s: NDArray[np.float64], start_s: float, end_s: float, count: int) -> IntArray:
    """Which of ``count`` even parts of the time each of ``times_s`` lies in."""
    share = (times_s - start_s) / max(end_s - start_s, 1e-9)
    bins: IntArray = np.floor(share * count + 1e-6).astype(np.int64).clip(0, count - 1)
    return bins


def _spread(bins: IntArray, vectors: FloatArray, life: IntArray) -> FloatArray:
    """(len(life), F) of rising ``vectors`` (O, F) in ``bins`` (O,): the mean over those of a bin;
    without any, a line between its neighbours, or the nearest."""
    seen, starts = np.unique(bins, return_index=True)
    sums = np.add.reduceat(vectors, starts, axis=0)
    means = sums / np.diff([*starts.tolist(), len(bins)])[:, None]
    after = np.clip(np.searchsorted(seen, life), 1, max(len(seen) - 1, 1))
    if len(seen) == 1:
        return np.repeat(means, len(life), axis=0)
    before, gap = after - 1, seen[after] - seen[after - 1]
    share = ((life - seen[before]) / gap).clip(0, 1)[:, None].astype(np.float32)
    found = means[before] * (1 - share) + means[after] * share
    return found.astype(np.float32)


def _places(classes: Sequence[str], known: Sequence[str]) -> NDArray[np.int64]:
    """(classes,) where each of the detector's classes counts among the known; -1: nowhere."""
    at = {name: number for number, name in enumerate(known[:CLASSES])}
    return np.array([at.get(name, -1) for name in classes], np.int64)


def _appearance(tubelet: Tubelet, places: NDArray[np.int64]) -> FloatArray:
    """(O, COLOURS + CLASSES): the parts that tell who, at each observation."""
    count = int(tubelet.observed.sum())
    parts = np.zeros((count, APPEARANCE.stop), np.float32)
    if tubelet.colours is not None:
        shares = tubelet.colours.shares.reshape(count, -1).astype(np.float32) / 255
        parts[:, PARTS["colours"]] = np.sqrt(shares) / _COLOURS
    scores = np.zeros(CLASSES, np.float32)
    mapped = np.flatnonzero(places[: len(tubelet.label_scores)] >= 0)
    np.maximum.at(scores, places[mapped], tubelet.label_scores[mapped])
    parts[:, PARTS["classes"]] = scores / _SCORES
    return parts


def _moves(tubelet: Tubelet, size: tuple[int, int]) -> FloatArray:
    """(O, MOVES): the parts that tell when, at each observation."""
    rows = np.flatnonzero(tubelet.observed)
    boxes = tubelet.boxes_xyxy[rows]
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-3) / size
    shape = np.concatenate([centres(boxes) / size, np.log(sides)], axis=1)
    moved = motion(tubelet, size)
    curves = (*moved.velocity.T, moved.speed, moved.growth, moved.inner)
    parts = (
        (shape - _BOX[0]) / _BOX[1],
        np.stack(curves, axis=1)[rows] / _MOTION,
        (tubelet.scores[rows, None] - _SCORE[0]) / _SCORE[1],
    )
    return np.concatenate(parts, axis=1, dtype=np.float32).clip(-LIMIT, LIMIT)

"""Each protocol against a plain restatement of it, written with dicts and loops."""

from collections.abc import Callable

import numpy as np
import pytest

from cospal_cli.core.errors import UsageError
from cospal_cli.evaluation.protocols import PROTOCOLS, sampled, score
from cospal_cli.evaluation.tubes import NOTHING, Track, Truth

Tube = dict[int, list[float]]
CASES = 1000


def box_iou(a: list[float], b: list[float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = width * height if width > 0 and height > 0 else 0.0
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def plain(p: Tube, g: Tube, truth: Truth) -> tuple[float, float]:
    span = set(range(*truth.span))
    unboxed = span - set(g)
    t = len(set(p) & span) / len(set(p) | span)
    common = set(p) & set(g)
    union = (set(p) | span) - unboxed
    return t, sum(box_iou(p[f], g[f]) for f in common) / len(union)


def range_iou(gs: int, ge: int, ps: int, pe: int) -> float:
    start, end = max(gs, ps), min(ge, pe)
    if end <= start:
        return 0.0
    return (end - start) / ((ge - gs) + (pe - ps) - (end - start))


def grid(truth: Truth) -> list[int]:
    start, last = truth.segment[0], truth.segment[1] - 1
    rate = 5 / truth.fps
    kept = [start]
    for f in range(start, last):
        if int(kept[-1] * rate) < int(f * rate):
            kept.append(f)
    if len(kept) > 200:
        kept = [kept[(j * len(kept)) // 200] for j in range(200)]
    return kept


def tubedetr(p: Tube, g: Tube, truth: Truth) -> tuple[float, float]:
    gs, ge = truth.span
    ps, pe = min(p), max(p) + 1
    frames = grid(truth)
    hull = [f for f in frames if min(gs, ps) <= f < max(ge, pe)]
    common = [f for f in frames if max(gs, ps) <= f < min(ge, pe) and f in p and f in g]
    total = sum(box_iou(p[f], g[f]) for f in common)
    return range_iou(gs, ge, ps, pe), total / max(len(hull), 1)


def stcat(p: Tube, g: Tube, truth: Truth) -> tuple[float, float]:
    gs, ge = truth.span[0], truth.span[1] - 1  # stored inclusively, read as if half-open
    ps, pe = min(p), max(p) + 1
    hull = range(min(gs, ps), max(ge, pe))
    common = [f for f in range(max(gs, ps), min(ge, pe)) if f in p and f in g]
    total = sum(box_iou(p[f], g[f]) for f in common)
    return range_iou(gs, ge, ps, pe), total / max(len(hull), 1)


def hcvg(p: Tube, g: Tube, truth: Truth) -> tuple[float, float]:
    first, last = min(truth.span[0], min(p)), max(truth.span[1] - 1, max(p))
    ious = [box_iou(p[f], g[f]) for f in g if f in p]
    return len(ious) / (last - first + 1), sum(ious) / (last - first + 1)


RESTATED: dict[str, Callable[[Tube, Tube, Truth], tuple[float, float]]] = {
    "plain": plain,
    "tubedetr": tubedetr,
    "stcat": stcat,
    "hcvg": hcvg,
}


def tube(rng: np.random.Generator, start: int, end: int, holes: float = 0.0) -> Track:
    frames = np.arange(start, end)
    frames = frames[(rng.random(len(frames)) >= holes) | (np.arange(len(frames)) == 0)]
    corner = rng.uniform(0, 60, (len(frames), 2))
    return Track(frames, np.hstack([corner, corner + rng.uniform(20, 90, corner.shape)]))


def span(rng: np.random.Generator, most: int) -> tuple[int, int]:
    start, end = sorted(rng.choice(most + 1, 2, replace=False).tolist())
    return start, end


def case(rng: np.random.Generator) -> tuple[Truth, Track, Track]:
    """A truth, a whole tubelet and its cut; holes in a third of them, any frame rate."""
    frames = int(rng.integers(2, 1500 if rng.random() < 0.1 else 200))
    holes = 0.3 * (rng.random() < 0.33)
    segment = (0, frames) if rng.random() < 0.5 else (int(rng.integers(0, 40)), frames + 40)
    where = span(rng, frames)
    rate = float(rng.choice([2.0, 5.0, 12.5, 24.0, 25.05, 29.97, 30.0, 60.0]))
    truth = Truth(where, tube(rng, *where, holes), segment, rate)
    whole = tube(rng, *span(rng, frames), holes)
    cut = whole.cut(span(rng, frames))
    return truth, whole, cut


def as_dict(track: Track) -> Tube:
    return dict(zip(track.frames.tolist(), track.boxes_xyxy.tolist(), strict=True))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_equal_to_a_plain_restatement(name: str) -> None:
    rng = np.random.default_rng(list(PROTOCOLS).index(name))
    scored = 0
    for _ in range(CASES):
        truth, whole, cut = case(rng)
        found = score(name, truth, cut, whole)
        p, g, w = as_dict(cut), as_dict(truth.track), as_dict(whole)
        wanted = RESTATED[name](p, g, truth) if p else (0.0, 0.0)
        seen = grid(truth) if name == "tubedetr" else list(g)
        frames = set(g) & set(seen)
        spatial = sum(box_iou(w[f], g[f]) for f in frames if f in w) / max(len(frames), 1)
        assert found == pytest.approx((*wanted, spatial), abs=1e-9)
        scored += found.v_iou > 0
    assert scored > CASES / 5


@pytest.mark.parametrize("length", [1, 2, 7, 60])
def test_a_perfect_prediction(length: int) -> None:
    rng = np.random.default_rng(0)
    truth = Truth((3, 3 + length), tube(rng, 3, 3 + length), (0, 100), 5.0)
    for name in ("plain", "hcvg", "tubedetr"):
        assert score(name, truth, truth.track) == pytest.approx((1, 1, 1), abs=1e-12)
    lost = (length - 1) / length
    assert score("stcat", truth, truth.track) == pytest.approx((lost, lost, 1), abs=1e-12)


def test_a_perfect_prediction_of_a_truth_with_holes() -> None:
    rng = np.random.default_rng(0)
    whole = tube(rng, 10, 30)
    holed = Track(np.delete(whole.frames, [3, 4, 9]), np.delete(whole.boxes_xyxy, [3, 4, 9], 0))
    truth = Truth((10, 30), holed, (0, 40), 25.0)
    assert score("plain", truth, whole) == pytest.approx((1, 1, 1), abs=1e-12)


def test_plain_and_hcvg_agree_on_tubes_without_holes() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        where = span(rng, 50)
        truth = Truth(where, tube(rng, *where), (0, 50), 5.0)
        found = tube(rng, *span(rng, 50))
        assert score("plain", truth, found) == pytest.approx(score("hcvg", truth, found), abs=1e-12)


def test_sampled_frames() -> None:
    where = (0, 1)
    box = Track(np.array([0]), np.ones((1, 4)))
    assert sampled(Truth(where, box, (0, 20), 10.0)).tolist() == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]
    assert sampled(Truth(where, box, (0, 19), 10.0)).tolist() == [0, 2, 4, 6, 8, 10, 12, 14, 16]
    assert sampled(Truth(where, box, (3, 9), 4.0)).tolist() == [3, 4, 5, 6, 7]  # never the last
    assert sampled(Truth(where, box, (0, 1), 30.0)).tolist() == [0]
    assert len(sampled(Truth(where, box, (0, 3000), 30.0))) == 200
    assert len(sampled(Truth(where, box, (0, 600), 30.0))) == 100


def test_nothing_predicted() -> None:
    truth = Truth((0, 5), tube(np.random.default_rng(0), 0, 5), (0, 9), 5.0)
    for name in PROTOCOLS:
        assert score(name, truth, NOTHING) == (0, 0, 0)
        assert score(name, truth, NOTHING, truth.track) == (0, 0, 1)


def test_unknown_protocol() -> None:
    truth = Truth((0, 5), tube(np.random.default_rng(0), 0, 5), (0, 9), 5.0)
    with pytest.raises(UsageError, match="plane"):
        score("plane", truth, truth.track)

"""Segments from curves: the likeliest path in the sentence's order, and the hull in none."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from cospal_cli.ranking.order import best_stretch, hull, in_order


def test_one_sub_phrase_takes_its_bins_above_nought() -> None:
    assert in_order(np.array([[-1.0, -1, 2, 3, -1, 2, -9, -9]])) == (2, 6)


def test_two_sub_phrases_keep_the_order_of_the_sentence() -> None:
    first = [-1.0, -1, -1, -1, 3, 3, -1, -1]
    second = [2.0, 2, -1, -1, -1, -1, 1, 1]
    assert in_order(np.array([second, first])) == (0, 6)
    assert in_order(np.array([first, second])) == (4, 8)


def test_a_gap_costs_nothing_and_lies_inside() -> None:
    assert in_order(np.array([[4.0, -5, -5, -5, -5], [-5.0, -5, -5, -5, 4]])) == (0, 5)


def test_a_sub_phrase_without_evidence_has_one_bin() -> None:
    assert in_order(np.array([[-9.0, -9, -8, -9]])) == (2, 3)


def test_more_sub_phrases_than_bins_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 1 to 2 sub-phrases, found 3"):
        in_order(np.zeros((3, 2)))


def by_hand(curves: np.ndarray) -> float:
    """The largest sum over all ways to give each sub-phrase a stretch, one after the other."""
    count, bins = curves.shape
    sums = np.concatenate([np.zeros((count, 1)), curves.cumsum(1)], 1)
    best = -np.inf
    for ends in combinations(range(2 * count + bins), 2 * count):
        cuts = [end - number // 2 * 1 for number, end in enumerate(ends)]
        pairs = list(zip(cuts[::2], cuts[1::2], strict=True))
        if all(0 <= a < b <= bins for a, b in pairs) and all(
            one[1] <= other[0] for one, other in pairwise(pairs)
        ):
            total = sum(sums[j, b] - sums[j, a] for j, (a, b) in enumerate(pairs))
            best = max(best, total)
    return best


@pytest.mark.parametrize("seed", range(8))
def test_no_other_path_scores_more(seed: int) -> None:
    curves = np.random.default_rng(seed).normal(size=(2, 6)).round(2)
    start, end = in_order(curves)
    inside = np.full_like(curves, -100.0)
    inside[:, start:end] = curves[:, start:end]
    assert by_hand(inside) == pytest.approx(by_hand(curves))


def test_a_hull_knows_no_order() -> None:
    rows = np.array([[-1.0, -1, -1, 3, 3, -1], [-1.0, 2, -1, -1, -1, -1]])
    assert hull(rows) == (1, 5)
    assert hull(rows[::-1]) == (1, 5)


@pytest.mark.parametrize(
    ("curve", "bins"),
    [
        ([-1, 2, -1, 2, -5], (1, 4)),
        ([-3, -2, -3], (1, 2)),
        ([1, 1, 1], (0, 3)),
        ([5, -9, 5], (0, 1)),
    ],
)
def test_the_best_stretch_has_the_largest_sum(curve: list[int], bins: tuple[int, int]) -> None:
    assert best_stretch(np.array(curve, float)) == bins

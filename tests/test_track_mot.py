"""MOTA and IDF1 against hand-counted sequences."""

from __future__ import annotations

import numpy as np
import pytest

from cospal_cli.core.assignment import assign
from cospal_cli.evaluation.mot import evaluate


def frame(**objects):
    """Identities by name ``i3`` and their left edge; every box is 10 x 10."""
    ids = np.array([int(name[1:]) for name in objects], np.int64)
    left = np.array(list(objects.values()), np.float32)
    boxes = np.stack([left, 0 * left, left + 10, 0 * left + 10], axis=1).reshape(-1, 4)
    return ids, boxes


TRUTH = [frame(i1=0, i2=50)] * 4


def test_a_perfect_answer():
    scores = evaluate(TRUTH, [frame(i7=0, i9=50)] * 4)
    assert (scores.mota, scores.idf1) == (1, 1)
    assert (scores.switches, scores.misses, scores.false_positives, scores.truths) == (0, 0, 0, 8)


def test_a_swap_halfway():
    scores = evaluate(TRUTH, [frame(i7=0, i9=50)] * 2 + [frame(i9=0, i7=50)] * 2)
    assert scores.switches == 2
    assert scores.mota == pytest.approx(1 - 2 / 8)
    assert scores.idf1 == pytest.approx(0.5)


def test_misses_and_false_positives():
    scores = evaluate(TRUTH, [frame(i7=0, i8=200)] * 4)
    assert (scores.misses, scores.false_positives) == (4, 4)
    assert scores.mota == 0
    assert scores.idf1 == pytest.approx(2 * 4 / 16)


def test_a_kept_pair_is_not_given_up_for_a_closer_box():
    truth = [frame(i1=0)] * 2
    found = [frame(i5=2), frame(i5=3, i6=0)]
    assert evaluate(truth, found).switches == 0


def test_no_frames_and_unequal_lengths():
    assert evaluate([], []).mota == 1
    assert evaluate([frame(i1=0)], [frame()]).idf1 == 0
    with pytest.raises(ValueError, match="frames"):
        evaluate(TRUTH, TRUTH[:2])


@pytest.mark.parametrize("seed", range(20))
def test_assignment_is_the_cheapest_under_its_limit(seed):
    rng = np.random.default_rng(seed)
    cost = rng.random(rng.integers(1, 5, 2))
    cost[rng.random(cost.shape) < 0.2] = np.inf
    limit = float(rng.uniform(0.1, 0.9))
    rows, columns = assign(cost, limit)
    assert len(set(rows.tolist())) == len(set(columns.tolist())) == len(rows)
    assert (cost[rows, columns] <= limit).all()
    assert (cost[rows, columns] - limit).sum() == pytest.approx(_cheapest(cost, limit, 0))


def _cheapest(cost, limit, row, taken=()):
    """Least sum of ``cost - limit`` over all matchings, by trying every one."""
    if row == len(cost):
        return 0.0
    best = _cheapest(cost, limit, row + 1, taken)
    for column in set(range(cost.shape[1])) - set(taken):
        if cost[row, column] <= limit:
            rest = _cheapest(cost, limit, row + 1, (*taken, column))
            best = min(best, cost[row, column] - limit + rest)
    return best

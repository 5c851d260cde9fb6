"""The losses against values worked out by hand, and the draw of hidden words."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cospal_cli.model.temporal import Moments
from cospal_cli.training import losses, masking

E = math.exp(1)


def test_info_nce_is_the_log_softmax_over_the_sets_at_ones_own() -> None:
    logits = torch.tensor([[[1.0, 0.0]], [[2.0, 0.0]]])  # two samples, a word each, two sets
    words = torch.ones(2, 1, dtype=torch.bool)
    allowed = torch.ones(2, 2, dtype=torch.bool)
    found = losses.info_nce(logits, words, torch.tensor([0, 1]), allowed)
    first, second = math.log(1 + 1 / E), math.log(1 + E**2)
    assert found.item() == pytest.approx((first + second) / 2, abs=1e-6)


def test_info_nce_counts_samples_alike_whatever_their_words() -> None:
    logits = torch.tensor([[[1.0, 0.0], [5.0, 0.0]], [[0.0, 0.0], [0.0, 3.0]]])
    words = torch.tensor([[True, False], [True, True]])  # the second word of the first is padding
    found = losses.info_nce(logits, words, torch.tensor([0, 1]), torch.ones(2, 2, dtype=torch.bool))
    first = math.log(1 + 1 / E)
    second = (math.log(2) + math.log(1 + math.exp(-3))) / 2
    assert found.item() == pytest.approx((first + second) / 2, abs=1e-6)


def test_info_nce_leaves_out_other_sets_of_the_same_video() -> None:
    logits = torch.tensor([[[1.0, 9.0, 0.0]]])
    allowed = torch.tensor([[True, False, True]])
    found = losses.info_nce(logits, torch.ones(1, 1, dtype=torch.bool), torch.tensor([0]), allowed)
    assert found.item() == pytest.approx(math.log(1 + 1 / E), abs=1e-6)


def test_told_is_the_mean_cross_entropy_of_the_words_in_the_vocabulary() -> None:
    logits = torch.zeros(1, 2, 3, 4)
    logits[0, 1, 0, 2] = 1.0
    ids = torch.tensor([[2, 3, 0]])  # the last word is not in the vocabulary
    found = losses.reconstruction(logits, ids)
    even, hit = math.log(4), math.log(3 + E) - 1
    assert found[0].tolist() == pytest.approx([even, (hit + even) / 2], abs=1e-6)


def test_told_with_label_smoothing_shares_among_all_words() -> None:
    logits = torch.tensor([[[[1.0, 0.0]]]])
    normal = math.log(1 + E)
    each = normal - 1, normal  # cross-entropy of word 0 and of word 1
    found = losses.reconstruction(logits, torch.tensor([[1]]), smoothing=0.2)
    assert found.item() == pytest.approx(0.8 * each[1] + 0.2 * sum(each) / 2, abs=1e-6)


def test_sides_lie_before_and_after_and_grow() -> None:
    moments = Moments(torch.tensor([[0.6]]), torch.tensor([[0.2]]))
    left, right = losses.negatives_of(moments, torch.tensor(0.25), 0.5)
    assert left.centre.item() == left.width.item() == pytest.approx(0.5 * 0.5 * 0.5)
    assert right.width.item() == pytest.approx(0.5 * 0.5 * 0.3)
    assert right.centre.item() == pytest.approx(1 - 0.5 * 0.5 * 0.3)
    wide = Moments(torch.tensor([[0.5]]), torch.tensor([[1.5]]))
    assert all(side.width.item() == 0 for side in losses.negatives_of(wide, torch.tensor(1.0), 0.5))


def test_contrast_is_a_hinge_with_its_own_margin_for_each_negative() -> None:
    nll = torch.tensor([[1.0, 1.05, 1.5, 0.9], [0.0, 9.0, 9.0, 9.0]])
    found = losses.contrast(nll, whole=0.1, side=0.15)
    assert found.item() == pytest.approx((0.05 + 0.0 + 0.25) / 2, abs=1e-6)


@pytest.mark.parametrize(
    ("push_negatives", "wanted"), [(True, [2.0, -1.0, 0.0, -1.0]), (False, [2.0, 0.0, 0.0, 0.0])]
)
def test_without_a_push_contrast_moves_the_moment_alone(
    push_negatives: bool, wanted: list[float]
) -> None:
    nll = torch.tensor([[1.0, 1.05, 1.5, 0.9]], requires_grad=True)
    losses.contrast(nll, whole=0.1, side=0.15, push_negatives=push_negatives).backward()
    assert nll.grad is not None
    assert nll.grad.tolist() == [wanted]


def test_diversity_of_moments_by_hand() -> None:
    weights = torch.tensor([[[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]]).log().clamp(min=-30)
    mask = torch.tensor([[True, True, False]])  # rows become (1/2, 1/2, 0) and (0, 1, 0)
    found = losses.diversity(weights, mask, overlap=0.2)
    wanted = (0.2 - 0.5) ** 2 + 2 * 0.5**2 + (0.2 - 1.0) ** 2
    assert found.item() == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize(("words", "hidden"), [(1, 1), (2, 1), (3, 1), (7, 2), (12, 4)])
def test_a_third_of_the_words_is_hidden_but_at_least_one(words: int, hidden: int) -> None:
    drawn = masking.hidden_words(np.zeros(words, bool), np.arange(words), np.random.default_rng(0))
    assert drawn.sum() == hidden


def test_content_words_are_hidden_e_times_as_often() -> None:
    content = np.array([True, False, False])
    rng = np.random.default_rng(0)
    ids = np.array([3, 0, 0])
    share = np.mean([masking.hidden_words(content, ids, rng) for _ in range(20_000)], axis=0)
    assert share == pytest.approx([E / (E + 2), 1 / (E + 2), 1 / (E + 2)], abs=0.012)


def test_a_word_that_comes_twice_is_hidden_twice() -> None:
    ids, rng = np.array([5, 6, 7, 5, 0, 0]), np.random.default_rng(0)
    drawn = np.array([masking.hidden_words(np.ones(6, bool), ids, rng) for _ in range(300)])
    assert (drawn[:, 0] == drawn[:, 3]).all()
    assert not (drawn[:, 4] == drawn[:, 5]).all()  # unknown words are not one word
    assert 0 < drawn[:, 0].mean() < 1

"""The contrast's losses against values worked out by hand, and against loops."""

from __future__ import annotations

import math

import pytest
import torch

from cospal_cli.model.contrast import log_mean_exp
from cospal_cli.training import contrast_losses as losses

E = math.e
ALONE = torch.eye(2, dtype=torch.bool)


def test_log_mean_counts_only_tubelets_that_are_there() -> None:
    scores = torch.tensor([[[math.log(3.0), math.log(5.0)], [math.log(7.0), 99.0]]])
    there = torch.tensor([[True, True], [True, False]])
    assert log_mean_exp(scores, there).tolist() == [
        [pytest.approx(math.log(4)), pytest.approx(math.log(7))]
    ]


def test_both_ways_is_the_cross_entropy_of_rows_and_of_columns() -> None:
    scores = torch.tensor([[2.0, 0.0], [1.0, 1.0]])
    rows = (math.log(1 + E**-2) + math.log(2)) / 2
    columns = (math.log(1 + E**-1) + math.log(1 + E**-1)) / 2
    assert losses.both_ways(scores, ALONE).item() == pytest.approx(rows + columns)


def test_videos_that_are_one_are_no_negatives() -> None:
    scores = torch.tensor([[1.0, 5.0], [5.0, 1.0]])
    assert losses.both_ways(scores, torch.ones(2, 2, dtype=torch.bool)).item() == pytest.approx(0)


def test_joint_scores_add_each_sub_phrase_to_its_own_sentence() -> None:
    who = torch.tensor([[[1.0], [2.0]], [[3.0], [4.0]]])
    when = torch.tensor([[[10.0], [20.0]], [[100.0], [200.0]], [[0.5], [0.25]]])
    found = losses.joint_scores(who, when, torch.tensor([0, 0, 1]))
    assert found.squeeze(-1).tolist() == [[111.0, 222.0], [3.5, 4.25]]


def test_the_subject_s_chances_have_no_gradient_and_leave_absent_tubelets_out() -> None:
    joint = torch.zeros(1, 1, 3, requires_grad=True)
    chances = losses.subject_chances(joint, torch.tensor([[True, True, False]]))
    assert not chances.requires_grad
    assert chances.exp()[0].tolist() == [pytest.approx(0.5), pytest.approx(0.5), 0.0]


def test_phrase_loss_of_two_sentences_by_hand() -> None:
    when = torch.tensor([[[1.0], [0.0]], [[0.0], [2.0]]])  # (Q, S, K) with one tubelet each
    found = losses.phrase_loss(
        when, torch.zeros(2, 1), torch.tensor([0, 1]), torch.tensor([7, 8]), ALONE
    )
    videos = (math.log(1 + E**-1) + math.log(1 + E**-2)) / 2
    phrases = (math.log(1 + E**-1) + math.log(1 + E**-2)) / 2
    assert found.item() == pytest.approx(videos + phrases)


def test_sub_phrases_with_the_same_verb_are_no_negatives_of_each_other() -> None:
    when = torch.tensor([[[0.0], [9.0]], [[9.0], [0.0]]])
    found = losses.phrase_loss(
        when, torch.zeros(2, 1), torch.tensor([0, 1]), torch.tensor([7, 7]), ALONE
    )
    assert found.item() == pytest.approx(0)


def test_phrase_loss_equals_a_loop() -> None:
    torch.manual_seed(0)
    own, verbs = torch.tensor([0, 0, 1, 2, 2, 2]), torch.tensor([3, 4, 4, 5, 3, 6])
    when, chances = torch.randn(6, 3, 2), torch.randn(3, 2).log_softmax(-1)
    same = torch.eye(3, dtype=torch.bool)
    same[0, 1] = same[1, 0] = True  # sentences 0 and 1 are about one video
    score = (when + chances).exp().sum(-1).log()
    total = 0.0
    for q in range(6):
        told = {v: {int(verbs[p]) for p in range(6) if own[p] == v} for v in range(3)}
        rivals = [
            v for v in range(3)
            if v == own[q] or (int(verbs[q]) not in told[v] and not same[own[q], v])
        ]  # fmt: skip
        total += (score[q, rivals].logsumexp(0) - score[q, own[q]]).item() / 6
        v = int(own[q])
        others = [
            p for p in range(6)
            if p == q or (own[p] != v and int(verbs[p]) not in told[v] and not same[own[p], v])
        ]  # fmt: skip
        total += (score[others, v].logsumexp(0) - score[q, v]).item() / 6
    assert losses.phrase_loss(when, chances, own, verbs, same).item() == pytest.approx(total)

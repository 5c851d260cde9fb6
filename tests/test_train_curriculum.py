"""The plan of a training: stages, the control with as many updates, full batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from cospal_cli.settings import CurriculumConfig
from cospal_cli.training.curriculum import plan, stages_left_out


@dataclass(frozen=True)
class One:
    tubelets: int
    actions: int = 1
    passes: int = 1


SAMPLES = [One(2, 3, 3), One(4, 1, 1), One(5, 2, 2), One(7, 1, 1), One(9, 2, 2)]


def allowed(epochs: tuple) -> list[list[int]]:
    return [sorted(set(epoch.items[:, 0].tolist())) for epoch in epochs]


def test_stages_let_in_ever_more_tubelets() -> None:
    epochs = plan(SAMPLES, CurriculumConfig(epochs="1,2,1"), batch=4, crg=False)
    assert [epoch.stage for epoch in epochs] == [0, 1, 1, 2]
    assert allowed(epochs) == [[0, 1], [0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3, 4]]
    assert [epoch.number for epoch in epochs] == [0, 1, 2, 3]


def test_stages_by_actions() -> None:
    config = CurriculumConfig(name="actions", limits="1", epochs="1,1")
    assert allowed(plan(SAMPLES, config, 2, crg=False)) == [[1, 3], [0, 1, 2, 3, 4]]


def test_an_epoch_shows_the_sentence_and_every_sub_phrase() -> None:
    config = CurriculumConfig(epochs="1,0,0")
    (epoch,) = plan(SAMPLES, config, batch=4, crg=True)
    assert epoch.items.tolist() == [[0, 0], [0, 1], [0, 2], [0, 3], [1, 0], [1, 1]]
    (bare,) = plan(SAMPLES, config, batch=4, crg=False)
    assert bare.items.tolist() == [[0, 0], [1, 0]]


def test_batches_are_full_and_never_larger_than_the_epoch() -> None:
    config = CurriculumConfig(epochs="1,1,1")
    epochs = plan(SAMPLES, config, batch=4, crg=False)
    assert [(one.batch, one.updates, one.first) for one in epochs] == [
        (2, 1, 0),  # two items only
        (4, 1, 1),
        (4, 2, 2),  # five items: the second batch is filled up
    ]
    assert epochs[-1].end == 4


@pytest.mark.parametrize("batch", [1, 2, 3, 7])
def test_the_control_makes_as_many_updates(batch: int) -> None:
    staged = plan(SAMPLES, CurriculumConfig(), batch, crg=True)
    config = CurriculumConfig(name="none", equal_updates=True)
    control = plan(SAMPLES, config, batch, crg=True)
    assert control[-1].end == staged[-1].end
    assert all(len(set(epoch.items[:, 0].tolist())) == len(SAMPLES) for epoch in control)
    assert np.all(np.diff([epoch.first for epoch in control]) > 0)


def test_without_curriculum_every_epoch_shows_all() -> None:
    epochs = plan(SAMPLES, CurriculumConfig(name="none"), 4, crg=False)
    assert len(epochs) == 10
    assert {epoch.stage for epoch in epochs} == {0}


def test_stages_without_samples_are_left_out_and_told() -> None:
    crowds = [One(6), One(8)]
    epochs = plan(crowds, CurriculumConfig(), 4, crg=False)
    assert [epoch.stage for epoch in epochs] == [1] * 3 + [2] * 4
    assert [epoch.number for epoch in epochs] == list(range(7))
    assert stages_left_out(epochs, CurriculumConfig()) == [4]
    assert plan([], CurriculumConfig(), 4, crg=False) == ()

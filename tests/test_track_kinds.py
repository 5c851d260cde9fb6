"""Which classes may be one object: any names, those of a prompt too."""

from __future__ import annotations

import numpy as np
import pytest

from cospal_cli.core.tubelets import Detections
from cospal_cli.track.kinds import Kinds


def found(label_scores: list[list[float]]) -> Detections:
    scores = np.array(label_scores, np.float32).reshape(len(label_scores), -1)
    boxes = np.tile(np.array([0, 0, 9, 9], np.float32), (len(scores), 1))
    return Detections(0, boxes, scores.max(axis=1), scores.argmax(axis=1), scores)


@pytest.mark.parametrize(
    ("one", "other"),
    [("car", "truck"), ("man", "person"), ("woman", "man"), ("bike", "motorcycle"), ("dog", "cat")],
)
def test_names_of_one_thing_are_one_kind_that_moves(one, other):
    kinds = Kinds(("cup", one, other))
    assert kinds.of_label[1] == kinds.of_label[2] != kinds.of_label[0]
    assert kinds.movable(np.array([0, 1, 2])).tolist() == [False, True, True]
    assert kinds.agreement(found([[0.1, 0.2, 0.5]]))[0, kinds.of_label].tolist() == pytest.approx(
        [0.2, 1, 1]
    )


@pytest.mark.parametrize("name", ["person", "zeppelin", "traffic warden", "Kamel", ""])
def test_a_single_class_of_any_name(name):
    kinds = Kinds((name,))
    assert kinds.agreement(found([[0.5], [0.9]]))[:, kinds.of_label].tolist() == [[1], [1]]


def test_one_name_twice_is_one_kind():
    kinds = Kinds(["lamp", "vase", "lamp"])
    assert kinds.of_label[0] == kinds.of_label[2] != kinds.of_label[1]
    shares = kinds.agreement(found([[0.1, 0.2, 0.4]]))
    assert shares[0, kinds.of_label].tolist() == pytest.approx([1, 0.5, 1])


@pytest.mark.parametrize("classes", [(), ("lamp",)])
def test_no_detections(classes):
    kinds = Kinds(classes)
    nothing = Detections(
        0,
        np.empty((0, 4), np.float32),
        np.empty(0, np.float32),
        np.empty(0, np.int64),
        np.empty((0, len(classes)), np.float32),
    )
    assert kinds.agreement(nothing).shape == (0, kinds.count)

"""The appearance classifier gives what the original torch network gives."""

from __future__ import annotations

import numpy as np
import pytest

from cospal_cli.features.appearance import AppearanceClassifier
from cospal_cli.settings import AppearanceConfig
from cospal_cli.weights.imagenet import names

# Computed once by the checkpoint in torch, float32; the shipped weights are float16.
BALL_PROBABILITIES = {722: 0.23268, 551: 0.06402, 470: 0.03634, 417: 0.03412}
BALL_FEATURES = {220: 4.0947, 113: 3.3982, 2: 2.8, 423: 2.7635}
LIGHT_PROBABILITIES = {844: 0.10494, 920: 0.06896, 722: 0.05064, 419: 0.04733}
LIGHT_FEATURES = {400: 3.1865, 1250: 3.0901, 707: 2.5709, 897: 2.4455}
TOLERANCE = 2e-3


@pytest.fixture(scope="module")
def classifier() -> AppearanceClassifier:
    return AppearanceClassifier(AppearanceConfig(threads=2))


def disc(x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:224, :224]
    return (columns - x) ** 2 + (rows - y) ** 2 < radius**2


@pytest.fixture(scope="module")
def ball() -> np.ndarray:
    image = np.full((224, 224, 3), 250, np.uint8)
    image[disc(112, 112, 80)] = (240, 130, 20)
    return image


@pytest.fixture(scope="module")
def traffic_light() -> np.ndarray:
    image = np.full((224, 224, 3), (90, 150, 220), np.uint8)
    image[40:190, 80:144] = 20
    for y, colour in ((68, (230, 30, 30)), (115, (60, 50, 20)), (162, (20, 60, 30))):
        image[disc(112, y, 18)] = colour
    return image


def test_parity_with_torch(
    classifier: AppearanceClassifier, ball: np.ndarray, traffic_light: np.ndarray
) -> None:
    probabilities, features = classifier.classify([ball, traffic_light])
    wanted = (BALL_PROBABILITIES, BALL_FEATURES), (LIGHT_PROBABILITIES, LIGHT_FEATURES)
    for row, (by_class, by_feature) in enumerate(wanted):
        found = probabilities[row][list(by_class)]
        np.testing.assert_allclose(found, list(by_class.values()), atol=TOLERANCE)
        found = features[row][list(by_feature)]
        np.testing.assert_allclose(found, list(by_feature.values()), rtol=TOLERANCE, atol=0.01)


def test_class_order(
    classifier: AppearanceClassifier, ball: np.ndarray, traffic_light: np.ndarray
) -> None:
    probabilities, _ = classifier.classify([ball, traffic_light])
    assert names()[probabilities[0].argmax()] == "ping-pong ball"
    best = [names()[index] for index in probabilities[1].argsort()[::-1][:2]]
    assert "traffic light, traffic signal, stoplight" in best


def test_any_size_any_number(classifier: AppearanceClassifier, ball: np.ndarray) -> None:
    crops = [ball, np.zeros((1, 1, 3), np.uint8), np.zeros((500, 20, 3), np.uint8)] * 4
    probabilities, features = classifier.classify(crops)  # more than one forward pass
    assert probabilities.shape == (12, 1000)
    assert features.shape == (12, 1280)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-4)
    np.testing.assert_allclose(probabilities[9], probabilities[0], atol=1e-5)


def test_no_crops(classifier: AppearanceClassifier) -> None:
    probabilities, features = classifier.classify([])
    assert probabilities.shape == (0, 1000)
    assert features.shape == (0, 1280)

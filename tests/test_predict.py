"""Answers to prepared samples: what is scored is what ``cospal ground`` would return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from cospal_cli.core.errors import UsageError
from cospal_cli.core.frames import VideoInfo
from cospal_cli.core.grounding import GroundingInputs, GroundingScores
from cospal_cli.core.observation import HeadFeatures, Observation
from cospal_cli.core.phrases import Phrase, Phrases
from cospal_cli.core.query import Query
from cospal_cli.core.tubelets import Tubelet
from cospal_cli.evaluation.tubes import Prediction
from cospal_cli.language.parser.parse import parse
from cospal_cli.model.metadata import HeadsMetadata, Sizes
from cospal_cli.predict import predictions
from cospal_cli.prepared.folder import Sample
from cospal_cli.settings import Config, ModelConfig
from tests.test_ground import CLASSES, SIZE, TIMELINE, tubelet

INFO = VideoInfo("clip.mp4", *SIZE, 0, Fraction(1, 15360), Fraction(30))


@dataclass
class Memory:
    """A prepared folder in memory: every video shows the same tubelets."""

    tubelets: Sequence[Tubelet]
    opened: int = 0

    def observation(self, sample: Sample) -> Observation:
        self.opened += 1
        return Observation(INFO, TIMELINE, tuple(self.tubelets), CLASSES)

    def features(self, sample: Sample) -> HeadFeatures:
        k = len(self.tubelets)
        features = np.zeros((k, 4, 3), np.float32)
        mask, clips = np.ones((k, 4), bool), np.zeros((5, 2), np.float32)
        return HeadFeatures(tuple(range(k)), features, mask, clips)

    def phrases(self, sample: Sample) -> Phrases:
        words = tuple(sample.text.split())
        flags = np.ones(len(words), bool)
        phrase = Phrase(words, np.zeros((len(words), 2), np.float32), flags, flags)
        return Phrases(phrase, phrase, (phrase,))

    def query(self, sample: Sample) -> Query:
        return parse(sample.text)


class Fixed:
    """Heads that are sure of one tubelet and one segment."""

    metadata = HeadsMetadata(Sizes(3, 2, 2, 1), ModelConfig(), {}, ())

    def __init__(self, best: int, start: float, end: float) -> None:
        self.best, self.segment = best, (start, end)

    def run(self, inputs: GroundingInputs) -> GroundingScores:
        chosen = np.full(len(inputs.tubelets), 0.1, np.float32)
        chosen[self.best] = 0.9
        return GroundingScores(
            chosen / chosen.sum(), np.array([self.segment], np.float32), np.ones(1, np.float32)
        )


def sample(name: str = "a", text: str = "the man walks", video: str = "v") -> Sample:
    return Sample(name, video, video, text, "declarative", 2, 1, 1)


def one(
    tubelets: Sequence[Tubelet], method: str, runtime: Any = None, **asked: str
) -> Prediction | None:
    memory: Any = Memory(tubelets)
    ((_, found),) = predictions(memory, [sample(**asked)], method, Config(), runtime)
    return found


def test_heads_choose_a_tubelet_and_cut_it() -> None:
    pair = [tubelet(5, start=1.0, end=9.0), tubelet(7, x=50.0)]
    found = one(pair, "cospal", Fixed(0, 0.25, 0.5))
    assert found is not None
    assert found.span == (75, 150)  # 2.5 to 5 s at 30 frames a second
    assert found.track.span == (29, 272)  # half a sampling step beyond both ends
    assert found.tube.frames.tolist() == list(range(75, 150))
    assert found.tube.boxes_xyxy[:, 0] == pytest.approx(300)
    assert [track.span for track in found.tubelets] == [(29, 272), (0, 299)]


def test_a_segment_without_the_tubelet_has_its_nearest_boxes() -> None:
    late = tubelet(5, start=6.0, end=8.0, x=lambda t: 20 * t)
    found = one([late], "cospal", Fixed(0, 0.125, 0.25))
    assert found is not None
    assert found.tube.frames.tolist() == list(range(38, 75))
    assert found.tube.boxes_xyxy[:, 0] == pytest.approx(120)
    assert found.track.span == found.tubelets[0].span == (179, 242)  # its own life all the same


def test_methods_without_heads_ignore_them() -> None:
    pair = [tubelet(1, height=100, x=20.0), tubelet(2, height=200)]
    found = one(pair, "largest", Fixed(0, 0.2, 0.4))
    assert found is not None
    assert found.track.boxes_xyxy[0, 0] == pytest.approx(300)
    assert found.span == (0, 299)


@pytest.mark.parametrize("method", ["zero-shot", "w-gdino", "random", "random-segment", "largest"])
def test_every_baseline_answers_and_nothing_seen_is_no_answer(method: str) -> None:
    found = one([tubelet(1), tubelet(2, "car", x=50.0)], method)
    assert found is not None
    assert len(found.tube)
    assert len(found.tubelets) == 2
    assert one([], method) is None


def test_no_tubelet_is_no_answer_of_heads() -> None:
    assert one([], "cospal", Fixed(0, 0, 1)) is None


def test_a_trained_method_needs_heads() -> None:
    with pytest.raises(UsageError, match="needs trained heads"):
        one([tubelet(1)], "cospal")
    with pytest.raises(UsageError, match="unknown value 'best'"):
        one([tubelet(1)], "best")


def test_sentences_about_one_video_share_it_and_progress_is_told() -> None:
    memory: Any = Memory([tubelet(1)])
    samples = [sample("a"), sample("b"), sample("c", video="w"), sample("d", video="w")]
    samples[3] = replace(samples[3], segment=(0, 9))
    told: list[tuple[str, float, float | None]] = []
    found = dict(
        predictions(memory, samples, "random", Config(), progress=lambda *x: told.append(x))
    )
    assert list(found) == ["a", "b", "c", "d"]
    assert memory.opened == 3
    assert told[-1] == ("random", 4, 4)


def test_a_sentence_that_cannot_be_read_has_no_answer_by_rules(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert one([tubelet(1)], "zero-shot", text="?!") is None
    assert "a: " in caplog.text
    assert one([tubelet(1)], "cospal", Fixed(0, 0, 1), text="?!") is not None

"""A Grounder that knows the answer, for tests of what is around it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cospal_cli.core.files import replacing
from cospal_cli.core.frames import Timeline, VideoInfo
from cospal_cli.core.observation import Observation
from cospal_cli.core.query import Query
from cospal_cli.core.tube import Tube
from cospal_cli.grounder import Grounder
from cospal_cli.settings import Config, GroundConfig
from cospal_cli.video.writer import Written

FRAMES = 10


def make_tube() -> Tube:
    steps = np.arange(FRAMES)
    return Tube(
        id=1,
        frame_indices=steps,
        pts=steps * 40,
        times_s=steps / 25,
        boxes_xyxy=np.tile(np.array([10, 20, 60, 120], np.float32), (FRAMES, 1)),
        box_scores=np.full(FRAMES, 0.9, np.float32),
        interpolated=np.zeros(FRAMES, bool),
        span_s=(0.0, FRAMES / 25),
        score=0.8,
        match=0.6,
        label="person",
        why={"class": 1.25, "colour": -0.5, "action": 0.0},
    )


def make_observation(path: Path, interrupted: bool = False) -> Observation:
    steps = np.arange(FRAMES)
    info = VideoInfo(str(path), 320, 240, 0, Fraction(1, 1000), Fraction(25), duration_s=0.4)
    timeline = Timeline(steps, steps * 40, steps / 25, 0.4, warnings=("a few frames are gray",))
    model = {"id": "fake", "sha256": "0" * 64}
    return Observation(info, timeline, (), ("person",), model, interrupted=interrupted)


class Fake:
    """The stages as the command sees them; tests replace what they are about."""

    def __init__(self) -> None:
        self.tubes: dict[str, list[Tube]] = {}
        self.watched: list[Config] = []
        self.detectors: list[Any] = []
        self.drawn: list[tuple[Path, Any]] = []
        self.while_watching: Callable[[], None] = lambda: None
        self.while_drawing: Callable[[], None] = lambda: None

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the place of the stages that cost time."""

        def watch(
            grounder: Grounder,
            video: Path,
            prompt: Query | None,
            progress: Any,
            stopped: Callable[[], bool],
        ) -> Observation:
            self.watched.append(grounder.config)
            assert grounder.detector is not None
            self.detectors.append(grounder.detector.prompt(prompt))
            self.while_watching()
            return make_observation(video, stopped())

        monkeypatch.setattr(Grounder, "_observe", watch)
        monkeypatch.setattr("cospal_cli.grounder.tubes_of", self.tubes_of)
        monkeypatch.setattr("cospal_cli.video.writer.write_annotated", self.write_annotated)

    def tubes_of(
        self, ranked: Any, query: Query, evidence: Any, config: GroundConfig
    ) -> list[Tube]:
        return self.tubes.get(query.text, [make_tube()])[: config.top_k]

    def write_annotated(
        self,
        source: Path,
        target: Path,
        drawing: Any,
        video: Any,
        output: Any,
        progress: Any,
        stopped: Callable[[], bool],
        before: Callable[[], None],
    ) -> Written:
        with replacing(target) as part:
            part.write_bytes(b"frames")
            self.while_drawing()
            before()
        self.drawn.append((target, video))
        return Written(not stopped())

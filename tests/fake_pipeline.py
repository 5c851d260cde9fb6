"""A pipeline that knows the answer, for tests of what is around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from cospal_cli.config import Config
from cospal_cli.core.files import replacing
from cospal_cli.core.types import Query, Timeline, Tube, VideoInfo
from cospal_cli.pipeline import Scene
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
        confidence=0.6,
        label="person",
        why={"class": 1.25, "colour": -0.5, "action": 0.0},
    )


def make_scene(path: Path, config: Config, interrupted: bool = False) -> Scene:
    steps = np.arange(FRAMES)
    info = VideoInfo(str(path), 320, 240, 0, Fraction(1, 1000), Fraction(25), duration_s=0.4)
    timeline = Timeline(steps, steps * 40, steps / 25, 0.4, warnings=("a few frames are gray",))
    model = {"id": "fake", "sha256": "0" * 64}
    return Scene(info, timeline, [], ("person",), None, config, model, interrupted)  # type: ignore[arg-type]


class Fake:
    """The stages as the command sees them; tests replace what they are about."""

    def __init__(self) -> None:
        self.tubes: dict[str, list[Tube]] = {}
        self.watched: list[Config] = []
        self.detectors: list[Any] = []
        self.drawn: list[tuple[Path, Any]] = []
        self.while_watching: Callable[[], None] = lambda: None
        self.while_drawing: Callable[[], None] = lambda: None

    def watch(
        self, path: Path, config: Config, detector: Any, progress: Any, stopped: Any
    ) -> Scene:
        self.watched.append(config)
        self.detectors.append(detector)
        self.while_watching()
        return make_scene(path, config, stopped())

    def ground_query(
        self, scene: Scene, query: Query, config: Config, answer: Any = None
    ) -> list[Tube]:
        return self.tubes.get(query.text, [make_tube()])[: config.ground.top_k]

    def write_annotated(
        self,
        source: Path,
        target: Path,
        tubes: Sequence[Tube],
        caption: str,
        video: Any,
        output: Any,
        progress: Any,
        stopped: Callable[[], bool],
        *,
        comment: str,
        before: Callable[[], None],
    ) -> Written:
        with replacing(target) as part:
            part.write_bytes(b"frames")
            self.while_drawing()
            before()
        self.drawn.append((target, video))
        return Written(not stopped())

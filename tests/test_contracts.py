"""Every back end that opens without fetched weights keeps its stage's contract.

Those that need weights call the same checks in tests of their own, on tiny models.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cospal_cli import track
from cospal_cli.core.backends import FORMATS, METHODS, TRACKERS
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.grounding import GroundingScores
from cospal_cli.datasets import open_format
from cospal_cli.detect import open_detector
from cospal_cli.features.clips import open_video_encoder
from cospal_cli.language.encoders.text import open_text_encoder
from cospal_cli.language.parser.parse import parse
from cospal_cli.model.checkpoint import save
from cospal_cli.model.cospal import CoSPaL
from cospal_cli.ranking import open_method
from cospal_cli.ranking.candidates import Candidate, candidates
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.prediction import HeadScores
from cospal_cli.runtime import open_runtime
from cospal_cli.settings import (
    ClipsConfig,
    DetectorConfig,
    FileConfig,
    GroundConfig,
    TextConfig,
    TrackerConfig,
    VideoConfig,
)
from cospal_cli.video.reader import VideoReader
from tests import contracts, scenes
from tests.data_folders import NAMES, hcstvg, v1, v2, vidstg
from tests.test_ground import CLASSES, SIZE, TIMELINE, tubelet
from tests.test_language_text import needs_minilm
from tests.test_runtime_torch import METADATA, inputs

BIKES = Path(__file__).parent.parent / "examples" / "bikes.mp4"


@pytest.fixture(scope="module")
def batch() -> FrameBatch:
    """Two frames of the example clip."""
    with VideoReader(BIKES, VideoConfig(fps=2)) as reader:
        return next(iter(reader.batches(2)))


@pytest.mark.parametrize("name", ["nanodet", "file"])
def test_detectors(name: str, batch: FrameBatch, tmp_path: Path) -> None:
    rows = [[10, 20, 60, 120], [-5, 30, 900, 250]]
    lines = [{"frame": int(at), "boxes": rows, "scores": [0.4, 0.9]} for at in batch.indices]
    for line in lines:
        line["labels"] = ["man", "car"]
    (tmp_path / "boxes.jsonl").write_text("\n".join(map(json.dumps, lines)))
    file = FileConfig(path=str(tmp_path / "boxes.jsonl"))
    detector = open_detector(DetectorConfig(name=name, file=file))
    contracts.check_detector(detector, batch)
    assert len(detector.decode(detector.run(detector.prepare(batch)), batch)[0])


@pytest.mark.parametrize("name", TRACKERS)
def test_trackers(name: str) -> None:
    there = scenes.Actor(lambda t: (0.2 + 0.1 * t, 0.5, 0.1, 0.3))
    made = scenes.scene([there], 3, 10)
    tracker = track.open_tracker(TrackerConfig(name=name), made.size, scenes.CLASSES)
    frames = zip(made.detections, made.times_s, made.colours, made.images, strict=True)
    contracts.check_tracker(tracker, list(frames))


def test_the_embedded_video_encoder() -> None:
    with VideoReader(BIKES, VideoConfig(fps=8, work_side=416, duration="2s")) as reader:
        batch = next(iter(reader.batches(16)))
    encoder = open_video_encoder(ClipsConfig(threads=1))
    contracts.check_video_encoder(encoder, batch)


@needs_minilm
def test_the_embedded_text_encoder() -> None:
    contracts.check_text_encoder(open_text_encoder(TextConfig()))


def answered(field: list[Candidate]) -> HeadScores:
    """What heads might say of the tubelets of ``field``."""
    scores = GroundingScores(
        np.full(len(field), 1 / len(field), np.float32),
        np.array([[0.2, 0.6], [0.0, 1.0]], np.float32),
        np.array([0.7, 0.3], np.float32),
    )
    return HeadScores(tuple(one.tubelet.id for one in field), scores, ())


@pytest.mark.parametrize("name", METHODS)
def test_methods(name: str) -> None:
    field = candidates([tubelet(1), tubelet(2, start=2, end=7, x=40.0)], SIZE, TIMELINE)
    evidence = Evidence(TIMELINE, CLASSES, prediction=answered(field))
    query = parse("the man in the black trousers walks to the left")
    contracts.check_method(open_method(name), field, query, evidence, GroundConfig(method=name))


def test_the_torch_runtime(tmp_path: Path) -> None:
    save(tmp_path, CoSPaL(METADATA.sizes, METADATA.model), METADATA)
    contracts.check_runtime(open_runtime("torch", tmp_path, "cpu"), inputs)


@pytest.mark.parametrize("name", FORMATS)
def test_formats(name: str, tmp_path: Path) -> None:
    form = open_format(name)
    file = form.files["train"][0]
    if name == "vidstg":
        vidstg(tmp_path)
        bad, split = 0, "test"
        file = form.files[split][0]
    else:
        row = v1() if name == "hcstvg" else v2()
        hcstvg(tmp_path, dict.fromkeys(NAMES, row) | {"../evil.mp4": row, "gone.mp4": row}, file)
        bad, split = 2, "train"
    path = next(tmp_path.rglob(file))
    contracts.check_format(form, tmp_path, path, split, bad)

"""Frames that look like the last one seen: which are skipped, and what they hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.tubelets import Detections
from cospal_cli.core.vocabulary import COCO
from cospal_cli.detect import open_detector
from cospal_cli.detect.still import StillFrames, part
from cospal_cli.grounder import Grounder
from cospal_cli.settings import Config, DetectorConfig, FileConfig
from tests.media import make

SIZE = (320, 192)


def picture(x: int = 100, light: int = 0, side: int = 20) -> np.ndarray:
    image = np.full((SIZE[1], SIZE[0], 3), 90 + light, np.uint8)
    image[80 : 80 + side, x : x + side] = 200
    return image


def batch(*images: np.ndarray, first: int = 0, fps: float = 10.0) -> FrameBatch:
    indices = np.arange(first, first + len(images))
    return FrameBatch(np.stack(images), indices, indices / fps, SIZE)


def boxes(index: int) -> Detections:
    return Detections(
        index, np.array([[100, 80, 120, 100]], np.float32), np.array([0.5], np.float32),
        np.zeros(1, np.int64), np.full((1, 2), 0.5, np.float32),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("second", "moved"),
    [
        (picture(), False),
        (picture(x=102), True),
        (picture(light=3), False),
        (picture(light=5), True),
        (picture(side=24), True),
    ],
)
def test_what_counts_as_moved(second: np.ndarray, moved: bool) -> None:
    assert StillFrames(4.0).moved(batch(picture(), second)).tolist() == [True, moved]


def test_noise_is_not_motion_and_slow_changes_add_up() -> None:
    rng = np.random.default_rng(1)
    noisy = [np.clip(picture() + rng.normal(0, 4, (*SIZE[::-1], 3)), 0, 255) for _ in range(8)]
    assert StillFrames(4.0).moved(batch(*(n.astype(np.uint8) for n in noisy))).sum() == 1
    dawn = [picture(light=n) for n in range(8)]
    assert StillFrames(4.0).moved(batch(*dawn)).tolist() == [True, *[False] * 3] * 2


def test_a_second_at_most_and_zero_means_every_frame() -> None:
    same = batch(*[picture()] * 25)
    assert np.flatnonzero(StillFrames(4.0).moved(same)).tolist() == [0, 10, 20]
    assert StillFrames(0.0).moved(same).all()
    slow = batch(*[picture()] * 3, fps=0.5)
    assert StillFrames(4.0).moved(slow).all()


def test_skipped_frames_keep_the_boxes_of_the_last_one_across_batches() -> None:
    still = StillFrames(4.0)
    first, second = batch(picture(), picture()), batch(picture(), picture(x=140), first=2)
    found = still.filled(first, still.moved(first), [boxes(0)])
    rows = still.moved(second)
    assert part(second, rows).indices.tolist() == [3]
    found += still.filled(second, rows, [replace(boxes(3), boxes_xyxy=boxes(3).boxes_xyxy + 40)])
    assert [one.frame_index for one in found] == [0, 1, 2, 3]
    assert [float(one.boxes_xyxy[0, 0]) for one in found] == [100, 100, 100, 140]


class Counting:
    """A detector that finds the bright square, and counts the frames that it sees."""

    classes, model_id, model_sha256, prompted = COCO, "counting", "0" * 64, False
    batch, image_side = 4, 0

    def __init__(self, config: DetectorConfig) -> None:
        self.config, self.seen = config, 0

    def prompt(self, query: object) -> Counting:
        return self

    def prepare(self, batch: FrameBatch) -> np.ndarray:
        return batch.images[..., 1]

    def run(self, prepared: np.ndarray) -> np.ndarray:
        self.seen += len(prepared)
        return prepared > 150

    def decode(self, outputs: np.ndarray, batch: FrameBatch) -> list[Detections]:
        scores = np.zeros((1, len(COCO)), np.float32)
        scores[0, 2] = 0.9
        found = []
        for index, bright in zip(batch.indices.tolist(), outputs, strict=True):
            y, x = np.nonzero(bright)
            box = np.array([[x.min(), y.min(), x.max() + 1, y.max() + 1]], np.float32)
            found.append(Detections(index, box, np.full(1, 0.9, np.float32), np.full(1, 2), scores))
        return found


def test_the_tubelet_is_the_same_and_the_detector_sees_less(tmp_path: Path) -> None:
    stops = [picture(x=40 + 4 * min(n, 15)) for n in range(50)]
    video = make(tmp_path / "stops.mp4", 50, size=SIZE, picture=lambda number, _: stops[number])
    seen, tubelets = {}, {}
    for change in (0.0, 4.0):
        detector = Counting(DetectorConfig(still=change))
        tubelets[change] = Grounder(Config(), detector).observe(video).tubelets
        seen[change] = detector.seen
    assert seen[0.0] == 50
    assert 16 <= seen[4.0] <= 25
    (every,), (some,) = tubelets[0.0], tubelets[4.0]
    assert every.frame_indices.tolist() == some.frame_indices.tolist()
    assert some.observed.all()
    np.testing.assert_allclose(every.boxes_xyxy, some.boxes_xyxy, atol=1.5)


def test_boxes_from_a_file_are_each_frames_own(tmp_path: Path) -> None:
    path = tmp_path / "boxes.jsonl"
    path.write_text('{"frame": 0, "boxes": [[1, 1, 9, 9]], "scores": [0.9], "labels": ["car"]}\n')
    config = DetectorConfig(name="file", file=FileConfig(str(path)))
    assert open_detector(config).config.still == 0.0

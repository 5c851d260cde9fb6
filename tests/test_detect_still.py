"""Frames that look like the last one seen: which are skipped, and what they hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.tubelets import Detections
from cospal_cli.core.vocabulary import COCO
from cospal_cli.detect import open_detector
from cospal_cli.detect.still import StillFrames
from cospal_cli.grounder import Grounder
from cospal_cli.settings import Config, DetectorConfig, FileConfig, VideoConfig
from cospal_cli.video.reader import VideoReader
from tests.media import make

SIZE = (320, 192)


def picture(x: int = 100, light: int = 0, side: int = 20) -> np.ndarray:
    image = np.full((SIZE[1], SIZE[0], 3), 90 + light, np.uint8)
    image[80 : 80 + side, x : x + side] = 200
    return image


def squares(*images: np.ndarray) -> list[np.ndarray]:
    return [
        image.reshape(24, 8, 40, 8, 3).mean(axis=(1, 3, 4)).astype(np.uint8) for image in images
    ]


def moved(change: float, *images: np.ndarray, fps: float = 10.0) -> list[bool]:
    still = StillFrames(change)
    return [still.moved(means, number / fps) for number, means in enumerate(squares(*images))]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (picture(), False),
        (picture(x=102), True),
        (picture(light=3), False),
        (picture(light=5), True),
        (picture(side=24), True),
    ],
)
def test_what_counts_as_moved(second: np.ndarray, expected: bool) -> None:
    assert moved(4.0, picture(), second) == [True, expected]


def test_noise_is_not_motion_and_slow_changes_add_up() -> None:
    rng = np.random.default_rng(1)
    noisy = [np.clip(picture() + rng.normal(0, 4, (*SIZE[::-1], 3)), 0, 255) for _ in range(8)]
    assert sum(moved(4.0, *(n.astype(np.uint8) for n in noisy))) == 1
    assert moved(4.0, *(picture(light=n) for n in range(8))) == [True, *[False] * 3] * 2


def test_a_second_at_most_and_zero_means_every_frame() -> None:
    same = [picture()] * 25
    assert np.flatnonzero(moved(4.0, *same)).tolist() == [0, 10, 20]
    assert all(moved(0.0, *same))
    assert all(moved(4.0, *same[:3], fps=0.5))


@pytest.mark.parametrize("turned", [0, 90])
def test_brightness_is_of_squares_whatever_the_format(tmp_path: Path, turned: int) -> None:
    video = make(
        tmp_path / "one.mp4",
        2,
        size=SIZE,
        turn=(turned, False, False),
        picture=lambda *_: picture(),
    )
    with VideoReader(video, VideoConfig()) as reader:
        frame = next(reader.frames())
        gray = reader.brightness(frame.raw)
        assert gray.shape == (24, 40)
        np.testing.assert_allclose(gray, squares(picture())[0], atol=4)
        rgb = reader.brightness(frame.raw.reformat(format="rgb24"))
        np.testing.assert_allclose(rgb, gray, atol=3)


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

"""One detector for many processes: the same boxes, batches of several videos, hardly a pause."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial
from multiprocessing import AuthenticationError
from pathlib import Path

import numpy as np
import pytest

from cospal_cli import detect
from cospal_cli.core import backends
from cospal_cli.core.errors import DeviceError, UsageError
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.query import Query
from cospal_cli.core.tubelets import Detections
from cospal_cli.grounder import Grounder
from cospal_cli.language.parser.parse import parse
from cospal_cli.library.engines import open_engine
from cospal_cli.library.engines.processes import Processes
from cospal_cli.library.engines.shared import DetectorServer, SharedDetector, _Link, join
from cospal_cli.settings import Config, DetectorConfig, override
from tests import contracts, media


class Slow:
    """Takes its time for each batch, however full; a box that tells the frame's brightness."""

    classes = ("person",)
    model_id, model_sha256, prompted = "slow", "", False
    batch, image_side = 8, 0
    step_s = 0.0
    sizes: list[int] = []  # noqa: RUF012

    def __init__(self, config: DetectorConfig) -> None:
        self.config = config

    def prompt(self, query: Query) -> Slow:
        return self

    def prepare(self, batch: FrameBatch) -> np.ndarray:
        return batch.images.mean(axis=(1, 2, 3))

    def run(self, prepared: np.ndarray) -> np.ndarray:
        Slow.sizes.append(len(prepared))
        time.sleep(self.step_s)
        return prepared

    def decode(self, outputs: np.ndarray, batch: FrameBatch) -> list[Detections]:
        found = []
        for at, value in zip(batch.indices, outputs, strict=True):
            box = np.array([[1, 1, 2 + value / 8, 40]], np.float32)
            one = np.full(1, 0.9, np.float32)
            found.append(Detections(int(at), box, one, np.zeros(1, np.int64), one[None]))
        return found


class Prompted(Slow):
    """Of the sentence's class; refuses dogs."""

    prompted = True

    def prompt(self, query: Query) -> Prompted:
        twin = Prompted(self.config)
        twin.classes = (query.subject,)  # type: ignore[assignment]
        return twin

    def run(self, prepared: np.ndarray) -> np.ndarray:
        if self.classes == ("dog",):
            raise DeviceError("no dogs", "ask for cats")
        return super().run(prepared)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[DetectorServer]:
    monkeypatch.setitem(backends.DETECTORS, "nanodet", f"{__name__}:Slow")
    Slow.step_s, Slow.sizes = 0.0, []
    with DetectorServer() as server:
        yield server


def stand_in(server: DetectorServer) -> SharedDetector:
    return SharedDetector(_Link(server.address, server.key), (DetectorConfig(), None))


def frames(first: int, count: int = 4) -> FrameBatch:
    images = np.stack([media.numbered(number) for number in range(first, first + count)])
    return FrameBatch(images, np.arange(first, first + count), np.arange(count) / 10, media.SIZE)


def test_a_stand_in_keeps_the_contract(server: DetectorServer) -> None:
    contracts.check_detector(stand_in(server), frames(3))
    with pytest.raises(UsageError, match="unknown detector"):
        SharedDetector(_Link(server.address, server.key), (replace_name("nothing"), None))


def replace_name(name: str) -> DetectorConfig:
    """A config of a name that no check lets through."""
    config = DetectorConfig()
    object.__setattr__(config, "name", name)
    return config


def test_frames_of_several_videos_share_batches_and_come_back_to_their_own(
    server: DetectorServer,
) -> None:
    Slow.step_s = 0.05
    plain = Slow(DetectorConfig())

    def ask(first: int) -> None:
        own = stand_in(server)
        for start in range(first, first + 12, 4):
            batch = frames(start)
            for one, other in zip(
                detect.detect(own, batch), detect.detect(plain, batch), strict=True
            ):
                contracts.expect_same(one, other)
            right.append(start)

    right: list[int] = []
    threads = [threading.Thread(target=ask, args=(20 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(right) == 12
    assert max(Slow.sizes) == Slow.batch
    assert server.frames == 48


def test_prompts_and_errors_reach_the_worker(
    server: DetectorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(backends.DETECTORS, "nanodet", f"{__name__}:Prompted")
    own = stand_in(server)
    cat, dog = own.prompt(parse("the cat")), own.prompt(parse("the dog"))
    assert (cat.classes, dog.classes) == (("cat",), ("dog",))
    assert len(detect.detect(cat, frames(0))) == 4
    with pytest.raises(DeviceError) as caught:
        detect.detect(dog, frames(0))
    assert (caught.value.message, caught.value.hint) == ("no dogs", "ask for cats")


def test_a_server_that_ended_is_an_error_of_the_device(server: DetectorServer) -> None:
    own = stand_in(server)
    own._link._connection.close()
    with pytest.raises(DeviceError, match="has ended"):
        own.run(frames(0))


def test_only_the_key_opens_the_door(server: DetectorServer) -> None:
    with pytest.raises((AuthenticationError, OSError, EOFError)):
        _Link(server.address, b"another")
    assert len(detect.detect(stand_in(server), frames(0))) == 4


@cache
def grounder(config: Config) -> Grounder:
    return Grounder.open(config)


def watch(path: Path, config: Config) -> int:
    """The work of a worker: how many frames it saw."""
    own = grounder(config)
    assert isinstance(own.detector, SharedDetector)
    return len(own.observe(path).timeline.indices)


def test_twenty_short_videos_leave_the_detector_no_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(backends.DETECTORS, "nanodet", f"{__name__}:Slow")
    Slow.step_s, Slow.sizes = 0.1, []
    paths = [media.make(tmp_path / f"{number}.mp4", 16) for number in range(20)]
    config = override(
        None, {"engine.workers": 4, "engine.share_detector": "always", "video.fps": 25}
    )
    engine = open_engine(config)
    assert isinstance(engine, Processes)
    found = dict(engine.run(paths, partial(watch, config=config)))
    assert found == dict.fromkeys(paths, 16)
    assert sum(Slow.sizes) == 320
    assert sum(Slow.sizes) / len(Slow.sizes) > 4.5, "no more than each worker sends"
    assert engine.use > 0.6  # .998 on a quiet machine; other work starves the workers


def test_a_process_that_joined_opens_stand_ins_only(server: DetectorServer) -> None:
    try:
        join(server.address, server.key)
        assert isinstance(detect.open_detector(DetectorConfig()), SharedDetector)
    finally:
        detect.use_opener(None)
    assert isinstance(detect.open_detector(replace(DetectorConfig())), Slow)

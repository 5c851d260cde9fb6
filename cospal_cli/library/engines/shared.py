"""One detector for many processes: it never waits for a video's start or end.

The process that owns it, a ``DetectorServer``, runs it on batches of frames of several videos; the
workers decode, track and answer, and have a ``SharedDetector`` in its place. What they send is a
batch of frames, what comes back its boxes.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Client, Connection, Listener
from queue import Empty, Queue
from typing import Any

import numpy as np

from cospal_cli import detect
from cospal_cli.core.errors import CospalError, DeviceError
from cospal_cli.core.foreign import reason
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.prefetch import prefetch
from cospal_cli.core.query import Query
from cospal_cli.core.tubelets import Detections
from cospal_cli.settings import DetectorConfig

Setup = tuple[DetectorConfig, Query | None]  # a detector, and what it is prompted with
_FIELDS = ("classes", "model_id", "model_sha256", "config", "batch", "image_side", "prompted")
_GONE = DeviceError("the process that runs the detector has ended", "run cospal again")


@dataclass(eq=False)
class _Request:
    """Frames that one worker waits for."""

    setup: Setup
    batch: FrameBatch
    done: threading.Event = field(default_factory=threading.Event)
    reply: Any = None  # a list of Detections, or an error

    @property
    def kind(self) -> tuple[object, ...]:
        """Equal where requests can share a batch."""
        config, query = self.setup
        return config, query and query.text, self.batch.images.shape[1:], self.batch.size


class DetectorServer:
    """Owns the detectors of this process while open; serves whoever knows ``address`` and ``key``.

    ``busy_s``: seconds within ``Detector.run``; ``span_s``: from the first run to the last one's
    end.
    """

    def __init__(self) -> None:
        self.key = os.urandom(16)
        self._listener = Listener(None, backlog=256, authkey=self.key)
        self.address: Any = self._listener.address
        self._waiting: Queue[_Request | None] = Queue()
        self._detectors: dict[tuple[object, ...], detect.Detector] = {}
        self._opening = threading.Lock()
        self._room = threading.Semaphore(1)
        self.busy_s, self.batches, self.frames = 0.0, 0, 0
        self._first_s = self._last_s = 0.0

    @property
    def span_s(self) -> float:
        """See the class."""
        return self._last_s - self._first_s

    def __enter__(self) -> DetectorServer:
        self._runner = threading.Thread(target=self._detect, name="cospal-detector", daemon=True)
        self._runner.start()
        threading.Thread(target=self._accept, name="cospal-accept", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.put(None)
        with suppress(OSError):
            self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except (OSError, EOFError):  # closed
                return
            except Exception:  # somebody without the key
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        """Answer one worker until it goes."""
        with suppress(EOFError, OSError), connection:
            while True:
                setup, batch = connection.recv()
                reply: Any
                try:
                    reply = self._about(setup) if batch is None else self._boxes(setup, batch)
                except Exception as error:
                    reply = error
                connection.send(_sent(reply))

    def _about(self, setup: Setup) -> Mapping[str, Any]:
        detector = self._detector(setup)
        return {name: getattr(detector, name) for name in _FIELDS}

    def _boxes(self, setup: Setup, batch: FrameBatch) -> list[Detections]:
        request = _Request(setup, batch)
        self._waiting.put(request)
        while not request.done.wait(1.0):
            if not self._runner.is_alive():
                raise _GONE
        if isinstance(request.reply, Exception):
            raise request.reply
        found: list[Detections] = request.reply
        return found

    def _detector(self, setup: Setup) -> detect.Detector:
        """Opened when first needed; a prompted one is kept for each sentence in use."""
        config, query = setup
        key = config, query and query.text
        with self._opening:
            if key not in self._detectors:
                plain = (config, None)
                if plain not in self._detectors:
                    self._detectors[plain] = detect.open_own(config)
                if query is not None:
                    prompted = self._detectors[plain].prompt(query)
                    others = [one for one in self._detectors if one[1] is not None]
                    for old in others[:-64]:  # each holds its sentence's encoding
                        del self._detectors[old]
                    self._detectors[key] = prompted
            return self._detectors[key]

    def _detect(self) -> None:
        """Run the detector for ever. Preparing, running and decoding have a thread each."""
        for group, batch, outputs in prefetch(self._run()):
            try:
                if isinstance(outputs, Exception):
                    raise outputs
                found = self._detector(group[0].setup).decode(outputs, batch)
                _hand_out(group, found)
            except Exception as error:
                for request in group:
                    request.reply = error
            for request in group:
                request.done.set()

    def _run(self) -> Iterator[tuple[list[_Request], FrameBatch, Any]]:
        for group, batch, prepared in prefetch(self._prepared()):
            outputs = prepared
            if isinstance(prepared, Exception):
                self._room.release()
            else:
                self._room.release()
                began = time.monotonic()
                self._first_s = self._first_s or began
                try:
                    outputs = self._detector(group[0].setup).run(prepared)
                except Exception as error:
                    outputs = error
                self._last_s = time.monotonic()
                self.busy_s += self._last_s - began
                self.batches, self.frames = self.batches + 1, self.frames + len(batch)
            yield group, batch, outputs

    def _prepared(self) -> Iterator[tuple[list[_Request], FrameBatch, Any]]:
        for group in self._groups():
            batch = _joined(group)
            try:
                prepared = self._detector(group[0].setup).prepare(batch)
            except Exception as error:
                prepared = error
            yield group, batch, prepared

    def _groups(self) -> Iterator[list[_Request]]:
        """Requests that are run together: of one kind, no more frames than the detector takes."""
        later: list[_Request] = []
        while True:
            if not later:
                one = self._waiting.get()
                if one is None:
                    return
                later.append(one)
            self._room.acquire()  # not before the batch before this one runs: more may come
            with suppress(Empty):
                while (one := self._waiting.get_nowait()) is not None:
                    later.append(one)
                return
            room = self._detector(later[0].setup).batch
            group: list[_Request] = []
            for one in later:
                if one.kind == later[0].kind and (not group or len(one.batch) <= room):
                    group.append(one)
                    room -= len(one.batch)
            later = [one for one in later if one not in group]
            yield group


class SharedDetector:
    """See ``Detector``: a stand-in for one that a ``DetectorServer`` runs."""

    classes: tuple[str, ...]
    model_id: str
    model_sha256: str
    config: DetectorConfig
    batch: int
    image_side: int
    prompted: bool

    def __init__(self, link: _Link, setup: Setup) -> None:
        """Raises what opening the detector raises."""
        self._link, self._setup = link, setup
        self.__dict__.update(link.ask(setup, None))
        self.batch = max(1, self.batch // 2)  # so that those of two videos make one batch

    def prompt(self, query: Query) -> detect.Detector:
        """Of the same server."""
        return SharedDetector(self._link, (self._setup[0], query)) if self.prompted else self

    def prepare(self, batch: FrameBatch) -> object:
        """The frames as they are."""
        return batch

    def run(self, prepared: Any) -> object:
        """Boxes from the server, by the frames' own numbers."""
        return self._link.ask(self._setup, prepared)

    def decode(self, outputs: Any, batch: FrameBatch) -> list[Detections]:
        """They are decoded."""
        found: list[Detections] = outputs
        return found


class _Link:
    """A worker's connection; one question at a time."""

    def __init__(self, address: Any, key: bytes) -> None:
        self._connection = Client(address, authkey=key)
        self._lock = threading.Lock()

    def ask(self, setup: Setup, batch: FrameBatch | None) -> Any:
        """The server's answer; its errors are raised here."""
        try:
            with self._lock:
                self._connection.send((setup, batch))
                kind, content = self._connection.recv()
        except (EOFError, OSError) as error:
            raise _GONE from error
        if kind == "error":
            made, message, hint = content
            raise made(message, hint)
        return content


def join(address: Any, key: bytes) -> None:
    """Let this process use the detector of a ``DetectorServer`` whenever it opens one."""
    link = _Link(address, key)
    detect.use_opener(lambda config: SharedDetector(link, (config, None)))


def _joined(group: Sequence[_Request]) -> FrameBatch:
    """All frames as one batch, numbered from 0."""
    images = np.concatenate([request.batch.images for request in group])
    times = np.concatenate([request.batch.times_s for request in group])
    return FrameBatch(images, np.arange(len(images)), times, group[0].batch.size)


def _hand_out(group: Sequence[_Request], found: Sequence[Detections]) -> None:
    """Each request's share, by its own numbers of frames."""
    first = 0
    for request in group:
        own = found[first : first + len(request.batch)]
        numbers = request.batch.indices.tolist()
        request.reply = [replace(one, frame_index=at) for one, at in zip(own, numbers, strict=True)]
        first += len(request.batch)


def _sent(reply: Any) -> tuple[str, Any]:
    """What goes through the connection: exceptions would lose their hints."""
    if isinstance(reply, CospalError):
        return "error", (type(reply), reply.message, reply.hint)
    if isinstance(reply, Exception):
        return "error", (DeviceError, f"the detector failed: {reason(reply)}", "")
    return "ok", reply

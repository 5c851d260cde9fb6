"""One safetensors file per video: its tubelets, the heads' inputs, and its clips.

A file holds a *scene* (what one pass over the video left: see ``scenes``) for every prompt of the
detector, one where it is not prompted; for every part of the video that is searched a *view*: the
features of that scene's tubelets in that part; and the clips. Ragged arrays lie end to end, with
their lengths. The metadata is JSON: the format, the key that names its sources, and names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.brief import brief
from cospal_cli.core.clips import Clips
from cospal_cli.core.errors import InputError
from cospal_cli.core.files import replacing
from cospal_cli.core.fitting import as_table
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.core.observation import FrameSpan, HeadFeatures, Observation
from cospal_cli.prepared.arrays import ArrayFile, described, digest
from cospal_cli.prepared.scenes import pack, unpack
from cospal_cli.settings.stored import modern

FORMAT = "cospal/features@1"
_HALF_MOST = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Searched:
    """The features of what a record searches, by ``prompt`` ("": none) and ``segment`` (None: the
    whole video)."""

    prompt: str
    segment: FrameSpan | None
    tubelets: FloatArray  # (K, T, F)
    mask: NDArray[np.bool_]  # (K, T)

    __repr__ = brief


def key(video: Path, others: Sequence[Path], settings: Json) -> JsonDict:
    """What the features of ``video`` depend on: its bytes and time, those of ``others`` that were
    read for it, and the settings. InputError where a file is not there."""
    files = []
    for path in (video, *others):
        with errors_as(InputError, str(path)):
            stat = path.stat()
        files.append([stat.st_size, stat.st_mtime_ns])
    return {"files": files, "settings": settings}


def write(
    path: Path,
    scenes: Mapping[str, Observation],
    views: Sequence[Searched],
    clips: Clips,
    key: Json,
) -> int:
    """Write a video's file whole; its bytes. ``scenes`` by prompt. DeviceError: no space."""
    from safetensors.numpy import save

    prompts = list(scenes)
    tensors = {"clips": _half(clips.features), "clip_spans_s": clips.spans_s}
    for at, view in enumerate(views):
        tensors[f"view{at}.tubelets"] = _half(view.tubelets)
        tensors[f"view{at}.mask"] = view.mask
    packed = []
    for at, observation in enumerate(scenes.values()):
        arrays, scene = pack(observation)
        tensors |= {f"scene{at}.{name}": array for name, array in arrays.items()}
        packed.append(scene)
    metadata = {
        "format": FORMAT,
        "key": key,
        "prompts": prompts,
        "scenes": packed,
        "views": [[prompts.index(view.prompt), view.segment] for view in views],
    }
    whole = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    digests = {name: digest(array) for name, array in whole.items()}
    with replacing(path) as part:
        part.write_bytes(save(whole, described(metadata, digests)))  # disk errors as Python's
    return path.stat().st_size


class VideoFile(ArrayFile):
    """One video's file. InputError, naming it, where it is damaged or of another format."""

    holds = "features"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.metadata = self.description(FORMAT)
        with self.border():
            self._views = {
                (self.metadata["prompts"][scene], FrameSpan(*segment) if segment else None): at
                for at, (scene, segment) in enumerate(self.metadata["views"])
            }
            self._check_shapes()

    def _check_shapes(self) -> None:
        """ValueError or KeyError unless the arrays that every reader needs are there."""
        wanted = {"clips": 2, "clip_spans_s": 2}
        for at in range(len(self._views)):
            wanted |= {f"view{at}.tubelets": 3, f"view{at}.mask": 2}
        for name, axes in wanted.items():
            if len(self.shapes[name]) != axes:
                raise ValueError(f"{name}: expected {axes} axes, found {self.shapes[name]}")
        for at in range(len(self._views)):
            if self.shapes[f"view{at}.tubelets"][:2] != self.shapes[f"view{at}.mask"]:
                raise ValueError(f"view{at}: tubelets and mask differ in length")
        as_table(self.metadata["key"])

    @property
    def key(self) -> Json:
        """The sources of the file: see ``key``."""
        found: Json = self.metadata["key"]
        return found

    @property
    def width(self) -> int | None:
        """Numbers of the detector's own vectors; None where it gave none."""
        ends = ".tubelet.features"
        return next((size[1] for name, size in self.shapes.items() if name.endswith(ends)), None)

    @property
    def former(self) -> bool:
        """Whether its vectors are a detector's own alone, without motion, as of 0.1.0."""
        views = (self.shapes[f"view{at}.tubelets"] for at in range(len(self._views)))
        return any(view[0] and view[2] == self.width for view in views)

    def tubelets(self, prompt: str, segment: FrameSpan | None) -> int:
        """K of a view."""
        return self.shapes[f"view{self._view(prompt, segment)}.tubelets"][0]

    def vision(self, prompt: str, segment: FrameSpan | None) -> HeadFeatures:
        """The features of a view in float32, with all clips that ``segment`` shares time with.

        Its ``ids`` are positions."""
        at = self._view(prompt, segment)
        with self.opened() as file:
            tubelets = self.array(file, f"view{at}.tubelets").astype(np.float32)
            mask = self.array(file, f"view{at}.mask")
            clips = self.array(file, "clips").astype(np.float32)
            if segment is not None:
                begin, end = self._span_s(file, prompt, segment)
                spans = self.array(file, "clip_spans_s")
                shared = (spans[:, 0] < end) & (spans[:, 1] > begin)
                clips = clips[shared] if shared.any() else clips
        if not (np.isfinite(tubelets).all() and np.isfinite(clips).all()):
            raise self.refusal("its features are not finite")
        return HeadFeatures(tuple(range(len(tubelets))), tubelets, mask, clips)

    def scene(self, prompt: str) -> Observation:
        """All tubelets of one prompt."""
        if prompt not in self.metadata["prompts"]:
            raise self.refusal(f"no features for the sentence {prompt!r:.100}")
        at = self.metadata["prompts"].index(prompt)
        prefix = f"scene{at}."
        with self.opened() as file:
            names = [name for name in self.shapes if name.startswith(prefix)]
            arrays = {name.removeprefix(prefix): self.array(file, name) for name in names}
        with self.border():
            return unpack(arrays, self.metadata["scenes"][at])

    def _span_s(self, file: object, prompt: str, segment: FrameSpan) -> tuple[float, float]:
        at = self.metadata["prompts"].index(prompt)
        scene = self.metadata["scenes"][at]
        times = self.array(file, f"scene{at}.times_s")
        begin, end = (max(frame - scene["first"], 0) for frame in segment)
        return float(times[min(begin, len(times) - 1)]), (
            float(times[end]) if end < len(times) else scene["end_s"]
        )

    def _view(self, prompt: str, segment: FrameSpan | None) -> int:
        if (prompt, segment) not in self._views:
            raise self.refusal(f"no features for {prompt!r:.80}, frames {segment}")
        return self._views[prompt, segment]


def _today(key: Json) -> JsonDict:
    """A file's key with the names that its settings have today."""
    settings = dict(key["settings"])
    if isinstance(settings.get("settings"), Mapping):
        settings["settings"] = modern(settings["settings"])
    return {**key, "settings": settings}


def whole(path: Path, key: Json) -> bool:
    """Whether ``path`` is an undamaged file of today, of just the sources that ``key`` names."""
    try:
        reader = VideoFile(path)
        reader.check_all()
        return not reader.former and _today(reader.key) == json.loads(json.dumps(key))
    except InputError:
        return False


def _half(values: FloatArray) -> NDArray[np.float16]:
    """In float16, what is too large for it at its limits."""
    return values.clip(-_HALF_MOST, _HALF_MOST).astype(np.float16)

"""An observation as one safetensors file: exactly what the pass over the video left.

``Grounder.answer`` gives the same for the stored observation as for the one that was stored.
Beside it lie the key that names its sources, the settings it was made with and, where they were
computed, the clips of a video encoder and what the crops show.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.clips import Clips
from cospal_cli.core.files import replacing
from cospal_cli.core.fitting import field_of, filled
from cospal_cli.core.frames import Timeline
from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.core.observation import Crops, Observation, Shown
from cospal_cli.core.tubelets import Tubelet
from cospal_cli.core.unchanged import Unchanged
from cospal_cli.library.keys import ObservationKey
from cospal_cli.prepared.arrays import ArrayFile, described, digest
from cospal_cli.prepared.scenes import pack, unpack
from cospal_cli.settings import Config, SettingError, as_dict, stored

FORMAT = "cospal/observation@1"
_SECTIONS = ("video", "detector", "tracker")  # of the settings: those that make an observation
_PACKED = ("tubelet.colours", "tubelet.thumbs")  # most of a scene's bytes, and easily deflated
_MOST = 1100  # times that zlib makes bytes fewer at the most
_SCENE, _CROPS, _CLIPS, _SHOWN = "scene.", "crops.", "clips.", "appearance."
_POOLED = "pooled."


@dataclass(frozen=True)
class Extras:
    """How that was made which lies beside the observation: it may differ from what is wanted."""

    clips: JsonDict | None = None  # the video encoder: see ``FeatureSpec``
    appearance: JsonDict | None = None  # the classifier's hash, and crops a tubelet


def write(
    path: Path, observation: Observation, key: ObservationKey, config: Config, extras: Extras
) -> int:
    """Write the file whole or not at all; its bytes. ``config``: with what the detector's back end
    filled in. ValueError for an interrupted observation; DeviceError: no space."""
    from safetensors.numpy import save

    if observation.interrupted:
        raise ValueError("observation: expected a whole one, found an interrupted one")
    arrays, scene = pack(observation)
    shapes = {name: arrays[name].shape for name in _PACKED if name in arrays}
    arrays |= {name: _deflated(arrays[name]) for name in shapes}
    tensors = {f"{_SCENE}{name}": array for name, array in arrays.items()}
    crops = [(at, *crop) for at, own in observation.crops.items() for crop in own]
    tensors |= {
        f"{_CROPS}tracks": np.array([track for track, _, _ in crops], np.int64),
        f"{_CROPS}times_s": np.array([time_s for _, time_s, _ in crops], np.float64),
        f"{_CROPS}lengths": np.array([len(picture) for _, _, picture in crops], np.int64),
        f"{_CROPS}jpeg": np.frombuffer(b"".join(picture for _, _, picture in crops), np.uint8),
    }
    if observation.clips is not None:
        tensors[f"{_CLIPS}features"] = observation.clips.features
        tensors[f"{_CLIPS}spans_s"] = observation.clips.spans_s
    pooled = [one.clips for one in observation.tubelets if one.clips is not None]
    if pooled:
        tensors[f"{_POOLED}features"] = np.concatenate([one.features for one in pooled])
        tensors[f"{_POOLED}spans_s"] = np.concatenate([one.spans_s for one in pooled])
        tensors[f"{_POOLED}lengths"] = np.array([len(one) for one in pooled], np.int64)
    if observation.appearance:
        tensors[f"{_SHOWN}ids"] = np.array(list(observation.appearance), np.int64)
        tensors[f"{_SHOWN}probabilities"] = _half(observation.appearance)
    whole = as_dict(config)
    about = {
        "format": FORMAT,
        "key": key.as_dict(),
        "settings": {name: whole[name] for name in _SECTIONS},
        "model": dict(observation.model),
        "scene": scene,
        "packed": shapes,
        "clips": extras.clips if observation.clips is not None else None,
        "appearance": extras.appearance if observation.appearance else None,
    }
    kept = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    digests = {name: digest(array) for name, array in kept.items()}
    with replacing(path) as part:
        part.write_bytes(save(kept, described(about, digests)))
    return path.stat().st_size


class StoredObservation(ArrayFile):
    """An observation's file. InputError, naming it, where it is damaged or of another format."""

    holds = "an observation"
    again = "'cospal library repair' removes it, 'cospal index' makes it again"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.about = self.description(FORMAT)
        with self.border():
            self.key = filled(ObservationKey, self.about["key"])
            for name in ("settings", "model", "scene"):
                field_of(self.about, name, JsonDict)
            self._packed = field_of(self.about, "packed", dict[str, list[int]])
            clips = field_of(self.about, "clips", JsonDict | None)
            self.extras = Extras(clips, field_of(self.about, "appearance", JsonDict | None))

    def config(self, config: Config) -> Config:
        """``config`` with the settings that the observation was made with."""
        with self.border():
            own = _settings(json.dumps(self.about["settings"]))
        return replace(config, **{name: getattr(own, name) for name in _SECTIONS})

    def shows_all(self, appearance: Json | None) -> bool:
        """Whether what the crops of every tubelet show was stored, classified like that."""
        known = self.shapes.get(f"{_SHOWN}ids", (0,))[0]
        wanted = len(self.about["scene"]["ids"])
        return known >= wanted and (not wanted or same(self.extras.appearance, appearance))

    def observation(self, video: Path | None = None) -> Observation:
        """What was stored, of the video by the name ``video``; None: that of the key."""
        named = str(video or self.key.video)
        with self.opened() as file:
            arrays = {name: self.array(file, name) for name in self.shapes}
        with self.border():
            scene = _part(arrays, _SCENE)
            scene |= {n: _inflated(scene[n], shape) for n, shape in self._packed.items()}
            seen = unpack(scene, self.about["scene"])
            _check(seen)
            clips, shown = _part(arrays, _CLIPS), _part(arrays, _SHOWN)
            return replace(
                seen,
                tubelets=_with_clips(seen.tubelets, _part(arrays, _POOLED)),
                info=replace(seen.info, path=named),
                model={str(k): str(v) for k, v in self.about["model"].items()},
                crops=_crops(_part(arrays, _CROPS)),
                clips=Clips(clips["features"], clips["spans_s"]) if clips else None,
                appearance=_shown(shown) if shown else {},
                source=Unchanged(Path(named), (self.key.bytes, self.key.changed_ns)),
            )


@lru_cache(64)
def _settings(text: str) -> Config:
    """The settings in a JSON text: mostly the same in every file of a library."""
    try:
        return stored.config_of(json.loads(text))
    except SettingError as error:
        raise ValueError(error.message) from error


def _part(arrays: Mapping[str, NDArray], prefix: str) -> dict[str, NDArray]:
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


def _half(shown: Shown) -> NDArray[np.float16]:
    return np.stack(list(shown.values())).astype(np.float16)  # exact: see ``features.appearance``


def _deflated(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The bytes of ``array`` (N, ...), those of one place at all times side by side, deflated."""
    places = np.ascontiguousarray(array.reshape(len(array), -1).T)
    return np.frombuffer(zlib.compress(places.tobytes(), 6), np.uint8)


def _inflated(data: NDArray[np.uint8], shape: Sequence[int]) -> NDArray[np.uint8]:
    """What ``_deflated`` deflated; ValueError where it is not of ``shape``."""
    size = math.prod(shape)
    if min(shape, default=0) < 0 or size > _MOST * max(len(data), 1):
        raise ValueError(f"{len(data)} bytes cannot hold an array of {list(shape)}")
    inflated = zlib.decompressobj().decompress(data.tobytes(), size + 1)
    if len(inflated) != size:
        raise ValueError(f"expected an array of {list(shape)}, found {len(inflated)} bytes")
    places = np.frombuffer(inflated, np.uint8).reshape(math.prod(shape[1:]), shape[0])
    return np.ascontiguousarray(places.T).reshape(shape)


def _crops(arrays: Mapping[str, NDArray]) -> Crops:
    lengths = arrays["lengths"]
    if (lengths < 0).any() or int(lengths.sum()) != len(arrays["jpeg"]):
        raise ValueError("the lengths of the crops do not fit their bytes")
    data, ends = arrays["jpeg"].tobytes(), np.cumsum(lengths)
    crops: dict[int, list[tuple[float, bytes]]] = {}
    rows = zip(arrays["tracks"].tolist(), arrays["times_s"].tolist(), lengths, ends, strict=True)
    for track, time_s, length, end in rows:
        crops.setdefault(track, []).append((time_s, data[end - length : end]))
    return {track: tuple(own) for track, own in crops.items()}


def _with_clips(tubelets: Sequence[Tubelet], arrays: Mapping[str, NDArray]) -> tuple[Tubelet, ...]:
    """Each with its own clips, where such were stored."""
    if not arrays:
        return tuple(tubelets)
    lengths = arrays["lengths"]
    if (lengths < 1).any() or int(lengths.sum()) != len(arrays["features"]):
        raise ValueError("the lengths of the tubelets' clips do not fit their features")
    if not np.isfinite(arrays["features"]).all():
        raise ValueError("the tubelets' clips are not finite")
    ends = np.cumsum(lengths)[:-1]
    parts = [np.split(arrays[name], ends) for name in ("features", "spans_s")]
    rows = zip(tubelets, *parts, strict=True)
    return tuple(replace(one, clips=Clips(values, spans)) for one, values, spans in rows)


def _shown(arrays: Mapping[str, NDArray]) -> dict[int, NDArray]:
    ids, chances = arrays["ids"].tolist(), arrays["probabilities"]
    if chances.shape != (len(ids), 1000) or not np.isfinite(chances).all():
        raise ValueError(f"appearance: expected ({len(ids)}, 1000) numbers, found {chances.shape}")
    return dict(zip(ids, chances.astype(np.float32), strict=True))


def _check(seen: Observation) -> None:
    """ValueError unless whoever reads it may rely on it as on one that was just made."""
    if seen.info.width < 1 or seen.info.height < 1:
        raise ValueError(f"a frame of {seen.info.width} x {seen.info.height} pixels")
    _check_timeline(seen.timeline)
    if len({tubelet.id for tubelet in seen.tubelets}) < len(seen.tubelets):
        raise ValueError("two tubelets of one id")
    for tubelet in seen.tubelets:
        _check_tubelet(tubelet, len(seen.classes))


def _check_timeline(line: Timeline) -> None:
    times = line.times_s
    if not len(times) or not np.isfinite(times).all() or not (np.diff(times) > 0).all():
        raise ValueError("its times do not rise")
    if not times[-1] < line.end_s < float("inf"):
        raise ValueError(f"it ends at {line.end_s} s, before its last frame")


def _check_tubelet(tubelet: Tubelet, classes: int) -> None:
    if not len(tubelet) or not (np.diff(tubelet.frame_indices) > 0).all():
        raise ValueError(f"tubelet {tubelet.id}: its frames do not rise")
    if not (np.diff(tubelet.times_s) > 0).all():
        raise ValueError(f"tubelet {tubelet.id}: its times do not rise")
    if len(tubelet.label_scores) != classes or not tubelet.observed.any():
        raise ValueError(f"tubelet {tubelet.id}: no observation, or not {classes} classes")
    for name in ("times_s", "boxes_xyxy", "scores", "label_scores", "camera_xy", "referral"):
        values = getattr(tubelet, name)
        if values is not None and not np.isfinite(values).all():
            raise ValueError(f"tubelet {tubelet.id}: its {name} are not finite")


def same(ours: Json | None, theirs: Json | None) -> bool:
    """Whether two plain values are the same once they have been through JSON."""
    return bool(json.loads(json.dumps(ours)) == json.loads(json.dumps(theirs)))

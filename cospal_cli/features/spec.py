"""How the heads' inputs were made: recorded where heads are trained, compared wherever they run."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Protocol

from cospal_cli import weights
from cospal_cli.backbones import models
from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.features import tubelets
from cospal_cli.features.appearance import FEATURES
from cospal_cli.features.appearance import WEIGHTS as CLASSIFIER
from cospal_cli.features.no_clips import NONE
from cospal_cli.settings import ClipsConfig, Config, flatten, override, stored
from cospal_cli.settings.names import keys
from cospal_cli.weights.nanodet import WEIGHTS as NANODET
from cospal_cli.weights.nanodet import WEIGHTS_INT8 as NANODET_INT8

EMBEDDED = "embedded@1"  # the layout of ``tubelets.PARTS``; counted up when it changes
DETECTOR = "detector@2"  # the detector's own vectors, then how the tubelet moves
DETECTOR_1 = "detector"  # those vectors alone: of 0.1.0, whose heads are still served
FILE = "file"  # detections from files: each video has its own file, so no hash
# Of the settings of a training, those of these sections decide what the heads are given, but for
# these.
_SECTIONS = ("video", "detector", "tracker", "clips", "text", "features")
_NO_MATTER = "device precision threads batch compile path strict max_pixels still".split()
_OF_ONE_RUN = "start end duration stream image_fps config_file".split()
_MODELS = {"model": "sha256", "detector": "detector_sha256"}  # a name, and what it stands for


class HasWeights(Protocol):
    """A backend with weights: a detector or an encoder."""

    model_id: str
    model_sha256: str


class Encoder(HasWeights, Protocol):
    """An encoder of texts or videos."""

    dim: int


class ClipEncoder(Encoder, Protocol):
    """An encoder of videos."""

    map_dim: int


@dataclass(frozen=True)
class FeatureSpec:
    """What decides whether two features are the same: the one place for it.

    ``parts``: tubelets, clips and text, each with its models, their hashes and its sizes.
    ``settings``: those of the training or preparing by dotted key, where they are known.
    """

    parts: Mapping[str, Json]
    settings: Json = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        config: Config,
        detector: HasWeights,
        clips: ClipEncoder,
        text: Encoder,
        width: int | None = None,
    ) -> FeatureSpec:
        """Of what ``config`` and these models make. ``config.detector`` and ``config.clips`` are
        those in use, the back ends' own defaults filled in.

        ``width``: numbers of the detector's own vectors; None where it gives none.
        """
        from_file = config.detector.name == FILE
        shown = FEATURES if config.features.crops and width is None else 0
        tubelets_ = {
            "name": EMBEDDED if width is None else DETECTOR,
            "dim": tubelets.length(width, clips.map_dim if config.clips.pooled else 0, shown),
            "detector": FILE if from_file else detector.model_id,
            "detector_sha256": "" if from_file else detector.model_sha256,
            "fps": config.video.fps,
            "frames": config.features.frames,
        }
        if shown:
            classifier = {"shown": shown, "shown_sha256": weights.sha256(CLASSIFIER)}
            tubelets_ |= classifier | {"crops": config.appearance.crops}
        return cls(
            {
                "tubelets": tubelets_,
                "clips": clips_part(config.clips, clips),
                "text": {"name": config.text.name, **_model_of(text)},
            }
        )

    @property
    def width(self) -> int | None:
        """Numbers of the detector's own vectors; None where it gave none."""
        own = self.parts.get("tubelets", {})
        if own.get("name") == DETECTOR:
            return int(own["dim"]) - tubelets.MOVES - self.pooled
        return own.get("dim") if own.get("name") == DETECTOR_1 else None

    @property
    def sides(self) -> tuple[int, int]:
        """How many numbers of a tubelet's vector are its appearance, the first ones, and how many
        its motion, the last ones, ``pooled`` ones included; 0 where the vectors have none."""
        own, motion = self.parts.get("tubelets", {}), tubelets.MOVES + self.pooled
        if own.get("name") == EMBEDDED:  # what the classes add identifies videos, and nobody
            return int(own.get("shown") or 0) + tubelets.COLOURS, motion
        if own.get("name") == DETECTOR:
            return self.width or 0, motion
        return int(own.get("dim", 0)), 0

    @property
    def pooled(self) -> int:
        """Numbers of the clips inside a tubelet's box, the last ones of its vector; 0: none."""
        return int(self.parts.get("clips", {}).get("pooled") or 0)

    @property
    def has_clips(self) -> bool:
        """Whether the clips of the videos were encoded."""
        return bool(self.parts.get("clips", {}).get("name") != NONE)

    def seen(self, vectors: FloatArray) -> FloatArray:
        """Tubelets' ``vectors`` (..., F) of today as heads trained on these saw them."""
        former = self.parts.get("tubelets", {}).get("name") == DETECTOR_1
        today = former and vectors.shape[-1] == tubelets.length(self.width)
        return vectors[..., : -tubelets.MOVES] if today else vectors

    def differences(self, other: FeatureSpec) -> list[str]:
        """What differs, one line each with both sides; [] where heads trained on these fit those
        ``other``.

        Models are compared by the hash of their weights, whatever they are called.
        """
        lines = []
        for part in dict.fromkeys((*self.parts, *other.parts)):
            mine, theirs = self.parts.get(part, {}), other.parts.get(part, {})
            if (mine.get("name"), theirs.get("name")) == (DETECTOR_1, DETECTOR):  # see ``seen``
                theirs = {**theirs, "name": DETECTOR_1, "dim": other.width}
            for name in dict.fromkeys((*mine, *theirs)):
                digest = _MODELS.get(name)
                if digest and mine.get(digest) and mine.get(digest) == theirs.get(digest):
                    continue
                if mine.get(name) != theirs.get(name):
                    sides = f"trained on {_shown(mine, name)}, found {_shown(theirs, name)}"
                    lines.append(f"{part}.{name}: {sides}")
        return lines

    def apply_to(self, config: Config, stated: AbstractSet[str] = frozenset()) -> Config:
        """``config`` that makes such features; what is in ``stated`` (dotted keys) stays as it is.

        UsageError where a value cannot be.
        """
        return override(config, {key: v for key, v in self.keys().items() if key not in stated})

    def keys(self) -> JsonDict:
        """The settings, by dotted key, that make such features.

        Those in ``settings`` where they are known, else what the models' names say.
        """
        tubelets_, clips, text = (
            _table(self.parts, name) for name in ("tubelets", "clips", "text")
        )
        settings = {
            "video.fps": tubelets_.get("fps"),
            "features.frames": tubelets_.get("frames"),
            "features.crops": bool(tubelets_["shown"]) if "shown" in tubelets_ else None,
            "appearance.crops": tubelets_.get("crops"),
            **{f"clips.{name}": clips.get(name) for name in ("name", "fps", "frames", "stride")},
            "clips.model": _named(clips.get("model")),
            "clips.pooled": bool(clips["pooled"]) if "pooled" in clips else None,
            "text.name": text.get("name"),
            "text.model": _named(text.get("model")),
            **_detector(str(tubelets_.get("detector", ""))),
        }
        settings |= {
            key: self.settings[key] for key in kept() if self.settings.get(key) is not None
        }
        return {key: value for key, value in settings.items() if value is not None}


def kept() -> list[str]:
    """The settings, by dotted key, that heads keep from their training."""
    return [
        key
        for key in keys()
        if key.partition(".")[0] in _SECTIONS
        and key.rpartition(".")[2] not in (*_NO_MATTER, *_OF_ONE_RUN)
    ]


def video_settings(config: Config) -> JsonDict:
    """The settings on which the prepared files of videos depend, by dotted key."""
    sections, features = ("video", "detector", "tracker", "clips"), config.features
    settings = {
        key: value
        for key, value in stored.in_use(flatten(config)).items()
        if key.partition(".")[0] in sections and key.rpartition(".")[2] not in _NO_MATTER
    }
    if settings["video.stream"] is None:  # as before there was a choice: their files stay good
        del settings["video.stream"]
    if not settings["clips.pooled"]:
        del settings["clips.pooled"]
    del settings["video.image_fps"]  # a data set's videos are files
    settings.pop("detector.nanodet.weights", None)  # the model's hash says it
    if features.crops:
        settings["features.crops"] = True
        settings["appearance.crops"] = config.appearance.crops
    settings["features.frames"] = features.frames
    settings["features.max_tubelets"] = features.max_tubelets
    return settings


def clips_part(config: ClipsConfig, encoder: ClipEncoder) -> JsonDict:
    """What the features of clips depend on; ``config`` is the encoder's own, filled in."""
    return {
        "name": config.name,
        **_model_of(encoder),
        "fps": config.fps,
        "frames": config.frames,
        "stride": config.stride,
        **({"pooled": encoder.map_dim} if config.pooled else {}),
    }


def _model_of(encoder: Encoder) -> JsonDict:
    return {"model": encoder.model_id, "sha256": encoder.model_sha256, "dim": encoder.dim}


def _shown(part: Json, name: str) -> str:
    value = part.get(name)
    if isinstance(value, float):
        return f"{value:g}"
    return "nothing" if value in (None, "") else str(value)


def _table(parts: Json, name: str) -> Json:
    part = parts.get(name)
    return part if isinstance(part, Mapping) else {}


def _detector(model: str) -> Json:
    if model in ("", FILE):
        return {"detector.name": model or None}
    if model in (NANODET, NANODET_INT8):
        arithmetic = "int8" if model == NANODET_INT8 else "float"
        return {"detector.name": "nanodet", "detector.nanodet.weights": arithmetic}
    return {"detector.name": "grounding-dino", "detector.model": _named(model)}


def _named(name: Any) -> str | None:
    """A model that can be named again; not an embedded one, nor a file that lay elsewhere."""
    known = isinstance(name, str) and (models.find(name) or models.HUB_ID.fullmatch(name))
    return name if known else None

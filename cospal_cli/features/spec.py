"""What made the heads' inputs: recorded where heads are trained, compared wherever they run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from cospal_cli.features import tubelets
from cospal_cli.settings import Config

EMBEDDED = "embedded@1"  # the layout of ``tubelets.PARTS``; counted up when it changes
DETECTOR = "detector"  # the detector's own vectors
FILE = "file"  # detections made elsewhere: each video has its own file, so no hash
Identity = Mapping[str, Mapping[str, Any]]
_MODELS = {"model": "sha256", "detector": "detector_sha256"}  # a name, and what it stands for


class Model(Protocol):
    """A backend with weights: a detector or an encoder."""

    model_id: str
    model_sha256: str


class Encoder(Model, Protocol):
    """An encoder of texts or videos."""

    dim: int


def identity(
    config: Config, detector: Model, clips: Encoder, text: Encoder, width: int | None = None
) -> dict[str, dict[str, Any]]:
    """What the features are made with. ``config.detector`` and ``config.clips`` are those in use,
    the backends' own defaults filled in.

    ``width``: numbers of the detector's own vectors; None where it gives none.
    """
    from_file = config.detector.name == FILE
    return {
        "tubelets": {
            "name": EMBEDDED if width is None else DETECTOR,
            "dim": tubelets.DIM if width is None else width,
            "detector": FILE if from_file else detector.model_id,
            "detector_sha256": "" if from_file else detector.model_sha256,
            "fps": config.video.fps,
            "frames": config.features.frames,
        },
        "clips": {
            "name": config.clips.name,
            "model": clips.model_id,
            "sha256": clips.model_sha256,
            "dim": clips.dim,
            "fps": config.clips.fps,
            "frames": config.clips.frames,
            "stride": config.clips.stride,
        },
        "text": {
            "name": config.text.name,
            "model": text.model_id,
            "sha256": text.model_sha256,
            "dim": text.dim,
        },
    }


def differences(trained: Identity, found: Identity) -> list[str]:
    """What differs, one line each with both sides; [] where heads trained on the one fit the other.

    Models are told apart by the hash of their weights, whatever they are called.
    """
    lines = []
    for part in dict.fromkeys((*trained, *found)):
        mine, other = trained.get(part, {}), found.get(part, {})
        for name in dict.fromkeys((*mine, *other)):
            digest = _MODELS.get(name)
            if digest and mine.get(digest) and mine.get(digest) == other.get(digest):
                continue
            if mine.get(name) != other.get(name):
                sides = f"trained on {_shown(mine, name)}, found {_shown(other, name)}"
                lines.append(f"{part}.{name}: {sides}")
    return lines


def _shown(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    if isinstance(value, float):
        return f"{value:g}"
    return "nothing" if value in (None, "") else str(value)

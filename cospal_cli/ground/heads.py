"""Trained heads with the encoders that they were trained on, ready to be asked about any video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cospal_cli.config import Config, FeaturesConfig
from cospal_cli.detect import Detector, coco
from cospal_cli.errors import UsageError
from cospal_cli.features.clips import VideoEncoder, fewer, open_video_encoder
from cospal_cli.features.identity import DETECTOR, FILE, differences, identity
from cospal_cli.features.tubelets import select, tubelet_features
from cospal_cli.ground.answer import Answer, View, ask
from cospal_cli.language.phrases import Refined, phrases, refine
from cospal_cli.language.text import TextEncoder, open_text_encoder
from cospal_cli.model.card import Card
from cospal_cli.runtime import Runtime, open_runtime
from cospal_cli.types import Clips, Phrases, Query, Timeline, Tubelet, VideoInfo
from cospal_cli.weights import models
from cospal_cli.weights.nanodet import WEIGHTS as NANODET

_LIMITS = ("max_tubelets", "max_clips", "max_words")  # of the features, as training had them


@dataclass(frozen=True)
class Heads:
    """See ``open_heads``."""

    runtime: Runtime
    clips: VideoEncoder
    text: TextEncoder

    def read(self, query: Query, config: FeaturesConfig) -> tuple[Refined, Phrases]:
        """What the heads read of a query, as texts and as vectors."""
        refined = refine(query)
        return refined, phrases(refined, self.text, config.max_words)

    def answer(self, view: View, read: Phrases, config: Config) -> Answer | None:
        """What the heads say; None where the video has no tubelet."""
        return ask(self.runtime, view, read, config.ground)


def open_heads(path: Path, card: Card, config: Config, detector: Detector) -> Heads:
    """The heads in ``path`` and the encoders that ``config`` names.

    UsageError, naming both sides, where ``config`` and ``detector`` make other features than those
    of ``card``.
    """
    clips, text = open_video_encoder(config.clips), open_text_encoder(config.text)
    own = card.features.get("tubelets", {})
    used = replace(config, detector=detector.config, clips=clips.config)
    # Whether the detector gives vectors of its own is seen with its first boxes: ``ask`` compares.
    width = own.get("dim") if own.get("name") == DETECTOR else None
    if found := differences(card.features, identity(used, detector, clips, text, width)):
        raise UsageError(
            f"{str(path)!r} was trained on other features: {'; '.join(found)}",
            "leave these settings out to use those of the training, or train again with them",
        )
    place = config.detector
    return Heads(open_runtime("torch", path, place.device), clips, text)


def view(
    tubelets: Sequence[Tubelet],
    info: VideoInfo,
    timeline: Timeline,
    classes: Sequence[str],
    clips: Clips,
    config: FeaturesConfig,
) -> View:
    """A video as the heads see it: its best tubelets, and no more clips than they take."""
    chosen = select(tubelets, config.max_tubelets)
    features, mask = tubelet_features(
        chosen,
        (info.width, info.height),
        float(timeline.times_s[0]),
        timeline.end_s,
        config,
        classes,
        coco.CLASSES,
    )
    ids = tuple(one.id for one in chosen)
    return View(ids, features, mask, fewer(clips.features, config.max_clips))


def settings_of(card: Card) -> dict[str, Any]:
    """The settings, by dotted key, that make the features on which the heads were trained."""
    tubelets, clips, text = (card.features.get(name, {}) for name in ("tubelets", "clips", "text"))
    limits = (card.trained.get("settings") or {}).get("features") or {}
    found = {
        "video.fps": tubelets.get("fps"),
        "features.frames": tubelets.get("frames"),
        **{f"features.{name}": limits.get(name) for name in _LIMITS},
        "clips.name": clips.get("name"),
        **{f"clips.{name}": clips.get(name) for name in ("fps", "frames", "stride")},
        "clips.model": _model(clips.get("model")),
        "text.name": text.get("name"),
        "text.model": _model(text.get("model")),
        **_detector(str(tubelets.get("detector", ""))),
    }
    return {key: value for key, value in found.items() if value is not None}


def _detector(model: str) -> Mapping[str, Any]:
    if model in ("", FILE):
        return {"detector.name": model or None}
    if model == NANODET:
        return {"detector.name": "nanodet"}
    entry = models.find(model)
    single = model.endswith((".pth", ".pt")) or (entry is not None and entry.single)
    name = "groundingdino-py" if single else "grounding-dino"
    return {"detector.name": name, "detector.model": _model(model)}


def _model(name: str | None) -> str | None:
    """A model that can be named again; not an embedded one, nor a file that lay elsewhere."""
    return name if name and (models.find(name) or models.HUB_ID.fullmatch(name)) else None

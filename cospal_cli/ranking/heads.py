"""Trained heads with the encoders that they were trained on, ready to be asked about any video."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cospal_cli.backbones import models
from cospal_cli.core import coco
from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.core.observation import HeadFeatures, Observation
from cospal_cli.core.types import Phrases, Query
from cospal_cli.detect import Detector
from cospal_cli.features.clips import VideoEncoder, fewer, open_video_encoder
from cospal_cli.features.spec import DETECTOR, FILE, differences, identity
from cospal_cli.features.tubelets import select, tubelet_features
from cospal_cli.language.encoders.text import TextEncoder, open_text_encoder
from cospal_cli.language.phrases import Refined, phrases, refine
from cospal_cli.model.card import Card
from cospal_cli.ranking import TRAINED
from cospal_cli.ranking.answer import Answer, ask, chosen, unknown
from cospal_cli.runtime import Runtime, open_runtime, read_card
from cospal_cli.settings import Config, FeaturesConfig, override
from cospal_cli.settings.stored import modern
from cospal_cli.weights.nanodet import WEIGHTS as NANODET

# Of the settings of a training, those that decide what the heads see.
_KEPT = {
    "video": "fps work_side",
    "detector": "name model threshold nms_iou max_per_frame",
    "detector.nanodet": "side tiles",
    "detector.grounding_dino": "side prompt referral",
    "tracker": "name high_threshold min_observations max_lost_s link_gap_s smooth_s",
    "tracker.botsort": "appearance_threshold proximity_threshold",
    "clips": "name model fps frames stride",
    "text": "name model",
    "features": "frames max_tubelets max_clips max_words",
}


@dataclass(frozen=True)
class Heads:
    """See ``open_heads``. Without encoders they answer what was encoded before."""

    runtime: Runtime
    clips: VideoEncoder | None = None
    text: TextEncoder | None = None

    def answer(
        self, features: HeadFeatures, query: Query, config: Config, phrases: Phrases | None = None
    ) -> Answer | None:
        """What the heads say of a query; None where the video has no tubelet.

        ``phrases``: the query's words, where they are encoded already.
        """
        if phrases is not None:
            return ask(self.runtime, features, phrases, config.ground)
        refined = refine(query)
        answer = ask(self.runtime, features, self._phrases(refined, config), config.ground)
        return None if answer is None else replace(answer, read=refined)

    def understood(self, query: Query, config: Config) -> Query:
        """``query`` with what is unresolved to the heads: words that their training never met."""
        read = self._phrases(refine(query), config)
        words = unknown(self.runtime.card, chosen(read, config.ground))
        return replace(query, unresolved=words)

    def _phrases(self, refined: Refined, config: Config) -> Phrases:
        if self.text is None:
            raise ValueError("text: expected an encoder of texts, found None")
        return phrases(refined, self.text, config.features.max_words)


def completed(config: Config, said: AbstractSet[str], path: Path) -> Config:
    """``config`` for the heads in ``path``: what the user did not say is as in their training.

    ``said``: the dotted keys of what the user did say. UsageError where that is another method,
    and where detections are needed.
    """
    wanted = {"ground.method": "cospal", **settings_of(read_card(path))}
    try:
        override(None, {"detector.file.path": "-"} | wanted)
    except UsageError as error:  # of what is not the user's
        raise WeightsError(
            f"{path}: settings of the training that cannot be: {error.message}", "train again"
        ) from error
    if wanted.get("detector.name") == FILE and not {"detector.name", "detector.file.path"} & said:
        raise UsageError(
            f"{str(path)!r} was trained on detections made elsewhere, found none",
            "give those of the video: --detections FILE",
        )
    config = override(config, {key: value for key, value in wanted.items() if key not in said})
    if config.ground.method not in TRAINED:
        raise UsageError(
            f"{str(path)!r} holds trained heads, which method {config.ground.method!r} ignores",
            "leave out one of the two",
        )
    return config


def open_heads(path: Path, config: Config, detector: Detector) -> Heads:
    """The heads in ``path``, run as ``config.runtime`` says, and the encoders it names.

    UsageError, naming both sides, where ``config`` and ``detector`` make other features than those
    of the training.
    """
    trained = read_card(path).features
    clips, text = open_video_encoder(config.clips), open_text_encoder(config.text)
    used = replace(config, detector=detector.config, clips=clips.config)
    # Whether the detector gives vectors of its own is seen with its first boxes: ``ask`` compares.
    own = trained.get("tubelets", {})
    width: Any = own.get("dim") if own.get("name") == DETECTOR else None
    if found := differences(trained, identity(used, detector, clips, text, width)):
        raise UsageError(
            f"{str(path)!r} was trained on other features: {'; '.join(found)}",
            "leave these settings out to use those of the training, or train again with them",
        )
    run = config.runtime
    device = run.device or config.detector.device
    runtime = open_runtime(run.name, path, device, run.precision, run.provider)
    return Heads(runtime, clips, text)


def head_features(seen: Observation, config: FeaturesConfig) -> HeadFeatures:
    """A video as the heads see it: its best tubelets, and no more clips than they take.

    ValueError where its clips were not encoded.
    """
    if seen.clips is None:
        raise ValueError("clips: expected those of the video, found None")
    best = select(seen.tubelets, config.max_tubelets)
    features, mask = tubelet_features(
        best, seen.size, *seen.span_s, config, seen.classes, coco.CLASSES
    )
    ids = tuple(one.id for one in best)
    return HeadFeatures(ids, features, mask, fewer(seen.clips.features, config.max_clips))


def settings_of(card: Card) -> dict[str, Any]:
    """The settings, by dotted key, that make the features on which the heads were trained.

    Those of the training where the card tells them, else what its features' identity says.
    """
    tubelets, clips, text = (_part(card.features, name) for name in ("tubelets", "clips", "text"))
    found = {
        "video.fps": tubelets.get("fps"),
        "features.frames": tubelets.get("frames"),
        **{f"clips.{name}": clips.get(name) for name in ("name", "fps", "frames", "stride")},
        "clips.model": _model(clips.get("model")),
        "text.name": text.get("name"),
        "text.model": _model(text.get("model")),
        **_detector(str(tubelets.get("detector", ""))),
    }
    told = modern(_part(card.trained, "settings"))
    kept = (f"{part}.{name}" for part, names in _KEPT.items() for name in names.split())
    found |= {key: told[key] for key in kept if told.get(key) is not None}
    return {key: value for key, value in found.items() if value is not None}


def _part(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = found.get(name)
    return part if isinstance(part, Mapping) else {}


def _detector(model: str) -> Mapping[str, Any]:
    if model in ("", FILE):
        return {"detector.name": model or None}
    if model == NANODET:
        return {"detector.name": "nanodet"}
    entry = models.find(model)
    single = model.endswith((".pth", ".pt")) or (entry is not None and entry.single)
    name = "groundingdino-py" if single else "grounding-dino"
    return {"detector.name": name, "detector.model": _model(model)}


def _model(name: Any) -> str | None:
    """A model that can be named again; not an embedded one, nor a file that lay elsewhere."""
    known = isinstance(name, str) and (models.find(name) or models.HUB_ID.fullmatch(name))
    return name if known else None

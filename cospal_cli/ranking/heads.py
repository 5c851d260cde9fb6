"""Trained heads with the encoders that they were trained on, ready for any video."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path

from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.observation import HeadFeatures, Observation
from cospal_cli.core.phrases import Phrases
from cospal_cli.core.query import Query
from cospal_cli.core.vocabulary import COCO
from cospal_cli.detect import Detector
from cospal_cli.features.clips import VideoEncoder, fewer, open_video_encoder
from cospal_cli.features.spec import FILE, FeatureSpec
from cospal_cli.features.tubelets import ShownOf, select, tubelet_features
from cospal_cli.language.encoders.text import TextEncoder, open_text_encoder
from cospal_cli.language.phrases import Refined, phrases, refine
from cospal_cli.model.metadata import HeadsMetadata
from cospal_cli.ranking import TRAINED
from cospal_cli.ranking.prediction import HeadScores, chosen, run, unknown
from cospal_cli.runtime import Runtime, open_runtime, read_metadata
from cospal_cli.settings import Config, FeaturesConfig, override
from cospal_cli.settings.stored import modern


@dataclass(frozen=True)
class Heads:
    """See ``open_heads``. Without encoders they take only what was encoded before."""

    runtime: Runtime
    clips: VideoEncoder | None = None
    text: TextEncoder | None = None
    sha256: str = ""  # of the files in their folder; "": not known

    def predict(
        self, features: HeadFeatures, query: Query, config: Config, phrases: Phrases | None = None
    ) -> HeadScores | None:
        """What the heads predict for a query; None where the video has no tubelet.

        ``phrases``: the query's words, where they are encoded already.
        """
        if phrases is not None:
            return run(self.runtime, features, phrases, config.ground)
        refined = refine(query)
        prediction = run(self.runtime, features, self._phrases(refined, config), config.ground)
        return None if prediction is None else replace(prediction, refined=refined)

    def understood(self, query: Query, config: Config) -> Query:
        """``query`` with what is unresolved to the heads: words that their training never met."""
        encoded = self._phrases(refine(query), config)
        words = unknown(
            self.runtime.metadata, chosen(encoded, config.ground, self.runtime.metadata)
        )
        return replace(query, unresolved=words)

    def _phrases(self, refined: Refined, config: Config) -> Phrases:
        if self.text is None:
            raise ValueError("text: expected an encoder of texts, found None")
        return phrases(refined, self.text, config.features.max_words)


def spec_of(metadata: HeadsMetadata) -> FeatureSpec:
    """What the features that the heads were trained on were computed with."""
    settings = metadata.trained.get("settings")
    return FeatureSpec(metadata.features, modern(settings) if isinstance(settings, Mapping) else {})


def completed(config: Config, stated: AbstractSet[str], path: Path) -> Config:
    """``config`` for the heads in ``path``: what the user left open is as in their training.

    ``stated``: the dotted keys that the user did not leave open. UsageError where they chose
    another method, and where detections are needed.
    """
    spec = spec_of(read_metadata(path))
    try:
        spec.apply_to(override(None, {"detector.file.path": "-"}))
    except UsageError as error:  # of what is not the user's
        raise WeightsError(
            f"{path}: its training has invalid settings: {error.message}", "train again"
        ) from error
    own = {"detector.name", "detector.file.path"} & stated
    if spec.keys().get("detector.name") == FILE and not own:
        raise UsageError(
            f"{str(path)!r} was trained on detections from a file, found none",
            "give those of the video: --detections FILE",
        )
    if "ground.method" not in stated:
        config = override(config, {"ground.method": "cospal"})
    config = spec.apply_to(config, stated)
    if config.ground.method not in TRAINED:
        raise UsageError(
            f"{str(path)!r} holds trained heads, unused by method {config.ground.method!r}",
            "leave out one of the two",
        )
    return config


def open_heads(path: Path, config: Config, detector: Detector) -> Heads:
    """The heads in ``path``, run as ``config.runtime`` says, and the encoders it names.

    UsageError, naming both sides, where ``config`` and ``detector`` give other features than those
    of the training.
    """
    trained = spec_of(read_metadata(path))
    clips, text = open_video_encoder(config.clips), open_text_encoder(config.text)
    used = replace(config, detector=detector.config, clips=clips.config)
    # Whether the detector has vectors of its own is known with its first boxes: ``run`` compares.
    if differences := trained.differences(
        FeatureSpec.of(used, detector, clips, text, trained.width)
    ):
        raise UsageError(
            f"{str(path)!r} was trained on other features: {'; '.join(differences)}",
            "leave these settings out to use those of the training, or train again with them",
        )
    settings = config.runtime
    device = settings.device or config.detector.device
    runtime = open_runtime(settings.name, path, device, settings.precision, settings.provider)
    return Heads(runtime, clips, text, _sha256(path))


def _sha256(folder: Path) -> str:
    """What tells trained heads from others: a hash of their weights and metadata."""
    whole = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in (".safetensors", ".onnx", ".json"):
            with errors_as(WeightsError, str(path)):
                whole.update(path.name.encode() + path.read_bytes())
    return whole.hexdigest()


def head_features(
    observation: Observation, config: FeaturesConfig, shown_of: ShownOf | None = None
) -> HeadFeatures:
    """The inputs of the heads: a video's best tubelets, and no more clips than they take.

    ``shown_of``: see ``tubelet_features``. ValueError where its clips were not encoded.
    """
    if observation.clips is None:
        raise ValueError("clips: expected those of the video, found None")
    best = select(observation.tubelets, config.max_tubelets)
    features, mask = tubelet_features(
        best, observation.size, *observation.span_s, config, observation.classes, COCO, shown_of
    )
    ids = tuple(one.id for one in best)
    return HeadFeatures(ids, features, mask, fewer(observation.clips.features, config.max_clips))

"""All settings in one object."""

from __future__ import annotations

from dataclasses import dataclass, field

from cospal_cli.settings.detectors import DetectorConfig
from cospal_cli.settings.encoders import (
    AppearanceConfig,
    ClipsConfig,
    FeaturesConfig,
    LanguageConfig,
    TextConfig,
)
from cospal_cli.settings.heads import GroundConfig, ModelConfig, RuntimeConfig
from cospal_cli.settings.many import EngineConfig
from cospal_cli.settings.stages import OutputConfig, TrackerConfig, VideoConfig
from cospal_cli.settings.temporal import TemporalConfig
from cospal_cli.settings.training import CurriculumConfig, LossConfig, TrainConfig


@dataclass(frozen=True)
class Config:
    """Every setting, by section."""

    video: VideoConfig = field(default_factory=VideoConfig)
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    language: LanguageConfig = field(default_factory=LanguageConfig)
    text: TextConfig = field(default_factory=TextConfig)
    clips: ClipsConfig = field(default_factory=ClipsConfig)
    appearance: AppearanceConfig = field(default_factory=AppearanceConfig)
    ground: GroundConfig = field(default_factory=GroundConfig)
    output: OutputConfig = field(default_factory=OutputConfig)
    features: FeaturesConfig = field(default_factory=FeaturesConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    temporal: TemporalConfig = field(default_factory=TemporalConfig)
    runtime: RuntimeConfig = field(default_factory=RuntimeConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    curriculum: CurriculumConfig = field(default_factory=CurriculumConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

"""Every setting, declared once, and what fills it: see ``declare`` and ``merge``."""

from __future__ import annotations

from cospal_cli.settings.config import Config
from cospal_cli.settings.declare import Declared, Section, Setting, SettingError
from cospal_cli.settings.detectors import (
    DetectorConfig,
    FileConfig,
    GroundingDinoConfig,
    NanoDetConfig,
)
from cospal_cli.settings.encoders import (
    AppearanceConfig,
    ClipsConfig,
    FeaturesConfig,
    LanguageConfig,
    TextConfig,
)
from cospal_cli.settings.heads import GroundConfig, ModelConfig, RuntimeConfig
from cospal_cli.settings.many import EngineConfig, RayConfig
from cospal_cli.settings.merge import (
    Entry,
    Settings,
    as_dict,
    changed,
    flatten,
    override,
    resolve,
    value_of,
)
from cospal_cli.settings.names import argument, current, keys, nearest
from cospal_cli.settings.stages import BotSortConfig, OutputConfig, TrackerConfig, VideoConfig
from cospal_cli.settings.temporal import TemporalConfig
from cospal_cli.settings.training import CurriculumConfig, LossConfig, TrainConfig

__all__ = [
    "AppearanceConfig",
    "BotSortConfig",
    "ClipsConfig",
    "Config",
    "CurriculumConfig",
    "Declared",
    "DetectorConfig",
    "EngineConfig",
    "Entry",
    "FeaturesConfig",
    "FileConfig",
    "GroundConfig",
    "GroundingDinoConfig",
    "LanguageConfig",
    "LossConfig",
    "ModelConfig",
    "NanoDetConfig",
    "OutputConfig",
    "RayConfig",
    "RuntimeConfig",
    "Section",
    "Setting",
    "SettingError",
    "Settings",
    "TemporalConfig",
    "TextConfig",
    "TrackerConfig",
    "TrainConfig",
    "VideoConfig",
    "argument",
    "as_dict",
    "changed",
    "current",
    "flatten",
    "keys",
    "nearest",
    "override",
    "resolve",
    "value_of",
]

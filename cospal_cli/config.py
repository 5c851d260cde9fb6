"""Every default, in one place; YAML, environment and flags only fill these (see ``settings``)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class VideoConfig:
    fps: float = 10.0  # frames sampled per second of video, by time
    work_side: int = 640  # longer side of the images that the stages see; boxes are always full size
    start: str | None = None  # frames ("120"), seconds ("12.5s") or "HH:MM:SS.mmm"
    end: str | None = None
    duration: str | None = None
    max_pixels: int = 64_000_000  # frames above are refused before they are allocated
    strict: bool = False  # damaged video is an error, not a warning


@dataclass(frozen=True)
class DetectorConfig:
    name: str = "nanodet"
    path: str | None = None  # detections file for name "file"
    side: int = 416  # longer side of the network's input, a multiple of 32
    threshold: float = 0.15
    nms_iou: float = 0.6
    max_per_frame: int = 100
    tiles: int = 1  # n x n overlapping tiles besides the whole frame, for small people
    batch: int = 4
    threads: int = 0  # 0: every processor this process may use


@dataclass(frozen=True)
class TrackerConfig:
    name: str = "bytetrack"
    high: float = 0.3  # detections above start and keep tracks; below only keep them
    min_observations: int = 3
    max_lost_s: float = 1.0
    link_gap_s: float = 2.5
    smooth_s: float = 0.25


@dataclass(frozen=True)
class LanguageConfig:
    similarity: bool = True  # MiniLM for nouns and verbs that the lexicon lacks


@dataclass(frozen=True)
class AppearanceConfig:
    enabled: bool = True  # EfficientNet-Lite on a few crops of a tubelet, when the query needs it
    crops: int = 4
    threads: int = 0


@dataclass(frozen=True)
class GroundConfig:
    method: str = "zero-shot"
    top_k: int = 1
    class_weight: float = 2.0
    colour_weight: float = 1.5
    position_weight: float = 1.5
    action_weight: float = 1.0
    looks_weight: float = 0.6
    prior_weight: float = 1.0
    min_score: float = 0.0


@dataclass(frozen=True)
class OutputConfig:
    overwrite: bool = False
    video: bool = True
    crf: int = 23


@dataclass(frozen=True)
class Config:
    video: VideoConfig = field(default_factory=VideoConfig)
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    language: LanguageConfig = field(default_factory=LanguageConfig)
    appearance: AppearanceConfig = field(default_factory=AppearanceConfig)
    ground: GroundConfig = field(default_factory=GroundConfig)
    output: OutputConfig = field(default_factory=OutputConfig)

"""Every default, in one place; YAML, environment and flags only fill these (see ``settings``)."""

from __future__ import annotations

from dataclasses import dataclass, field

from cospal_cli.errors import UsageError


class SettingError(UsageError):
    """A value that cannot be used; ``key`` is the setting's dotted name."""

    def __init__(self, key: str, message: str, hint: str = "") -> None:
        super().__init__(f"{key}: {message}", hint)
        self.key = key


def _check(section: object, name: str, **ranges: tuple[float, float]) -> None:
    """Raise SettingError unless each named field of ``section`` is within its closed range."""
    for field_name, (low, high) in ranges.items():
        value = getattr(section, field_name)
        if not low <= value <= high:
            raise SettingError(
                f"{name}.{field_name}", f"must be from {low:g} to {high:g}, found {value}"
            )


@dataclass(frozen=True)
class VideoConfig:
    fps: float = 10.0  # frames sampled per second of video, by time
    work_side: int = 640  # longer side of the images the stages see; boxes are always full size
    start: str | None = None  # frames ("120"), seconds ("12.5s") or "HH:MM:SS.mmm"
    end: str | None = None
    duration: str | None = None
    max_pixels: int = 64_000_000  # frames above are refused before they are allocated
    strict: bool = False  # damaged video is an error, not a warning

    def __post_init__(self) -> None:
        _check(self, "video", fps=(0.01, 1000), work_side=(64, 8192), max_pixels=(1, 2**40))
        if self.end is not None and self.duration is not None:
            raise SettingError(
                "video.duration", "excludes video.end, found both", "give one of the two"
            )


@dataclass(frozen=True)
class DetectorConfig:
    name: str = "nanodet"
    device: str = "auto"  # auto, cpu, cuda or cuda:N; see ``devices``
    path: str | None = None  # detections file for name "file"
    side: int = 416  # longer side of the network's input, a multiple of 32
    threshold: float = 0.15
    nms_iou: float = 0.6
    max_per_frame: int = 100
    tiles: int = 1  # n x n overlapping tiles besides the whole frame, for small people
    batch: int = 4
    threads: int = 0  # 0: every processor but one, which decodes and tracks meanwhile

    def __post_init__(self) -> None:
        _check(self, "detector", side=(64, 4096), threshold=(0, 1), nms_iou=(0, 1))
        _check(self, "detector", max_per_frame=(1, 10_000), tiles=(1, 8), batch=(1, 256))
        _check(self, "detector", threads=(0, 1024))
        if self.side % 32:
            raise SettingError("detector.side", f"must be a multiple of 32, found {self.side}")
        if self.name == "file" and self.path is None:
            raise SettingError(
                "detector.path", "is needed by detector 'file'", "give it with --detections FILE"
            )


@dataclass(frozen=True)
class TrackerConfig:
    name: str = "bytetrack"
    high: float = 0.3  # detections above start and keep tracks; below only keep them
    min_observations: int = 3
    max_lost_s: float = 1.0
    link_gap_s: float = 2.5
    smooth_s: float = 0.25

    def __post_init__(self) -> None:
        _check(self, "tracker", high=(0, 1), min_observations=(1, 10_000), max_lost_s=(0, 3600))
        _check(self, "tracker", link_gap_s=(0, 3600), smooth_s=(0, 60))


@dataclass(frozen=True)
class LanguageConfig:
    similarity: bool = True  # MiniLM for nouns and verbs that the lexicon lacks


@dataclass(frozen=True)
class AppearanceConfig:
    enabled: bool = True  # EfficientNet-Lite on a few crops of a tubelet, when the query needs it
    crops: int = 3
    threads: int = 0

    def __post_init__(self) -> None:
        _check(self, "appearance", crops=(1, 256), threads=(0, 1024))


@dataclass(frozen=True)
class GroundConfig:
    method: str = "zero-shot"
    top_k: int = 1
    class_weight: float = 1.5
    colour_weight: float = 1.5
    position_weight: float = 1.5
    action_weight: float = 1.0
    company_weight: float = 0.8
    looks_weight: float = 0.6
    prior_weight: float = 1.0
    min_score: float = 0.0  # tubes below are not returned

    def __post_init__(self) -> None:
        _check(self, "ground", top_k=(1, 10_000), min_score=(0, 1))
        for name in ("class", "colour", "position", "action", "company", "looks", "prior"):
            _check(self, "ground", **{f"{name}_weight": (0, 1000)})


@dataclass(frozen=True)
class OutputConfig:
    overwrite: bool = False
    video: bool = True
    crf: int = 23

    def __post_init__(self) -> None:
        _check(self, "output", crf=(0, 51))


@dataclass(frozen=True)
class Config:
    video: VideoConfig = field(default_factory=VideoConfig)
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    language: LanguageConfig = field(default_factory=LanguageConfig)
    appearance: AppearanceConfig = field(default_factory=AppearanceConfig)
    ground: GroundConfig = field(default_factory=GroundConfig)
    output: OutputConfig = field(default_factory=OutputConfig)

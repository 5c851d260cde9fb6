"""Every default, in one place; YAML, environment and flags only fill these (see ``settings``)."""

from __future__ import annotations

from dataclasses import dataclass, field

from cospal_cli.core.errors import UsageError


class SettingError(UsageError):
    """A value that cannot be used; ``key`` is the setting's dotted name."""

    def __init__(self, key: str, message: str, hint: str = "") -> None:
        super().__init__(f"{key}: {message}", hint)
        self.key = key


def _check(section: object, name: str, /, **ranges: tuple[float, float]) -> None:
    """Raise SettingError unless each named field of ``section`` is within its closed range."""
    for field_name, (low, high) in ranges.items():
        value = getattr(section, field_name)
        if not low <= value <= high:
            raise SettingError(
                f"{name}.{field_name}", f"must be from {low:g} to {high:g}, found {value}"
            )


def _one_of(section: object, name: str, /, **known: str) -> None:
    """Raise SettingError unless each named field of ``section`` is one of the words given."""
    for field_name, words in known.items():
        value = getattr(section, field_name)
        if value not in words.split():
            raise SettingError(
                f"{name}.{field_name}",
                f"unknown value {value!r}",
                f"known: {', '.join(words.split())}",
            )


PRECISIONS = "auto fp32 fp16 bf16"


@dataclass(frozen=True)
class VideoConfig:
    fps: float = 10.0  # frames sampled per second of video, by time
    work_side: int = 640  # longer side of the images the stages see; boxes are always full size
    start: str | None = None  # frames ("120"), seconds ("12.5s") or "HH:MM:SS.mmm"
    end: str | None = None
    duration: str | None = None
    max_pixels: int = 64_000_000  # frames above are refused before they are allocated
    strict: bool = False  # damaged video is an error, not a warning
    stream: int | None = None  # which of several video streams, from 0; None: as players choose

    def __post_init__(self) -> None:
        if self.stream is not None:
            _check(self, "video", stream=(0, 1000))
        _check(self, "video", fps=(0.01, 1000), work_side=(64, 8192), max_pixels=(1, 2**40))
        if self.end is not None and self.duration is not None:
            raise SettingError(
                "video.duration", "excludes video.end, found both", "give one of the two"
            )


@dataclass(frozen=True)
class DetectorConfig:
    name: str = "nanodet"  # or auto: Grounding DINO where its extra and weights are there
    device: str = "auto"  # auto, cpu, cuda or cuda:N; see ``devices``
    path: str | None = None  # detections file for name "file"
    side: int | None = None  # nanodet: longer side of the input, a multiple of 32 (416);
    # Grounding DINO: shorter side (800; the longer at most 1333/800 of it)
    threshold: float | None = None  # least score of a box: nanodet 0.15, Grounding DINO 0.4
    nms_iou: float | None = None  # overlap above which a box is a double: 0.6, Grounding DINO 0.8
    max_per_frame: int = 100
    tiles: int = 1  # nanodet: n x n overlapping tiles besides the whole frame, for small people
    batch: int = 0  # frames a call; 0: what suits the detector and the device
    threads: int = 0  # 0: every processor but one, which decodes and tracks meanwhile
    # Detectors that are prompted with the sentence:
    model: str | None = None  # a name of 'cospal models list', a folder, a hub id, a .pth file
    model_config: str | None = None  # groundingdino-py: the configuration file of the .pth
    prompt: str = "both"  # the sentence ("caption"), the nouns ("category"), or both in one pass
    referral: str = "mean"  # a box's score over the referral's words: mean or max
    text_threshold: float = 0.4  # least score of a word that belongs to a box's phrase
    precision: str = "auto"  # auto (fp16 on CUDA, else fp32), fp32, fp16 or bf16
    compile: bool = False  # torch.compile: slow to start, pays on long videos with one frame size

    def __post_init__(self) -> None:
        _check(self, "detector", max_per_frame=(1, 10_000), tiles=(1, 8), batch=(0, 256))
        _check(self, "detector", threads=(0, 1024), text_threshold=(0, 1))
        for name, low, high in (("side", 64, 4096), ("threshold", 0, 1), ("nms_iou", 0, 1)):
            if getattr(self, name) is not None:
                _check(self, "detector", **{name: (low, high)})
        _one_of(self, "detector", prompt="caption category both", referral="mean max")
        _one_of(self, "detector", precision=PRECISIONS)
        if self.name == "nanodet" and (self.side or 0) % 32:
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
    look_gate: float = 0.25  # botsort: looks tell tracks apart only below this cosine distance
    place_gate: float = 0.9  # and only where 1 - IoU is: at 30 frames a second 0.5 is usual

    def __post_init__(self) -> None:
        _check(self, "tracker", high=(0, 1), min_observations=(1, 10_000), max_lost_s=(0, 3600))
        _check(self, "tracker", link_gap_s=(0, 3600), smooth_s=(0, 60))
        _check(self, "tracker", look_gate=(0, 2), place_gate=(0, 1))


@dataclass(frozen=True)
class LanguageConfig:
    similarity: bool = True  # MiniLM for nouns and verbs that the lexicon lacks


@dataclass(frozen=True)
class TextConfig:
    """The encoder of the sentence's words, for methods that were trained on its vectors."""

    name: str = "minilm"
    model: str | None = None  # bert: a name of 'cospal models list', a folder or a hub id
    device: str = "auto"
    precision: str = "auto"
    threads: int = 0

    def __post_init__(self) -> None:
        _check(self, "text", threads=(0, 1024))
        _one_of(self, "text", precision=PRECISIONS)


@dataclass(frozen=True)
class ClipsConfig:
    """The encoder of the whole video, clip by clip, likewise."""

    name: str = "embedded"
    model: str | None = None  # a name of 'cospal models list', a folder, a hub id or a checkpoint
    fps: float | None = None  # frames a second that the encoder sees; None: what it was trained on
    frames: int | None = None  # frames of one clip; None: the encoder's own
    stride: int | None = None  # frames from one clip to the next; None: the encoder's own
    batch: int = 0  # clips a call; 0: what suits the encoder and the device
    device: str = "auto"
    precision: str = "auto"
    threads: int = 0

    def __post_init__(self) -> None:
        _check(self, "clips", batch=(0, 1024), threads=(0, 1024))
        for name, low, high in (("fps", 0.01, 1000), ("frames", 1, 4096), ("stride", 1, 4096)):
            if getattr(self, name) is not None:
                _check(self, "clips", **{name: (low, high)})
        _one_of(self, "clips", precision=PRECISIONS)


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
    # Of trained heads:
    reads: str = "refined"  # or the sentence as it is
    segment: str = "best"  # best: the proposal that tells the sentence best; vote: the one that
    # overlaps the others most; hull: of the sub-phrases' best; blind: the middle of the video
    temporal_first: bool = False  # tubelets that are not there in the segment are out (STPro)
    seed: int = 0  # of the random baselines

    def __post_init__(self) -> None:
        _check(self, "ground", top_k=(1, 10_000), min_score=(0, 1), seed=(0, 2**31 - 1))
        _one_of(self, "ground", reads="refined sentence", segment="best vote hull blind")
        for name in ("class", "colour", "position", "action", "company", "looks", "prior"):
            _check(self, "ground", **{f"{name}_weight": (0, 1000)})


@dataclass(frozen=True)
class FeaturesConfig:
    """What trained heads see of a video and a sentence."""

    frames: int = 32  # times of the video at which tubelets carry features
    max_tubelets: int = 40  # the longest and surest of a video
    max_clips: int = 200  # more are averaged, neighbours together
    max_words: int = 60  # of one phrase; those behind are left out

    def __post_init__(self) -> None:
        _check(self, "features", frames=(1, 1024), max_tubelets=(1, 1000))
        _check(self, "features", max_clips=(1, 4096), max_words=(4, 512))


@dataclass(frozen=True)
class ModelConfig:
    """The heads' sizes and rules (method: TPG, CRG)."""

    dim: int = 256
    heads: int = 4
    ffn: int = 512
    dropout: float = 0.1
    noise: float = 0.0  # of the inputs in training, times their own size: for small data sets
    spatial_layers: int = 1  # temporal self-attention over a tubelet's frames
    temporal_layers: int = 3  # of the video and of the word transformer each
    proposals: int = 8  # P: 8 as CPL, 1 as CNM
    width_divisor: float = 9.0  # a proposal of width w is a Gaussian of sigma w / this
    word_score: str = "mean"  # a tubelet's score over the referral's words: mean or max
    sees: str = "clips"  # what the temporal head sees: clips of the whole video, what the likely
    # subject does (subject: its tubelets' features at each clip), or both

    def __post_init__(self) -> None:
        _check(self, "model", dim=(8, 4096), heads=(1, 64), ffn=(8, 16384), dropout=(0, 0.9))
        _check(self, "model", noise=(0, 10))
        _check(self, "model", spatial_layers=(0, 24), temporal_layers=(1, 24), proposals=(1, 64))
        _check(self, "model", width_divisor=(0.1, 100))
        _one_of(self, "model", word_score="mean max", sees="clips subject both")
        if self.dim % (2 * self.heads):
            raise SettingError(
                "model.dim", f"must be a multiple of {2 * self.heads}, found {self.dim}"
            )


@dataclass(frozen=True)
class LossConfig:
    """The weights of the losses (method: TPG, temporal, 5)."""

    spatial: float = 1.0
    temporal: float = 1.0
    smoothing: float = 0.1  # of the word labels
    contrast: float = 1.0  # alpha 1
    contrast_whole: float = 0.1  # margins, nats
    contrast_side: float = 0.15
    push: bool = True  # the contrast also makes the sentence worse told from the negatives
    diversity: float = 1.0  # alpha 2
    overlap: float = 0.14  # lambda
    harder: float = 0.5  # gamma: how the negatives grow with the epochs

    def __post_init__(self) -> None:
        for name in ("spatial", "temporal", "contrast", "contrast_whole", "contrast_side"):
            _check(self, "loss", **{name: (0, 1000)})
        _check(self, "loss", smoothing=(0, 0.9), diversity=(0, 1000), overlap=(0, 1))
        _check(self, "loss", harder=(0, 10))


@dataclass(frozen=True)
class CurriculumConfig:
    """In which order samples are shown (method: SPS; STPro's sub-actions)."""

    name: str = "sps"  # sps: by tubelets; actions: by the sentence's verbs; none
    limits: str = "4,7"  # most of them in each stage but the last, which has no limit
    epochs: str = "3,3,4"  # of each stage; with none their sum
    equal_updates: bool = False  # none: as many updates as the stages of the same data would make

    def __post_init__(self) -> None:
        _one_of(self, "curriculum", name="sps actions none")
        limits, epochs = _numbers(self, "limits"), _numbers(self, "epochs")
        if len(epochs) != len(limits) + 1 or sum(epochs) < 1:
            raise SettingError(
                "curriculum.epochs",
                f"must be one number more than curriculum.limits, found {self.epochs!r} "
                f"for {self.limits!r}",
            )

    @property
    def stages(self) -> tuple[tuple[int | None, int], ...]:
        """(limit, epochs) of each stage; limit None: every sample."""
        limits: list[int | None] = [*_numbers(self, "limits"), None]
        return tuple(zip(limits, _numbers(self, "epochs"), strict=True))


def _numbers(section: CurriculumConfig, name: str) -> list[int]:
    words = [word.strip() for word in getattr(section, name).split(",") if word.strip()]
    if not all(word.isdigit() for word in words):
        raise SettingError(
            f"curriculum.{name}", f"must be whole numbers, found {getattr(section, name)!r}"
        )
    return [int(word) for word in words]


@dataclass(frozen=True)
class TrainConfig:
    seed: int = 0
    batch: int = 32  # samples of one update, over all processes
    lr: float = 4e-4  # of the temporal head
    spatial_lr: float = 3e-4
    warmup: int = 400  # updates from 1e-7 to the full rate; then inverse square root
    clip: float = 10.0  # largest norm of the gradient
    weight_decay: float = 0.0
    ema: float = 0.0  # decay of the averaged weights that are evaluated and kept; 0: none
    crg: bool = True  # sub-phrase passes besides the sentence
    device: str = "auto"
    precision: str = "auto"  # auto (bf16 on CUDA, else fp32), fp32, bf16 or fp16
    threads: int = 0
    bad: int = 100  # unreadable samples that are skipped before the training stops
    save_every: int = 200  # updates between checkpoints within an epoch; 0: at epochs only
    select: str = "m_vIoU"  # what the best checkpoint is chosen by, on the held-out tenth

    def __post_init__(self) -> None:
        _check(self, "train", batch=(2, 65536), lr=(0, 10), spatial_lr=(0, 10), clip=(0, 1e9))
        _check(self, "train", warmup=(0, 10**9), weight_decay=(0, 10), ema=(0, 0.999999))
        _check(self, "train", threads=(0, 1024), bad=(0, 10**9), save_every=(0, 10**9))
        _check(self, "train", seed=(0, 2**31 - 1))
        _one_of(self, "train", precision=PRECISIONS, select="m_vIoU m_tIoU loss")


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
    text: TextConfig = field(default_factory=TextConfig)
    clips: ClipsConfig = field(default_factory=ClipsConfig)
    appearance: AppearanceConfig = field(default_factory=AppearanceConfig)
    ground: GroundConfig = field(default_factory=GroundConfig)
    output: OutputConfig = field(default_factory=OutputConfig)
    features: FeaturesConfig = field(default_factory=FeaturesConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    curriculum: CurriculumConfig = field(default_factory=CurriculumConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

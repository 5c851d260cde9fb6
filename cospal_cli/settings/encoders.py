"""The settings of the encoders of sentences and videos, and of what trained heads get of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cospal_cli.core.backends import TEXT_ENCODERS, VIDEO_ENCODERS
from cospal_cli.settings.declare import Section, Setting
from cospal_cli.settings.words import DEVICE, FIND, LARGE_MODEL, MODELS, PRECISIONS


@dataclass(frozen=True)
class LanguageConfig(Section, key="language", group=FIND):
    """How a sentence is read."""

    similarity: Annotated[
        bool,
        Setting("Compare nouns and verbs that the lexicon lacks with known ones, by MiniLM."),
    ] = True


@dataclass(frozen=True)
class TextConfig(Section, key="text", group=MODELS):
    """The encoder of the sentence's words, for trained heads."""

    name: Annotated[
        str,
        Setting(
            "The encoder that turns the words of a sentence into vectors.",
            choices=TEXT_ENCODERS,
            flag="--text-encoder",
        ),
    ] = "minilm"
    model: Annotated[
        str | None,
        Setting(f"Weights of bert: {LARGE_MODEL}.", unset="the encoder's own"),
    ] = None
    device: Annotated[str, Setting(f"Where the text encoder runs: {DEVICE}.")] = "auto"
    precision: Annotated[
        str,
        Setting(
            "Arithmetic of the text encoder; auto is fp16 on CUDA, else fp32.", choices=PRECISIONS
        ),
    ] = "auto"
    threads: Annotated[
        int,
        Setting("Threads of the text encoder on the CPU.", least=0, most=1024, zero="auto"),
    ] = 0


@dataclass(frozen=True)
class ClipsConfig(Section, key="clips", group=MODELS):
    """The encoder of the whole video, clip by clip, for trained heads."""

    name: Annotated[
        str,
        Setting(
            "The encoder that turns clips of a video into vectors. none: heads whose "
            "temporal.objective is contrast need no clips, unless model.temporal_input is both.",
            choices=VIDEO_ENCODERS,
            flag="--video-encoder",
            former_flags=("--clip-encoder",),
        ),
    ] = "embedded"
    model: Annotated[
        str | None,
        Setting(f"Weights of the video encoder: {LARGE_MODEL}.", unset="the encoder's own"),
    ] = None
    fps: Annotated[
        float | None,
        Setting(
            "Frames per second of video that the encoder is given.",
            least=0.01,
            most=1000,
            unset="what it was trained on",
        ),
    ] = None
    frames: Annotated[
        int | None,
        Setting("Frames in one clip.", least=1, most=4096, unset="the encoder's own"),
    ] = None
    stride: Annotated[
        int | None,
        Setting(
            "Frames from the start of one clip to that of the next.",
            least=1,
            most=4096,
            unset="the encoder's own",
        ),
    ] = None
    pooled: Annotated[
        bool,
        Setting(
            "Give heads the clips inside each tubelet's box too, beside its motion, where the "
            "encoder has maps of the frame, which it then sees whole.",
        ),
    ] = False
    batch: Annotated[
        int,
        Setting(
            "Clips in one forward pass; auto is what suits the encoder and the device.",
            least=0,
            most=1024,
            zero="auto",
        ),
    ] = 0
    device: Annotated[str, Setting(f"Where the video encoder runs: {DEVICE}.")] = "auto"
    precision: Annotated[
        str,
        Setting(
            "Arithmetic of the video encoder; auto is fp16 on CUDA, else fp32.", choices=PRECISIONS
        ),
    ] = "auto"
    threads: Annotated[
        int,
        Setting("Threads of the video encoder on the CPU.", least=0, most=1024, zero="auto"),
    ] = 0


@dataclass(frozen=True)
class AppearanceConfig(Section, key="appearance", group=MODELS):
    """The classifier of what a subject looks like, used when the sentence needs it."""

    enabled: Annotated[
        bool, Setting("Classify a few crops of each likely tubelet with EfficientNet-Lite.")
    ] = True
    crops: Annotated[
        int, Setting("Crops of each tubelet that are classified.", least=1, most=256)
    ] = 3
    threads: Annotated[
        int, Setting("Threads of the classifier on the CPU.", least=0, most=1024, zero="auto")
    ] = 0
    image_text: Annotated[
        str | None,
        Setting(
            "Weights of a CLIP or SigLIP that judges words which nothing else can (woman against "
            f"man, with a cap against without): {LARGE_MODEL}.",
            unset="such words are not used",
            flag="--image-text",
        ),
    ] = None
    device: Annotated[str, Setting(f"Where the image-text model runs: {DEVICE}.")] = "auto"
    precision: Annotated[
        str,
        Setting(
            "Arithmetic of the image-text model; auto is fp16 on CUDA, else fp32.",
            choices=PRECISIONS,
        ),
    ] = "auto"


@dataclass(frozen=True)
class FeaturesConfig(Section, key="features", group=MODELS):
    """What trained heads are given of a video and a sentence."""

    frames: Annotated[
        int,
        Setting("Times of the video at which tubelets carry features.", least=1, most=1024),
    ] = 32
    crops: Annotated[
        bool,
        Setting(
            "Give heads what EfficientNet-Lite makes of each tubelet's crops, beside its colours, "
            "where the detector does not describe its boxes itself.",
        ),
    ] = False
    max_tubelets: Annotated[
        int,
        Setting(
            "Most tubelets kept of a video: the longest and most confident.", least=1, most=1000
        ),
    ] = 40
    max_clips: Annotated[
        int,
        Setting(
            "Most clips kept of a video; neighbours are averaged where there are more.",
            least=1,
            most=4096,
        ),
    ] = 200
    max_words: Annotated[
        int,
        Setting("Most words of one phrase; later ones are left out.", least=4, most=512),
    ] = 60

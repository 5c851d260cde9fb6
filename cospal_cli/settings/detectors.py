"""The settings of the detectors, each back end's in a section of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from cospal_cli.core.backends import DETECTORS
from cospal_cli.settings.declare import Section, Setting, SettingError
from cospal_cli.settings.words import (
    DEVICE,
    INPUT,
    LARGE_MODEL,
    MODELS,
    PRECISIONS,
    SPEED,
)


@dataclass(frozen=True)
class NanoDetConfig(Section, key="detector.nanodet", group=MODELS):
    """The embedded detector."""

    side: Annotated[
        int,
        Setting(
            "Longer side, in pixels, of the network's input; a multiple of 32.",
            least=64,
            most=4096,
            formerly=("detector.side",),
        ),
    ] = 416
    tiles: Annotated[
        int,
        Setting(
            "Detect in N x N overlapping tiles as well as in the whole frame, to find small "
            "people.",
            least=1,
            most=8,
            flag="--tiles",
            formerly=("detector.tiles",),
        ),
    ] = 1
    weights: Annotated[
        str,
        Setting(
            "The network's arithmetic; auto takes int8 where the processor has VNNI instructions, "
            "else float. int8 is quicker there and finds nearly the same boxes.",
            choices=("int8", "float"),
            also=("auto",),
        ),
    ] = "auto"


@dataclass(frozen=True)
class GroundingDinoConfig(Section, key="detector.grounding_dino", group=MODELS):
    """Grounding DINO, by transformers or ONNX Runtime: prompted by the sentence."""

    side: Annotated[
        int | None,
        Setting(
            "Shorter side, in pixels, of the network's input; the longer is at most 1333/800 times "
            "that.",
            least=64,
            most=4096,
            unset="that of the model, usually 800",
            formerly=("detector.side",),
        ),
    ] = None
    prompt: Annotated[
        str,
        Setting(
            "What the prompt holds: the sentence (caption), its nouns (category), or both in one "
            "pass.",
            choices=("caption", "category", "both"),
            formerly=("detector.prompt",),
        ),
    ] = "both"
    referral: Annotated[
        str,
        Setting(
            "How the scores of the referral's words make the score of a box.",
            choices=("mean", "max"),
            formerly=("detector.referral",),
        ),
    ] = "mean"
    compile: Annotated[
        bool,
        Setting(
            "Compile the network with torch.compile: slow to start, pays off on long videos of "
            "one frame size.",
            formerly=("detector.compile",),
        ),
    ] = False
    config_file: Annotated[
        str | None,
        Setting(
            "The configuration file that an original .pth checkpoint was trained with.",
            unset="inferred from the weights",
            formerly=("detector.model_config",),
        ),
    ] = None


@dataclass(frozen=True)
class FileConfig(Section, key="detector.file", group=INPUT):
    """Detections that another program made."""

    path: Annotated[
        str | None,
        Setting(
            "A JSON Lines file with the boxes of one frame per line; implies detector 'file'.",
            unset="no file",
            flag="--detections",
            formerly=("detector.path",),
        ),
    ] = None


@dataclass(frozen=True)
class DetectorConfig(Section, key="detector", group=MODELS):
    """The detector of objects in a frame; what only one back end reads has a section of its own."""

    name: Annotated[
        str,
        Setting(
            "The detector that finds the boxes; auto takes grounding-dino where its packages and "
            "weights are available, else nanodet.",
            choices=DETECTORS,
            also=("auto",),
            flag="--detector",
        ),
    ] = "nanodet"
    model: Annotated[
        str | None,
        Setting(
            f"Weights of Grounding DINO: {LARGE_MODEL}.",
            unset="grounding-dino-tiny",
            flag="--detector-model",
        ),
    ] = None
    threshold: Annotated[
        float | None,
        Setting(
            "Lowest score at which a box is kept.",
            least=0,
            most=1,
            unset="0.15 for nanodet, 0.4 for Grounding DINO",
        ),
    ] = None
    nms_iou: Annotated[
        float | None,
        Setting(
            "Overlap (IoU) above which the weaker of two boxes is dropped as a duplicate.",
            least=0,
            most=1,
            unset="0.6 for nanodet, 0.8 for Grounding DINO",
        ),
    ] = None
    max_per_frame: Annotated[
        int, Setting("Keep at most this many boxes of a frame.", least=1, most=10_000)
    ] = 100
    device: Annotated[
        str, Setting(f"Where the detector runs: {DEVICE}.", flag="--device", group=SPEED)
    ] = "auto"
    precision: Annotated[
        str,
        Setting(
            "Arithmetic of Grounding DINO; auto is fp16 on CUDA, else fp32.",
            choices=PRECISIONS,
            flag="--precision",
            group=SPEED,
        ),
    ] = "auto"
    batch: Annotated[
        int,
        Setting(
            "Frames in one pass of the detector; auto is what suits the detector and the device.",
            least=0,
            most=256,
            zero="auto",
            flag="--batch",
            group=SPEED,
        ),
    ] = 0
    threads: Annotated[
        int,
        Setting(
            "Threads of the detector on the CPU; auto leaves one processor to decoding and "
            "tracking.",
            least=0,
            most=1024,
            zero="auto",
            flag="--threads",
            group=SPEED,
        ),
    ] = 0
    still: Annotated[
        float,
        Setting(
            "A frame keeps the boxes of the last one that the detector saw where no part of the "
            "picture has changed in brightness (0 to 255) by this much, for a second at most; "
            "0: the detector sees every frame.",
            least=0,
            most=255,
        ),
    ] = 4.0
    nanodet: NanoDetConfig = field(default_factory=NanoDetConfig)
    grounding_dino: GroundingDinoConfig = field(default_factory=GroundingDinoConfig)
    file: FileConfig = field(default_factory=FileConfig)

    def check(self) -> None:
        """See ``Section``."""
        side = self.nanodet.side
        if self.name == "nanodet" and side % 32:
            raise SettingError(
                "detector.nanodet.side",
                f"must be a multiple of 32, found {side}",
                f"such as {-(-side // 32) * 32}",
            )
        if self.name == "file" and self.file.path is None:
            raise SettingError(
                "detector.file.path",
                "is needed by detector 'file'",
                "give it with --detections FILE",
            )

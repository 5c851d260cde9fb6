"""The settings of the stages that turn a video into tubelets, and of what is written in the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from cospal_cli.core.backends import DETECTORS, TRACKERS
from cospal_cli.settings.declare import Section, Setting, SettingError
from cospal_cli.settings.words import (
    DEVICE,
    INPUT,
    LARGE_MODEL,
    MODELS,
    OUTPUT,
    PRECISIONS,
    SPEED,
)


@dataclass(frozen=True)
class VideoConfig(Section, key="video", group=INPUT):
    """How a video is read."""

    fps: Annotated[
        float,
        Setting("Frames analysed per second of video.", least=0.01, most=1000, flag="--fps"),
    ] = 10.0
    work_side: Annotated[
        int,
        Setting(
            "Longer side, in pixels, of the images that the stages work on; boxes are always in "
            "pixels of the full frame.",
            least=64,
            most=8192,
        ),
    ] = 640
    start: Annotated[
        str | None,
        Setting(
            "Where to begin: a frame's number (5 is frame 5, not 5 s), seconds (5s, 12.5s) or "
            "HH:MM:SS.mmm.",
            unset="the first frame",
            flag="--start",
        ),
    ] = None
    end: Annotated[
        str | None,
        Setting(
            "Where to end, written like the start; this frame itself is not included.",
            unset="the video's end",
            flag="--end",
        ),
    ] = None
    duration: Annotated[
        str | None,
        Setting(
            "How much to analyse, instead of an end: 50 (frames), 2s or 00:02.",
            unset="all of it",
            flag="--duration",
        ),
    ] = None
    max_pixels: Annotated[
        int,
        Setting(
            "Frames of more pixels than this are refused before memory is allocated for them.",
            least=1,
            most=2**40,
            flag="--max-pixels",
        ),
    ] = 64_000_000
    image_fps: Annotated[
        float,
        Setting(
            "Pictures per second, where a folder or pattern of pictures is the video.",
            least=0.01,
            most=1000,
            flag="--image-fps",
        ),
    ] = 25.0
    strict: Annotated[
        bool,
        Setting("Make a damaged video an error instead of a warning.", flag="--strict"),
    ] = False

    stream: Annotated[
        int | None,
        Setting(
            "Which of several video streams, from 0.",
            least=0,
            most=1000,
            unset="as players choose",
            flag="--stream",
        ),
    ] = None

    def check(self) -> None:
        """See ``Section``."""
        if self.end is not None and self.duration is not None:
            raise SettingError(
                "video.duration", "cannot be combined with video.end", "give only one of the two"
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


@dataclass(frozen=True)
class BotSortConfig(Section, key="tracker.botsort", group=MODELS):
    """What BoT-SORT adds to ByteTrack."""

    appearance_threshold: Annotated[
        float,
        Setting(
            "Cosine distance below which two boxes can be taken to look alike.",
            least=0,
            most=2,
            formerly=("tracker.look_gate",),
        ),
    ] = 0.25
    proximity_threshold: Annotated[
        float,
        Setting(
            "Distance (1 - IoU) below which appearance is compared; 0.5 is usual at 30 frames a "
            "second.",
            least=0,
            most=1,
            formerly=("tracker.place_gate",),
        ),
    ] = 0.9


@dataclass(frozen=True)
class TrackerConfig(Section, key="tracker", group=MODELS):
    """What joins the boxes of one object through time into a tubelet."""

    name: Annotated[
        str,
        Setting("The tracker that joins boxes into tubelets.", choices=TRACKERS, flag="--tracker"),
    ] = "botsort"
    high_threshold: Annotated[
        float,
        Setting(
            "Boxes of this score or more start and keep tracks; those below only keep them.",
            least=0,
            most=1,
            formerly=("tracker.high",),
        ),
    ] = 0.3
    min_observations: Annotated[
        int,
        Setting("Drop tubelets with fewer boxes than this.", least=1, most=10_000),
    ] = 3
    max_lost_s: Annotated[
        float,
        Setting("Seconds for which a lost track can be picked up again.", least=0, most=3600),
    ] = 1.0
    link_gap_s: Annotated[
        float,
        Setting("Longest gap, in seconds, over which two tracks are joined.", least=0, most=3600),
    ] = 2.5
    smooth_s: Annotated[
        float, Setting("Seconds of video over which boxes are smoothed.", least=0, most=60)
    ] = 0.25
    botsort: BotSortConfig = field(default_factory=BotSortConfig)


@dataclass(frozen=True)
class OutputConfig(Section, key="output", group=OUTPUT):
    """What is written."""

    overwrite: Annotated[bool, Setting("Replace existing outputs.", flag="--overwrite")] = False
    video: Annotated[
        bool, Setting("Write a video with the box drawn, as MP4.", flag="--no-video")
    ] = True
    clip: Annotated[
        bool,
        Setting("Cut the found moment out of the video: STEM.clip.mp4.", flag="--clip"),
    ] = False
    clip_copy: Annotated[
        bool,
        Setting(
            "Cut it out without encoding, starting at the key frame before it.", flag="--clip-copy"
        ),
    ] = False
    crop: Annotated[
        bool,
        Setting("Cut out a window that follows the subject: STEM.crop.mp4.", flag="--crop"),
    ] = False
    pad: Annotated[
        str,
        Setting(
            "How much more to cut out before and after the moment: 25 (frames), 1s or 00:01.",
            flag="--pad",
        ),
    ] = "0"
    sheet: Annotated[
        bool,
        Setting("Draw a contact sheet of the moment: STEM.sheet.png.", flag="--sheet"),
    ] = False
    thumbnail: Annotated[
        bool,
        Setting("Draw its clearest frame: STEM.thumbnail.png.", flag="--thumbnail"),
    ] = False
    crf: Annotated[
        int,
        Setting(
            "Quality of these videos, by x264's scale: 0 is lossless, 51 the worst.",
            least=0,
            most=51,
        ),
    ] = 23
    keyframe_error: Annotated[
        float,
        Setting(
            "Pixels by which straight lines between the key frames of CVAT may miss a box; "
            "0 makes every frame a key frame.",
            least=0,
        ),
    ] = 1.0

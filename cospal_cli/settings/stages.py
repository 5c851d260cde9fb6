"""The settings of reading a video, of the trackers, and of what is written in the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from cospal_cli.core.backends import TRACKERS
from cospal_cli.settings.declare import Section, Setting, SettingError
from cospal_cli.settings.words import (
    INPUT,
    MODELS,
    OUTPUT,
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
